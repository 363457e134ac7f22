"""Ways to damage a sealed record: one flipped bit anywhere, changes of its manifest, changes of its files.

Where the manifest is changed, its own digest is computed again, as a careful forger would.
"""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline_lib.records.layout import MANIFEST, METRICS
from pipeline_lib.records.record import Record
from pipeline_lib.system.files import canonical_json, files_below, sha256_bytes, sha256_file


def flipped_bits(record: Record, count: int, seed: int) -> Iterator[str]:
    """Flip one bit at a time, anywhere in the record, and restore it; yields its position while it is flipped."""
    draw = random.Random(seed)  # noqa: S311 (a test's positions)
    sizes = [(path, path.stat().st_size) for path in files_below(record.folder)]
    for path, _ in draw.choices(sizes, weights=[size for _, size in sizes], k=count):
        whole = path.read_bytes()
        position, bit = draw.randrange(len(whole)), draw.randrange(8)
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << bit]) + whole[position + 1 :])
        try:
            yield f"{path.relative_to(record.folder).as_posix()}: byte {position}, bit {bit}"
        finally:
            path.write_bytes(whole)


def reseal(record: Record, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a manifest and compute its digest again."""
    manifest = record.manifest()
    del manifest["digest"]
    change(manifest)
    manifest["digest"] = sha256_bytes(canonical_json(manifest))
    (record.folder / MANIFEST).write_bytes(canonical_json(manifest))


def list_file(record: Record, name: str, path: Path) -> None:
    """List a file of this content in the manifest."""
    reseal(record, lambda manifest: manifest["files"].update({name: sha256_file(path)}))


def _symlink(record: Record) -> None:
    path = record.folder / METRICS
    path.symlink_to(path.rename(record.folder.parent / "moved.json"))


def _outside(record: Record) -> Path:
    path = record.folder.parent / "outside.txt"
    path.write_text("x")
    return path


def _doubled_entry(record: Record) -> None:
    path = record.folder / MANIFEST
    line = next(line for line in path.read_text(encoding="utf-8").splitlines() if f'"{METRICS}"' in line)
    path.write_text(path.read_text(encoding="utf-8").replace(line, f"{line}\n{line}"), encoding="utf-8")


def _changed_line_ends(record: Record) -> None:
    path = record.folder / MANIFEST
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def _case_clash(record: Record) -> None:
    path = record.folder / METRICS.upper()
    path.write_bytes(b"{}")
    list_file(record, path.name, path)


TAMPERINGS: dict[str, Callable[[Record], object]] = {
    "extra file": lambda record: (record.folder / "extra.txt").touch(),
    "missing file": lambda record: (record.folder / METRICS).unlink(),
    "symbolic link": _symlink,
    "hard link": lambda record: os.link(record.folder / METRICS, record.folder.parent / "linked.json"),
    "empty folder": lambda record: (record.folder / "empty").mkdir(),
    "../x": lambda record: list_file(record, "../outside.txt", _outside(record)),
    "absolute path": lambda record: list_file(record, str(_outside(record)), _outside(record)),
    "doubled entry": _doubled_entry,
    "changed line ends": _changed_line_ends,
    "case clash": _case_clash,
    "NUL in a name": lambda record: list_file(record, "metrics.json\0x", record.folder / METRICS),
}
"""Ways to damage a record; `verify` must report each of them."""
