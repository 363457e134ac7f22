"""The mutation run: one thing at a time is changed in a record or in the project, and a check must name it.

    python -m tools.mutants [--seed N] [--share 1.0] [--only WORDS] [--listed]

The houses pipeline runs twice. Then mutations are drawn from the printed seed over the numbers, categories and code of
the first run's artifact, evidence, parameters, metrics and environment, of the exported modules and their notebooks.
Each must break the record's seal. The record is then sealed again, as if a correct tool had written the change, and
the project's own checks must still find it and name the step, file or cell. A mutation that none finds is a survivor.
"""

import argparse
import importlib
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from unittest.mock import patch

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import other_artifact, read_evidence
from pipeline_lib.parity.compare_records import compare_records
from pipeline_lib.parity.replay import replay
from pipeline_lib.parity.replay_request import ReplayRequest
from pipeline_lib.parity.result import EDGES, FRESH, Outcome
from pipeline_lib.parity.variations import VARIATIONS
from pipeline_lib.project.code_diff import changed_values
from pipeline_lib.project.export import check_export
from pipeline_lib.project.params import params_to_json, read_params
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.layout import MANIFEST, PARAMETERS, PARAMS_FILE
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.reproduce import code_changes
from pipeline_lib.runner.run import run_pipeline
from pipeline_lib.system.environment import describe_environment
from pipeline_lib.system.files import canonical_json, sha256_bytes, sha256_file
from tools.mutations import Mutation, draw

ROOT = Path(__file__).parent.parent
SEED = 20_261_123
SEAL, SURVIVED, UNNAMED = "seal", "survived", "seen, not named"
_LONG = 200  # characters of a message that are printed


@dataclass(frozen=True)
class World:
    """A folder with copies of a `record`, of the run that repeats it (`again`), and of the `project`."""

    tree: Path

    @cached_property
    def record(self) -> Record:
        """The record that mutations change."""
        return Record((self.tree / "record").resolve())

    @cached_property
    def again(self) -> Record:
        """The record of a second run of the same notebook, parameters and environment."""
        return Record((self.tree / "again").resolve())

    @cached_property
    def project(self) -> Project:
        """The project whose code mutations change."""
        return find_project(self.tree / "project")

    @contextmanager
    def changed(self, files: Mapping[str, bytes]) -> Iterator[None]:
        """Change the contents of some files until the block ends; then files and seal are restored."""
        seal = self.record.folder / MANIFEST
        before = {path: path.read_bytes() for path in (seal, *(self.tree / name for name in files))}
        try:
            for name, content in files.items():
                (self.tree / name).write_bytes(content)
            yield
        finally:
            for path, content in before.items():
                path.write_bytes(content)

    def seal(self) -> None:
        """Write a manifest for the record's files as they are now."""
        manifest = self.record.manifest()
        del manifest["digest"]
        manifest["files"] = {name: sha256_file(self.record.folder / name) for name in manifest["files"]}
        manifest["digest"] = sha256_bytes(canonical_json(manifest))
        (self.record.folder / MANIFEST).write_bytes(canonical_json(manifest))


@dataclass(frozen=True)
class Check:
    """One of the project's checks: the folders that it reads, and its message; empty when it finds nothing."""

    name: str
    reads: tuple[str, ...]
    message: Callable[[World], str]


@dataclass(frozen=True)
class Verdict:
    """The check that found a mutation, and its message."""

    mutation: Mutation
    seen_by: str
    message: str = ""

    @property
    def survived(self) -> bool:
        """Whether no check found the mutation, or none named its location."""
        return self.seen_by in (SURVIVED, UNNAMED)


def parity(world: World) -> str:
    """Repeat the evidence with the column executor, then row by row, in this process."""
    return _repeated(world, FRESH) or _repeated(world, "dict")


def edges(world: World) -> str:
    """Repeat the answers to edge rows."""
    return _repeated(world, EDGES)


