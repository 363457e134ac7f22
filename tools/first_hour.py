"""The first hour of a new user, timed: from the built wheel to a proven record, and a colleague's clone.

The framework is installed from its wheel into a clean environment, `init` makes a project, and from there on each
command is one that the output of the command before it named: the script looks for it there. It fails where a command
fails, where it is not named, where an output is not as expected, and above ten minutes of machine time in total: the
time of all processors, as the clock also counts what else the machine does.

    python -m tools.first_hour                 the whole hour
    python -m tools.first_hour --keep FOLDER   in an empty folder that stays
"""

import argparse
import csv
import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from tools.site.walk import WalkError, walk

ROOT = Path(__file__).resolve().parents[1]
LIMIT_SECONDS = 600.0
LIBRARY = "credit_lab"
_SOURCES = ("pipeline_lib", "setup.py", "settings.ini", "pyproject.toml", "README.md")


class HourError(Exception):
    """A step that did not go as a new user expects."""


@dataclass
class Hour:
    """The steps so far: their total times, the output of the last one, and the last one that said `next:`."""

    folder: Path
    variables: dict[str, str]
    output: str = ""
    offers: str = ""
    clock: float = 0.0
    machine: float = 0.0

    def run(self, title: str, command: str, *expected: str, named: str | None = "", code: int = 0) -> str:
        """Run a shell command in the folder; its output, which must hold the `expected` texts.

        `named` is what the last output, or the last that said `next:`, must hold: by default the command itself; None
        where a person decides alone. `code` is the exit code that it must have. Raises HourError.
        """
        wanted = command if named == "" else named
        if wanted is not None and wanted not in self.output + self.offers:
            raise HourError(f"{title}: found no {wanted!r} in the output before it, expected the next command there")
        started, used = time.perf_counter(), processor_seconds()
        ended = self.call(command)
        self.note(title, time.perf_counter() - started, processor_seconds() - used)
        self.output = ended.stdout + ended.stderr
        self.offers = self.output if "next:" in self.output else self.offers
        if ended.returncode != code:
            raise HourError(f"{title}: `{command}` ended with {ended.returncode}\n{self.output[-3000:]}")
        for text in expected:
            if text not in self.output:
                raise HourError(f"{title}: found no {text!r} in the output, expected it\n{self.output[-3000:]}")
        return self.output

    def has(self, command: str, option: str = "") -> bool:
        """Whether pipeline-lib has a command, and this option of it."""
        ended = self.call(f"pipeline-lib {command} --help")
        return ended.returncode == 0 and option in ended.stdout

    def call(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Run a shell command in the folder, whatever comes of it."""
        return subprocess.run(  # noqa: S602 (our own words)
            command, shell=True, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False
        )

    def note(self, title: str, clock: float, machine: float) -> None:
        """Print and add the times of a step, in seconds."""
        self.clock, self.machine = self.clock + clock, self.machine + machine
        sys.stdout.write(f"{clock:7.1f} s  {machine:7.1f} s  {title}\n")
        sys.stdout.flush()


def processor_seconds() -> float:
    """The processor time of all commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def build_wheel(target: Path) -> Path:
    """Build this checkout's wheel from a copy, since building writes into the folder."""
    with tempfile.TemporaryDirectory() as folder:
        for name in _SOURCES:
            source, copy = ROOT / name, Path(folder) / name
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)
        uv = str(Path(sys.executable).with_name("uv"))
        words = ["build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
        subprocess.run([uv, *words, "--out-dir", str(target), folder], check=True)  # noqa: S603
    return next(target.glob("*.whl"))


def environment(folder: Path, wheels: Path) -> dict[str, str]:
    """The variables of a new user: nothing of this environment, and the wheel beside the package index."""
    left_out = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    variables = {name: value for name, value in os.environ.items() if name not in left_out}
    here = str(Path(sys.executable).parent)
    path = [part for part in variables["PATH"].split(os.pathsep) if part != here]
    identity = {"NAME": "Ann", "EMAIL": "ann@example.org"}
    return {
        **variables,
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in identity.items()},
        "PATH": os.pathsep.join([str(folder / "clean" / "bin"), *path]),
        "PIP_FIND_LINKS": " ".join([str(wheels), *variables.get("PIP_FIND_LINKS", "").split()]),
    }


