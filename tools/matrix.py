"""What `tox` runs in an environment: make a record, repeat records, run the core tests.

    record FOLDER      make a project, run its pipeline, put the record into FOLDER
    repeat FOLDER...   repeat every record below the folders, bit for bit, in this environment
    core               the tests that the core requirements suffice for
    crossed WORK FOLDER...   `repeat` in every environment below tox's work folder: an environment that ran early has
                       not seen the records that later ones made

It needs nothing but the installed package, since a core environment has nothing else; `crossed` needs not even that.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_RUNS = "from pipeline_lib.compiled.native import core; print('plans are carried out by', core.name())"
_PARITY = (sys.executable, "-P", "-m", "pipeline_lib", "parity")


def record(folder: Path) -> None:
    """Make a project, run its first pipeline, and keep the record below `folder` in place of an earlier one."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        _call(place, sys.executable, "-P", "-m", "pipeline_lib", "init", "prices")
        root = place / "prices"
        _call(root, sys.executable, "-m", "pipeline_lib", "run", "params/deliveries.yml", "--no-parity", path=root)
        shutil.rmtree(folder, ignore_errors=True)
        runs = root / "runs" / "deliveries"
        shutil.copytree(runs, folder / "deliveries", ignore=shutil.ignore_patterns(".*"))


def repeat(folders: list[Path]) -> None:
    """Check the parity of every record below the folders; exit with 1 where one differs or none was repeated."""
    repeated, left = [], []
    for manifest in sorted(path for folder in folders for path in folder.rglob("manifest.json")):
        kept = manifest.parent
        if _is_opaque(kept) and find_spec("sklearn") is None:
            left.append(kept)
            continue
        with tempfile.TemporaryDirectory() as name:  # results of checks are written beside the record
            copy = Path(name) / kept.parent.name / kept.name
            shutil.copytree(kept, copy)
            _call(Path(name), *_PARITY, str(copy), "--quick")
        repeated.append(kept)
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"Python {version}: {len(repeated)} records repeated bit for bit, of {len(repeated) + len(left)}")
    for kept in left:
        print(f"not repeated, since its steps need scikit-learn: {kept}")
    if not repeated:
        sys.exit("found no record to repeat, expected one; `tox -e py311-full` makes it")


def crossed(work: Path, folders: list[Path]) -> None:
    """Repeat every record below the folders in every environment of tox; exit with 1 where one of them fails."""
    environments = sorted(python.parents[1] for python in work.glob("py*/bin/python"))
    if not environments:
        sys.exit(f"found no environment in {work}, expected one; `tox -e py311-full` makes it")
    failed = []
    for environment in environments:
        print(f"--- {environment.name}", flush=True)
        command = [str(environment / "bin" / "python"), "-P", __file__, "repeat", *map(str, folders)]
        if subprocess.run(command, env=_variables(None), check=False).returncode:  # noqa: S603 (own command)
            failed.append(environment.name)
    print(f"{len(environments) - len(failed)} of {len(environments)} environments repeated every record they can load")
    if failed:
        sys.exit(f"not repeated in {', '.join(failed)}")


def core() -> None:
    """The files whose tests are marked as core, by pytest in an empty folder."""
    files = [path for path in sorted((ROOT / "tests").rglob("*.py")) if "mark.core" in path.read_text(encoding="utf-8")]
    with tempfile.TemporaryDirectory() as name:
        options = ["-q", f"--rootdir={ROOT}", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider"]
        _call(Path(name), sys.executable, "-m", "pytest", *options, "-m", "core", *map(str, files))


def _is_opaque(kept: Path) -> bool:
    """Whether the artifact has steps that run through their own library."""
    return bool(json.loads((kept / "artifact" / "artifact.json").read_bytes())["opaque"])


def _call(folder: Path, *command: str, path: Path | None = None) -> None:
    """Run a command in a folder; packages are found in `path` too. Exits where the command fails."""
    done = subprocess.run(command, cwd=folder, env=_variables(path), check=False)  # noqa: S603 (own command)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}")


def _variables(path: Path | None) -> dict[str, str]:
    """The environment variables of a call; PYTHONPATH is `path` alone."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return kept | ({"PYTHONPATH": str(path)} if path else {})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["record", folder]:
            record(Path(folder))
        case ["repeat", *folders] if folders:
            _call(ROOT, sys.executable, "-P", "-c", _RUNS)
            repeat([Path(folder) for folder in folders])
        case ["crossed", work, *folders] if folders:
            crossed(Path(work), [Path(folder) for folder in folders])
        case ["core"]:
            core()
        case _:
            sys.exit(__doc__)
