"""Whether a record may become a champion: whole, finished, of committed files, parity exact under every variation."""

import re

from pipeline_lib.records.champion import CHAMPIONS
from pipeline_lib.records.forgotten import forgotten_in
from pipeline_lib.records.index import read_parity
from pipeline_lib.records.layout import GIT_DIFF
from pipeline_lib.records.record import REPAIR, Record
from pipeline_lib.records.run_command import run_arguments
from pipeline_lib.records.seal import verify

_CHANGED = re.compile(rb"^diff --git (.+)$", re.MULTILINE)
_POINTER = re.compile(rf"(.*/)?{CHAMPIONS}/[^/]+\.yml$")
_SHOWN = 5
"""At most so many changed files are named."""


def problems_of(record: Record) -> list[str]:
    """Why a record cannot be promoted, one reason each; empty where it can be."""
    if record.is_scratch:
        return ["found a scratch record, expected a sealed one; `pipeline-lib run` makes one"]
    damage = verify(record)
    if damage:
        return [f"{damage[0]}; {REPAIR.format(record.reference)}"]
    manifest = record.manifest()
    if manifest["status"] != "finished":
        return [f"found a run that {manifest['status']}, expected a finished one; run again"]
    if manifest.get("reference") != record.reference:
        return [f"found the record of {manifest.get('reference')}, expected its own; move it there"]
    forgotten = forgotten_in(manifest)
    if forgotten:
        return [f"{forgotten}; found no rows to check parity with, expected a whole record; run again"]
    return [problem for problem in (source_problem(record), _parity_problem(record)) if problem]


def source_problem(record: Record) -> str | None:
    """Why the files that made a record are in no commit, None where they are; pointers to champions do not count.

    What is missing here cannot be made up for: the record can never be promoted.
    """
    manifest, again = record.manifest(), f"`pipeline-lib run {run_arguments(record)} --force`"
    git = manifest.get("git")
    if not isinstance(git, dict):
        return f"found a run outside git, expected one of committed files; `git init`, commit, and {again}"
    changed = _changed_files(record) if git.get("changed") else []
    names = [*changed, *(str(name) for name in git.get("untracked") or ())]
    own = str(manifest.get("parameters_file") or "")
    names = [name for name in names if not _POINTER.match(name) or (own and name.endswith(own))]
    if not names:
        return None
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (
        f"found a run of files that are in no commit ({', '.join(names[:_SHOWN])}{more}), expected committed ones; "
        f"commit or ignore them, and {again} (without --force the finished run is reused)"
    )


def _changed_files(record: Record) -> list[str]:
    """Files that differed from the commit; a name where the record does not say which."""
    difference = record.folder / GIT_DIFF
    headers = _CHANGED.findall(difference.read_bytes()) if difference.is_file() else []
    return [_changed_name(header.decode(errors="replace")) for header in headers] or ["changed files"]


def _changed_name(header: str) -> str:
    """The name in `a/NAME b/NAME`; of a renamed file both names."""
    half = len(header) // 2
    return header[2:half] if header[2:half] == header[half + 3 :] else header


def _parity_problem(record: Record) -> str | None:
    parity = read_parity(record)
    check = f"`pipeline-lib parity {record.reference} --full`"
    if parity is None:
        return f"found no parity check, expected an exact one with --full; {check}"
    if not parity["exact"]:
        return f"found parity that differs, expected it exact; `pipeline-lib show {record.reference}` names the cause"
    if parity.get("full") is not True:
        return f"found a parity check of some variations, expected one with --full; {check}"
    return None
