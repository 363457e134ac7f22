"""Records without rows: what a manifest says of rows that were removed, and what the commands say of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.layout import MANIFEST
from pipeline_lib.records.record import Record
from pipeline_lib.system.files import read_json

FORGOTTEN = "forgotten"
"""The part of a manifest that describes the removal."""
_TEXTS = ("seal", "reason", "by", "when", "parity")
_NAMES = ("removed", "may_hold")


@dataclass(frozen=True)
class Forgotten:
    """How a record lost its rows.

    `seal` is the digest of the seal before. `when` (UTC) and `by` are empty in a copy that was pushed without rows.
    `parity` is the first line of the last parity result. `removed` names files that are gone, `may_hold` files that
    stayed and may hold values of sensitive columns, because the pipeline learned from them.

        >>> print(Forgotten("ab12", "Anna asked", "Ben", "2026-11-30T10:00:00+00:00"))
        rows were forgotten on 2026-11-30 by Ben: Anna asked
    """

    seal: str
    reason: str
    by: str = ""
    when: str = ""
    parity: str = ""
    removed: tuple[str, ...] = ()
    may_hold: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.when:
            return "this copy was pushed without rows"
        return f"rows were forgotten on {self.when[:10]} by {self.by}: {self.reason}"

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {key: list(value) if key in _NAMES else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Any) -> "Forgotten | None":
        """Read what `to_json` returned; None for anything else."""
        if not isinstance(values, Mapping) or set(values) != {*_TEXTS, *_NAMES}:
            return None
        lists = [values[key] for key in _NAMES]
        are_lists = all(isinstance(each, list) and all(isinstance(name, str) for name in each) for each in lists)
        if not are_lists or not all(isinstance(values[key], str) for key in _TEXTS):
            return None
        return cls(*(values[key] for key in _TEXTS), *(tuple(each) for each in lists))


def forgotten_in(manifest: Mapping[str, Any]) -> Forgotten | None:
    """What a manifest says of removed rows; None for a record that has its rows."""
    return Forgotten.from_json(manifest.get(FORGOTTEN))


def forgotten_at(folder: Path) -> Forgotten | None:
    """What the manifest in a record's folder says of removed rows; None where it cannot be read, too."""
    try:
        manifest = read_json(folder / MANIFEST)
    except InputError:
        return None
    return forgotten_in(manifest) if isinstance(manifest, dict) else None


def check_rows(record: Record, what: str) -> None:
    """InputError for a record without rows; `what` says what they are needed for."""
    forgotten = forgotten_in(record.manifest())
    if forgotten is None:
        return
    remedy = f"`pipeline-lib run {record.manifest().get('parameters_file', 'PARAMS_FILE')}` makes a new record"
    if not forgotten.when:
        remedy = "ask the person who pushed it for the whole record"
    before = f" (before: {forgotten.parity})" if forgotten.parity else ""
    raise InputError(f"{record.reference}: {forgotten}; found no rows, expected them {what}{before}; {remedy}")