def begin(hour: Hour, wheel: Path) -> None:
    """Install the framework, make a project, run its pipeline."""
    hour.run("clean environment", f"'{sys.executable}' -m venv clean && clean/bin/pip install -q '{wheel}'", named=None)
    hour.run("init", "pipeline-lib init credit-lab", f"package {LIBRARY}", "next: cd credit-lab", named=None)
    chain = next(line for line in hour.output.splitlines() if line.startswith("next: ")).removeprefix("next: ")
    hour.run("first run, with the environment", chain, "parity: exact", "next: ")
    hour.folder = hour.folder / "credit-lab"
    activate(hour)


def activate(hour: Hour) -> None:
    """Put the project's own commands on PATH, as `source .venv/bin/activate` does."""
    first, *rest = hour.variables["PATH"].split(os.pathsep)
    kept = [] if first.endswith(("clean/bin", ".venv/bin")) else [first]
    hour.variables["PATH"] = os.pathsep.join([str(hour.folder / ".venv" / "bin"), *kept, *rest])


def first_hour(hour: Hour) -> None:
    """Parity, predictions, a changed step, tests, a commit."""
    hour.run("parity", "make parity", "parity: exact")
    before = hour.run("predict", "make predict")
    if len(numbers(before)) != 3:
        raise HourError(f"predict: found {before!r}, expected three numbers")
    change_step(hour.folder)
    hour.run("export a changed step", "make export", f"updated {LIBRARY}/steps/rush_hour.py")
    hour.run("run again", "make run", "parity: exact")
    after = hour.run("predict again", "make predict")
    if len(numbers(after)) != 3 or numbers(after) == numbers(before):
        raise HourError(f"predict again: found {after!r} after {before!r}, expected other numbers")
    hour.run("run what has not changed", "make run", "nothing changed since", named=None)
    hour.run("test", "make test", "5 passed")
    hour.run("check", "make check", "the library is what the notebooks export")
    hour.run("commit", "git add -A && git commit -m 'What changed'")


def new_requirement(hour: Hour) -> None:
    """A package that the project did not need before."""
    settings = hour.folder / "settings.ini"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("\nresearch =\n", "\nresearch =\n    humanize>=4\n"), encoding="utf-8")
    hour.run("a requirement that is not locked", "make setup", "run make lock", named=None, code=2)
    hour.run("lock", "make lock", named="make lock")
    hour.run("environment from the lock", "make setup", "ready:", named=None)
    hour.run("commit the lock", "git add -A && git commit -m 'What changed'", named=None)


def own_data(hour: Hour) -> None:
    """Pipelines of one's own data, a CSV file and a database, where this version can draft them."""
    if not hour.has("new", "--data"):
        return
    offered = "pipeline-lib new NAME --data"
    write_loans(hour.folder / "data" / "loans.csv")
    draft(hour, "lenders", "--data data/loans.csv", offered)
    if hour.has("new", "--sql"):
        with closing(sqlite3.connect(hour.folder / "data" / "loans.sqlite")) as database:
            copy_loans(hour.folder / "data" / "loans.csv", database)
        draft(hour, "lending", "--sql 'data/loans.sqlite:select * from loans order by number'", None)
    hour.run("test own data", "make test", "passed", named=None)
    hour.run("check own data", "make check")
    hour.run("commit own data", "git add -A && git commit -m 'What changed'")


def draft(hour: Hour, name: str, source: str, offered: str | None) -> None:
    """Draft a pipeline from a source and run it."""
    run = f"pipeline-lib run params/{name}.yml"
    command = f"pipeline-lib new {name} {source} --target default"
    hour.run(f"new {source.partition(' ')[0]}", command, f"next: {run}", named=offered)
    hour.run(f"run {name}", run, "parity: exact")


