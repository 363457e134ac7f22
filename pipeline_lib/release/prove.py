"""A built wheel proven: installed into a clean environment, where the self-test and the record's evidence repeat."""

import os
import subprocess
import sys
from pathlib import Path

from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.parity.clean_environments import clean
from pipeline_lib.parity.process_settings import AbsentError, Preparation, Setting
from pipeline_lib.records.layout import ENVIRONMENT
from pipeline_lib.records.record import Record
from pipeline_lib.system.locks import locked_temporary_folder

_EVIDENCE = """
import sys
from pathlib import Path
import pyarrow.parquet as pq
from NAME import load
from pipeline_lib.scoring.installed import encoded_outputs
folder, model = Path(sys.argv[1]), load()
rows, expected = pq.read_table(folder / "inputs.parquet"), pq.read_table(folder / "outputs.parquet")
context = pq.read_table(folder / "context.parquet") if (folder / "context.parquet").is_file() else None
found = model.evaluate(rows, context=context).outputs
assert encoded_outputs(found.select(expected.column_names)) == encoded_outputs(expected), "the evidence differs"
print(rows.num_rows)
"""


def prove(wheel: Path, name: str, record: Record, *, library: str, opaque: bool, needs: tuple[str, ...]) -> int:
    """Install a wheel where nothing else is but what it needs; self-test, then the evidence, bit for bit.

    Returns the number of evidence rows. Raises InputError where no environment can be made, DifferenceError where an
    answer is another.
    """
    packages = (record.read_json(ENVIRONMENT) or {}).get("packages", {})
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with locked_temporary_folder("package") as folder:
        preparation = Preparation(folder, ("opaque",) if opaque else (), library, packages, (), needs)
        try:
            setting = clean(version)(preparation)
        except AbsentError as error:
            raise InputError(f"{error}, expected a clean environment to prove the package in") from error
        python = _python(setting)
        _install(python, wheel)
        _run([python, "-m", name, "self-test"], folder, "self-test")
        return int(_run([python, "-c", _EVIDENCE.replace("NAME", name), str(record.evidence)], folder, "evidence"))


def _python(setting: Setting) -> str:
    if not setting.python:
        raise AssertionError("a clean environment has a Python of its own")
    return setting.python


def _install(python: str, wheel: Path) -> None:
    from pipeline_lib.parity.clean_environments import find_uv

    command = [find_uv(), "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, str(wheel)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (own command)
    if result.returncode:
        raise InputError(f"{wheel.name}: found a wheel that does not install ({result.stderr.strip()[-300:]})")


def _run(command: list[str], folder: Path, what: str) -> str:
    """Run in an empty folder without this process's Python path. Raises DifferenceError where it fails."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=variables)  # noqa: S603
    if result.returncode:
        raise DifferenceError(f"{what} in a clean environment: {result.stderr.strip()[-1000:]}")
    return result.stdout.strip()
