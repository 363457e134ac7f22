"""Checkouts of one project, harbour, whose team shares records in a folder: for the tests of stores and champions."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.champion import Champion, SealedReference, write_champion
from pipeline_lib.records.comparison_kept import write_comparison
from pipeline_lib.records.layout import PARITY
from pipeline_lib.records.promotion import promote
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.seal import seal

SETTINGS = "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\nstore = {}\n"
CLEAN = {"commit": "a" * 40, "changed": False, "untracked": []}
FULL = {"exact": True, "text": "parity: exact (9 rows)\n  more", "full": True, "variations": []}


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """The output of git in a folder."""
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout


def person(folder: Path, name: str) -> None:
    """Make somebody the user of a checkout."""
    git(folder, "config", "user.name", name)
    git(folder, "config", "user.email", f"{name.lower()}@example.org")


def repository(folder: Path, store: str = "../store") -> Project:
    """Anna's checkout, with one commit, and the folder of the store next to it."""
    folder.mkdir(parents=True)
    (folder.parent / "store").mkdir(exist_ok=True)
    (folder / "settings.ini").write_text(SETTINGS.format(store))
    (folder / ".gitignore").write_text("runs/\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    person(folder, "Anna")
    commit(folder)
    return find_project(folder)


def repository_with_champion(folder: Path) -> Project:
    """Anna's checkout with a promoted record, all of it committed."""
    project = repository(folder)
    promote(finished(project), project, reason="first")
    commit(project.root)
    return project


def clone(project: Project, folder: Path, name: str = "Ben") -> Project:
    """A colleague's clone of a checkout."""
    git(folder.parent, "clone", "--quiet", str(project.root), str(folder))
    person(folder, name)
    return find_project(folder)


def commit(folder: Path, message: str = "Change") -> None:
    """Commit everything."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", message)


def finished(project: Project, rmse: float = 1.0, *, parity: Any = FULL, **facts: Any) -> Record:
    """A finished run of committed files with this parity result; by default one that can be promoted."""
    record = create_record(project.runs, "boats")
    (record.folder / "artifact").mkdir()
    (record.folder / "artifact" / "plan.json").write_text(record.id)
    (record.folder / "metrics.json").write_text(json.dumps({"rmse": rmse}))
    seal(record, {"status": "finished", "reference": record.reference, "git": CLEAN, **facts})
    if parity is not None:
        checks_folder(record).mkdir(parents=True)
        (checks_folder(record) / PARITY).write_text(json.dumps(parity))
    return record


def point_to(project: Project, record: Record) -> None:
    """Make a record its pipeline's champion, without a store."""
    sealed = SealedReference(record.reference, str(record.manifest()["digest"]), "store")
    write_champion(project, Champion(sealed, "better", "Anna", datetime.now(UTC).replace(microsecond=0)))


def compared(challenger: Record, champion: Record, verdict: str, sentence: str, *, not_worse: bool = False) -> None:
    """Keep a comparison of two records with this answer, as `compare` does."""
    digests = [str(record.manifest()["digest"]) for record in (champion, challenger)]
    answer: dict[str, Any] = {"challenger": challenger.reference, "challenger_digest": digests[1]}
    answer |= {
        "verdict": verdict,
        "sentence": sentence,
        "not_worse": not_worse or verdict in ("better", "no difference"),
    }
    content = {"champion": champion.reference, "champion_digest": digests[0], "created": "2026-11-30T10:00:00+00:00"}
    write_comparison(challenger, digests[0], {"format": 1, **content, "answers": [answer], "differences": {"rows": []}})