def _repeated(world: World, name: str) -> str:
    """The message of `check_parity` for one variation, without a process for each mutation."""
    request = ReplayRequest(str(world.record.folder), "pipeline_lib", (VARIATIONS[name].task(),))
    outcome = Outcome.from_json(replay(request).outcomes[0])
    if outcome.divergence:
        differs = outcome.divergence.differs
        return f"{name}: " + "; ".join(f"{step}: {difference}" for step, difference in differs.items())
    return "" if outcome.verdict == "exact" else f"{name}: {outcome.detail}"


def artifact_digests(world: World) -> str:
    """Compare the artifact with the digests in the evidence."""
    return "; ".join(other_artifact(read_evidence(world.record.evidence), world.record.artifact))


def resolved_parameters(world: World) -> str:
    """Resolve the parameters file again and compare with the resolved parameters."""
    module = importlib.import_module(f"pipeline_lib.pipelines.{world.record.pipeline}")
    overrides = world.record.manifest().get("overrides", [])
    file = world.record.folder / PARAMS_FILE
    params = read_params(file, module.Params, overrides=overrides, shown=file.name)
    changed = changed_values(params_to_json(params), world.record.read_json(PARAMETERS))
    return f"{file.name} → {PARAMETERS}: {'; '.join(changed)}" if changed else ""


def export(world: World) -> str:
    """Compare every module with its notebook's export."""
    return "; ".join(map(str, check_export(world.project)))


def sources(world: World) -> str:
    """Compare notebook and modules with those that the record used."""
    return "; ".join(code_changes(world.record, world.project))


def reproduction(world: World) -> str:
    """Compare the record with that of the second run."""
    comparison = compare_records(world.record, world.again)
    return "; ".join(f"{part.name}: {' '.join(part.differences)}" for part in comparison.sections if part.differences)


CHECKS: Sequence[Check] = (
    Check("parity", ("record/artifact/", "record/evidence/"), parity),
    Check(EDGES, ("record/artifact/", "record/evidence/"), edges),
    Check("artifact digest", ("record/artifact/", "record/evidence/"), artifact_digests),
    Check("parameters", ("record/params",), resolved_parameters),
    Check("export", ("project/",), export),
    Check("sources", ("project/", "record/library.json", "record/notebook.ipynb"), sources),
    Check("reproduce", ("record/", "again/"), reproduction),
)


def judge(world: World, mutation: Mutation, checks: Sequence[Check] = CHECKS) -> Verdict:
    """The first check that names a mutation; a change of the record must also break its seal."""
    with world.changed(mutation.files):
        if any(name.startswith("record/") for name in mutation.files):
            problems = verify(world.record)
            if not problems:
                return Verdict(mutation, SURVIVED, "`verify` calls the record whole")
            if not mutation.sealed:
                return Verdict(mutation, SEAL, problems[0])
            world.seal()
            if left := verify(world.record):
                raise SystemExit(f"{mutation.location}: found {left[0]} after sealing again, expected a whole record")
        unnamed = ""
        for check in checks:
            if any(name.startswith(check.reads) for name in mutation.files) and (message := _run(check, world)):
                if _names(mutation, message):
                    return Verdict(mutation, check.name, message)
                unnamed = unnamed or f"{check.name}: {message}"
    return Verdict(mutation, UNNAMED if unnamed else SURVIVED, unnamed)


