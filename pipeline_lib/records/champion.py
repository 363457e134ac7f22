"""The champion of a pipeline: a file in git that names the record in use, by reference, digest and store.

`champions/boats.yml` is a pointer: every clone of the project finds the same record by it. Its history in git is the
history of the champions.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project, check_name
from pipeline_lib.project.store_address import check_address
from pipeline_lib.records.champion_conflict import conflict
from pipeline_lib.records.record import ID
from pipeline_lib.system.files import write_atomic

CHAMPIONS = "champions"
"""The folder of a project that has one pointer for each pipeline."""
_MAX_BYTES = 64 * 1024
_HEAD = "# The record that {0}@champion names. `pipeline-lib promote` writes this file; commit it.\n"


@dataclass(frozen=True)
class SealedReference:
    """A record that can be found and verified anywhere: its reference, the digest of its seal, and its store."""

    reference: str
    digest: str
    store: str


@dataclass(frozen=True)
class Compared:
    """What a comparison with the champion before found: the verdict, whether it was favourable, and the sentence."""

    verdict: str
    favourable: bool
    sentence: str


@dataclass(frozen=True)
class Champion:
    """The content of a pointer.

    `since` is in UTC, `by` the person who promoted, `parity` the first line of the parity result, `previous` the
    champion that the record replaced, `compared` what a comparison of the two found, None where none was kept.
    `rolled_back` is True where a rollback wrote the pointer.
    """

    record: SealedReference
    reason: str
    by: str
    since: datetime
    parity: str = ""
    rolled_back: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)
    previous: SealedReference | None = None
    compared: Compared | None = None

    @property
    def pipeline(self) -> str:
        """The name of the pipeline."""
        return self.record.reference.partition("/")[0]

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            **vars(self.record),
            "by": self.by,
            "since": self.since.isoformat(timespec="seconds"),
            "reason": self.reason,
            "parity": self.parity or None,
            "rolled_back": self.rolled_back,
            "metrics": dict(self.metrics),
            "previous": vars(self.previous).copy() if self.previous else None,
            "compared": vars(self.compared).copy() if self.compared else None,
        }


def champion_path(project: Project, pipeline: str) -> Path:
    """The pointer of a pipeline."""
    return project.root / CHAMPIONS / f"{check_name(pipeline)}.yml"


def pointers(project: Project) -> list[str]:
    """Names of the pipelines that have a pointer, sorted."""
    return sorted(path.stem for path in (project.root / CHAMPIONS).glob("[a-z]*.yml"))


def read_champion(project: Project, pipeline: str) -> Champion | None:
    """The champion of a pipeline; None where there is no pointer.

    Raises InputError for a file that is no pointer. Where git has merged two promotions, the message says whose.
    """
    path = champion_path(project, pipeline)
    shown = project.shown(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{shown}: found {error}, expected a file that can be read; correct that") from error
    return parse_champion(content, pipeline, shown, project.root)


def parse_champion(content: bytes, pipeline: str, shown: str, root: Path) -> Champion:
    """Read a pointer's content. Raises InputError, which names the file as `shown`."""
    try:
        text = content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise _malformed(shown, str(error)) from None
    if problem := conflict(text, shown, root):
        raise InputError(problem)
    if len(content) > _MAX_BYTES:
        raise _malformed(shown, f"{len(content):,} bytes")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.isprintable():
            raise _malformed(shown, f"line {number}: a character that cannot be printed")
    champion = _champion(_load(text, shown), shown)
    if champion.pipeline != pipeline:
        raise _malformed(shown, f"the reference {champion.record.reference}")
    return champion


def pointer_content(project: Project, champion: Champion) -> bytes:
    """The bytes of a champion's pointer. Raises InputError for text that YAML would change."""
    shown = project.shown(champion_path(project, champion.pipeline))
    content = _as_text(champion).encode()
    if parse_champion(content, champion.pipeline, shown, project.root) != champion:
        raise InputError(f"{shown}: found text that YAML changes, expected plain text; write another --reason")
    return content


def write_champion(project: Project, champion: Champion) -> Path:
    """Write the pointer of a champion atomically, and return its path."""
    path = champion_path(project, champion.pipeline)
    content = pointer_content(project, champion)
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, content)
    return path


def _schema() -> Any:
    from strictyaml import Map, MapPattern, Optional, Str

    sealed = {"reference": Str(), "digest": Str(), "store": Str()}
    texts = {"by": Str(), "since": Str(), "reason": Str(), Optional("parity"): Str(), Optional("rolled_back"): Str()}
    compared = {"verdict": Str(), "favourable": Str(), "sentence": Str()}
    groups = {Optional("previous"): Map(sealed), Optional("compared"): Map(compared)}
    return Map({**sealed, **texts, Optional("metrics"): MapPattern(Str(), Str()), **groups})


def _as_text(champion: Champion) -> str:
    from strictyaml import as_document

    values: dict[str, Any] = {**vars(champion.record), "by": champion.by}
    values |= {"since": champion.since.isoformat(timespec="seconds"), "reason": champion.reason}
    values |= {"parity": champion.parity} if champion.parity else {}
    values |= {"rolled_back": "true"} if champion.rolled_back else {}
    values |= {"metrics": {name: repr(value) for name, value in champion.metrics.items()}} if champion.metrics else {}
    values |= {"previous": vars(champion.previous).copy()} if champion.previous else {}
    if champion.compared:
        values["compared"] = {**vars(champion.compared), "favourable": str(champion.compared.favourable).lower()}
    return _HEAD.format(champion.pipeline) + str(as_document(values, _schema()).as_yaml())


def _load(text: str, shown: str) -> dict[str, Any]:
    from strictyaml import YAMLError, load

    try:
        values: dict[str, Any] = load(text, _schema()).data
    except YAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise _malformed(shown, f"{line}{error.problem or error.context}") from None
    return values


def _champion(values: dict[str, Any], shown: str) -> Champion:
    try:
        since = datetime.fromisoformat(values["since"])
        metrics = {name: float(value) for name, value in values.get("metrics", {}).items()}
    except ValueError as error:
        raise _malformed(shown, str(error)) from None
    if since.tzinfo is None or not all(map(math.isfinite, metrics.values())):
        raise _malformed(shown, "a time without its zone, or a metric that is no finite number")
    previous, compared = values.get("previous"), values.get("compared")
    return Champion(
        _sealed_reference(values, shown),
        values["reason"],
        values["by"],
        since,
        values.get("parity", ""),
        values.get("rolled_back") == "true",
        metrics,
        _sealed_reference(previous, shown) if previous else None,
        Compared(compared["verdict"], compared["favourable"] == "true", compared["sentence"]) if compared else None,
    )


def _sealed_reference(values: Mapping[str, str], shown: str) -> SealedReference:
    reference, digest = values["reference"], values["digest"]
    if not ID.fullmatch(reference.partition("/")[2]):
        raise _malformed(shown, f"the reference {reference!r}")
    check_name(reference.partition("/")[0])
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise _malformed(shown, f"the digest {digest!r}")
    return SealedReference(reference, digest, check_address(values["store"], f"{shown}: store"))


def _malformed(shown: str, what: str) -> InputError:
    return InputError(
        f"{shown}: found {what}, expected the pointer that `pipeline-lib promote` writes; "
        f"`git checkout HEAD -- {shown}` restores the last one, in the project's folder"
    )