def colleagues(hour: Hour) -> None:
    """A champion in a shared store, and a second clone that has no records and repeats it."""
    if not hour.has("promote"):
        return
    full, promote = "pipeline-lib parity deliveries --full", "pipeline-lib promote deliveries --reason 'First'"
    offered = "pipeline-lib promote NAME --reason"
    hour.run("promote without a store", promote, "store = ", named=offered, code=2)
    (hour.folder.parent / "store").mkdir()
    settings = hour.folder / "settings.ini"
    store = f"runs_path = runs\nstore = {hour.folder.parent / 'store'}"
    settings.write_text(settings.read_text(encoding="utf-8").replace("runs_path = runs", store), encoding="utf-8")
    hour.run("promote what is in no commit", promote, "commit or ignore them", "--force", named=offered, code=2)
    forced = "pipeline-lib run params/deliveries.yml --force"
    hour.run("commit the store", "git commit -am 'Records are shared'", named="commit")
    hour.run("run of a commit", forced, "parity: exact", named=None)
    hour.run("parity --full", full, "install: clean environment", named=None)
    promoted = hour.run("promote", promote, "deliveries@champion is", named=None)
    commit = next(line for line in promoted.splitlines() if "git add champions/" in line)
    hour.run("commit the pointer", commit[commit.index("git add champions/") :])
    there = hour.folder.parent / "clone"
    hour.run("a colleague's clone", f"git clone -q . '{there}'", named=None)
    hour.folder = there
    activate(hour)
    hour.run("environment of the clone", "make setup", named=None)
    hour.run("the champion in the clone", "make champions", "parity: exact", named=None)


def from_csv(hour: Hour) -> None:
    """The page docs/from-csv.md, command by command, as a reader goes through it."""
    started, used = time.perf_counter(), processor_seconds()
    try:
        count = walk(ROOT / "docs" / "from-csv.md", hour.folder, hour.variables)
    except WalkError as error:
        raise HourError(f"docs/from-csv.md: {error}") from error
    hour.note(f"docs/from-csv.md, {count} commands", time.perf_counter() - started, processor_seconds() - used)


def change_step(project: Path) -> None:
    """Extend the evening peak by an hour, in the notebook's exported cell and in its assertion."""
    path = project / "nbs" / "steps" / "00_rush_hour.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        source = "".join(cell["source"]).replace("(16, 18)", "(16, 20)").replace("1.0, 1.0, 0.0]", "1.0, 1.0, 1.0]")
        cell["source"] = source.splitlines(keepends=True)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_loans(path: Path) -> None:
    """Three hundred invented loans."""
    draw = random.Random(0)  # noqa: S311 (invented data)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["amount", "income", "purpose", "opened", "default"])
        for _ in range(300):
            amount, income = draw.randrange(1000, 40000), draw.randrange(15000, 90000)
            late = draw.random() < 0.1 + 0.5 * (amount / income > 0.6)
            opened = f"2024-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}"
            purpose = draw.choice(["car", "home", "study"])
            rows.writerow([amount, "" if draw.random() < 0.05 else income, purpose, opened, "yes" if late else "no"])


def copy_loans(path: Path, database: sqlite3.Connection) -> None:
    """The rows of the CSV file as a table, numbered in their order; missing where the file has nothing."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [[number, *row] for number, row in enumerate(csv.reader(file)) if number]
    columns = 'number integer, amount integer, income integer, purpose text, opened text, "default" text'
    with database:
        database.execute(f"create table loans ({columns})")
        database.executemany(
            "insert into loans values (?, ?, ?, ?, ?, ?)",
            [[value if value != "" else None for value in row] for row in rows],
        )


def numbers(output: str) -> list[float]:
    """The lines of an output that are numbers."""
    found = []
    for line in output.splitlines():
        try:
            found.append(float(line))
        except ValueError:
            continue
    return found


def main(arguments: list[str] | None = None) -> int:
    """Go through the hour; 0 where every step went as expected, within the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="An empty folder to work in, which stays.")
    options = parser.parse_args(arguments)
    place: AbstractContextManager[str] = tempfile.TemporaryDirectory() if options.keep is None else nullcontext("")
    with place as temporary:
        folder = (options.keep or Path(temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        wheel = build_wheel(folder / "wheels")
        hour = Hour(folder, environment(folder, folder / "wheels"))
        sys.stdout.write("    clock    machine  step\n")
        try:
            begin(hour, wheel)
            first_hour(hour)
            new_requirement(hour)
            own_data(hour)
            colleagues(hour)
            from_csv(hour)
        except HourError as error:
            sys.stderr.write(f"error: {error}\n")
            return 1
    sys.stdout.write(f"{hour.clock:7.1f} s  {hour.machine:7.1f} s  in total\n")
    if hour.machine > LIMIT_SECONDS:
        sys.stderr.write(f"error: found {hour.machine:.0f} s of machine time, expected at most {LIMIT_SECONDS:.0f}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