def _run(check: Check, world: World) -> str:
    """A check's message; also that of an exception, which would end a fresh process."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return check.message(world)
    except Exception as error:
        return f"{'' if isinstance(error, InputError) else type(error).__name__}: {error}".lstrip(": ")


def _names(mutation: Mutation, message: str) -> bool:
    """Whether a message names the mutation: by one of its names, or by its file."""
    files = [name.partition("/")[2] for name in mutation.files]
    return any(name in message for name in (*mutation.names, *files, *(Path(name).name for name in files)))


def build(tree: Path, record: Path, again: Path, root: Path = ROOT) -> World:
    """A world in a new folder, copied from two records and a checkout. SystemExit where a check finds something."""
    for name, folder in (("record", record), ("again", again)):
        copy = tree / name[0] / folder.parent.name / folder.name
        shutil.copytree(folder, copy)
        (tree / name).symlink_to(copy)
    project = tree / "project"
    for name in ("nbs", "params", "pipeline_lib/steps", "pipeline_lib/pipelines"):
        shutil.copytree(root / name, project / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for name in ("settings.ini", "pyproject.toml"):
        shutil.copy(root / name, project / name)
    world = World(tree)
    messages = {check.name: _run(check, world) for check in CHECKS}
    problems = [*verify(world.record), *(f"{name}: {message}" for name, message in messages.items() if message)]
    if problems:
        raise SystemExit("before any mutation: expected every check green, found\n" + "\n".join(problems))
    return world


def table(verdicts: Sequence[Verdict]) -> str:
    """The numbers of mutations by kind and by the check that found them."""
    heads = [SEAL, *(check.name for check in CHECKS), UNNAMED, SURVIVED]
    shown = [head for head in heads if any(v.seen_by == head for v in verdicts)]
    kinds = dict.fromkeys(verdict.mutation.kind for verdict in verdicts)
    width = max(map(len, (*kinds, "all")))
    lines = [f"{'':<{width}}  " + "  ".join(f"{head:>9}" for head in ("mutations", *shown))]
    for kind in (*kinds, "all"):
        count = Counter(v.seen_by for v in verdicts if kind in (v.mutation.kind, "all"))
        cells = [sum(count.values()), *(count[head] for head in shown)]
        heads_cells = zip(("mutations", *shown), cells, strict=True)
        line = "  ".join(f"{cell or '·':>{max(9, len(head))}}" for head, cell in heads_cells)
        lines.append(f"{kind:<{width}}  {line}")
    return "\n".join(lines)


def describe(verdict: Verdict) -> str:
    """A verdict with its message; for a survivor, the comparison that is missing."""
    message = " ".join(verdict.message.split())[:_LONG]
    if verdict.seen_by == SURVIVED:
        message = f"{message}; " if message else ""
        message += f"no check depends on it: compare {', '.join(verdict.mutation.files)} with what made it"
    return f"{verdict.seen_by}: {verdict.mutation.kind}: {verdict.mutation.location}\n    {message}"


def summary(verdicts: Sequence[Verdict], *, listed: bool = False) -> tuple[str, int]:
    """The table, the survivors (with `listed` every mutation), and the exit code: 1 for a survivor or no mutation."""
    survivors = [verdict for verdict in verdicts if verdict.survived]
    lines = [table(verdicts), *map(describe, verdicts if listed else survivors)]
    lines.append(f"{len(survivors)} of {len(verdicts)} survive")
    return "\n".join(lines), int(bool(survivors) or not verdicts)


def run(world: World, mutations: Sequence[Mutation], checks: Sequence[Check] = CHECKS) -> list[Verdict]:
    """Judge mutations one by one."""
    here = describe_environment()  # the same for every mutation
    with patch("pipeline_lib.system.environment.describe_environment", return_value=here):
        return [judge(world, mutation, checks) for mutation in mutations]


def main() -> int:
    """Print the table and the survivors; 1 where there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the drawn mutations")
    parser.add_argument("--share", type=float, default=1.0, help="part of each kind's count")
    parser.add_argument("--only", default="", help="only kinds whose name contains this text")
    parser.add_argument("--listed", action="store_true", help="print every mutation with the message that names it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        records = [run_pipeline(ROOT / "params/houses.yml", runs=Path(folder) / name) for name in ("runs", "repeated")]
        world = build(Path(folder) / "world", records[0].folder, records[1].folder)
        mutations = [m for m in draw(world.tree, options.seed, options.share) if options.only in m.kind]
        print(f"seed {options.seed}: {len(mutations)} mutations of houses; every check is green before", flush=True)
        started = time.monotonic()
        text, code = summary(run(world, mutations), listed=options.listed)
        seconds = time.monotonic() - started
    print(f"{text}, {seconds / max(len(mutations), 1) * 1000:,.0f} ms a mutation")
    return code


if __name__ == "__main__":
    sys.exit(main())
