"""A package that holds a record's artifact: loading it, and its proof that it answers here as it did there.

record.json      which record it is, its metrics and parity, and the SHA-256 of every other file
self_test.json   generated rows, and the bits of their outputs
artifact/        what `load_model` loads
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.system.files import files_below, read_json, sha256_file

FORMAT = 1
FACTS, SELF_TEST, ARTIFACT, EVIDENCE = "record.json", "self_test.json", "artifact", "evidence.parquet"


@dataclass(frozen=True)
class InstalledPackage:
    """The folder of an installed package, and what to do where its files are damaged."""

    folder: Path
    remedy: str = "install the wheel again"

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the package says of its record. Raises InputError for a damaged or later one."""
        facts = read_json(self.folder / FACTS, self.remedy)
        if not isinstance(facts, dict) or facts.get("format") != FORMAT or not isinstance(facts.get("files"), dict):
            found = facts.get("format") if isinstance(facts, dict) else type(facts).__name__
            raise InputError(
                f"{self.folder / FACTS}: found format {found!r}, expected {FORMAT}; upgrade nb-pipeline-lib, or "
                f"{self.remedy}"
            )
        return facts

    @property
    def pipeline(self) -> str:
        """The name of the pipeline."""
        return str(self.facts["pipeline"])

    @property
    def reference(self) -> str:
        """The pipeline and the ID of its record."""
        return str(self.facts["record"])

    @property
    def artifact(self) -> Path:
        """The folder that `load_model` loads."""
        return self.folder / ARTIFACT

    def verify(self) -> None:
        """Raise DifferenceError for a file that is not as it was packaged."""
        expected: dict[str, str] = self.facts["files"]
        present = {path.relative_to(self.folder).as_posix() for path in files_below(self.folder)}
        present -= {name for name in present if "__pycache__" in name.split("/")}
        for name in sorted({*expected, *present} - {FACTS}):
            if name not in present:
                found = "no such file, expected the one that was packaged"
            elif name not in expected:
                found = "a file that was not packaged, expected none"
            elif sha256_file(self.folder / name) != expected[name]:
                found = f"other bytes than were packaged, expected sha256 {expected[name][:12]}…"
            else:
                continue
            raise DifferenceError(f"{self.folder / name}: found {found}; {self.remedy}")

    def load(self) -> CompiledPipeline:
        """The model, after every file was verified."""
        self.verify()
        return load_model(self.artifact, library=str(self.facts["library"]), trust=tuple(self.facts["trust"]))

    def self_test(self) -> int:
        """Answer the packaged rows at once and one by one, and compare every bit. Returns how many rows they are.

        Raises DifferenceError for the first output that differs.
        """
        model = self.load()
        test = read_json(self.folder / SELF_TEST, self.remedy)
        rows, context = decoded(test["rows"]), decoded(test["context"])
        kinds = tuple(test["outputs"])
        table = model.predict_table(by_table(rows, model), outputs=kinds, context=context or None)
        _compare(encoded_outputs(table), test["expected"], "all rows at once")
        if not context:
            for number, row in enumerate(rows):
                alone = encoded_outputs(model.predict_table(by_table([row], model), outputs=kinds))
                expected = {name: values[number : number + 1] for name, values in test["expected"].items()}
                _compare(alone, expected, f"row {number} alone")
        if (self.folder / EVIDENCE).is_file():
            self._check_evidence(model, kinds)
        return len(rows)

    def _check_evidence(self, model: CompiledPipeline, kinds: tuple[str, ...]) -> None:
        import pyarrow.parquet as pq

        table = pq.read_table(self.folder / EVIDENCE)
        outputs = [name for name in table.column_names if name in model.plan.outputs]
        answers = model.predict_table(table.drop_columns(outputs), outputs=kinds)
        _compare(encoded_outputs(answers), encoded_outputs(table.select(answers.column_names)), "evidence")


def installed_package(name: str) -> InstalledPackage | None:
    """The installed package of a name, None where there is none that holds a record. Nothing of it is executed."""
    if not name.isidentifier():
        return None
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.origin or not (Path(spec.origin).parent / FACTS).is_file():
        return None
    return InstalledPackage(Path(spec.origin).parent)


def encoded_outputs(table: pa.Table) -> dict[str, list[Any]]:
    """Outputs as JSON values with all their bits: floats in hexadecimal."""
    return {
        name: [value.hex() if isinstance(value, float) else value for value in table[name].to_pylist()]
        for name in table.column_names
    }


def encoded(rows: Any) -> Any:
    """Raw rows as JSON values: floats and dates marked as such."""
    if isinstance(rows, Mapping):
        return {name: encoded(value) for name, value in rows.items()}
    if isinstance(rows, list):
        return [encoded(value) for value in rows]
    if isinstance(rows, float):
        return {"": "float", "hex": rows.hex()}
    if hasattr(rows, "isoformat"):
        return {"": type(rows).__name__, "iso": rows.isoformat()}
    return rows


def decoded(value: Any) -> Any:
    """The raw rows that `encoded` wrote."""
    from datetime import date, datetime

    if isinstance(value, list):
        return [decoded(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "" not in value:
        return {name: decoded(each) for name, each in value.items()}
    if value[""] == "float":
        return float.fromhex(value["hex"])
    return (datetime if value[""] == "datetime" else date).fromisoformat(value["iso"])


def by_table(rows: list[Any], model: CompiledPipeline) -> Any:
    """Rows as the model takes them: of several tables, those of each."""
    if model.row.key is None:
        return rows
    names = [table.name for table in model.row.tables]
    return {name: [row for parts in rows for row in _listed(parts[name])] for name in names}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _compare(found: Mapping[str, list[Any]], expected: Mapping[str, list[Any]], where: str) -> None:
    for name, values in expected.items():
        for number, (ours, theirs) in enumerate(zip(found.get(name, []), values, strict=True)):
            if ours != theirs or type(ours) is not type(theirs):
                raise DifferenceError(
                    f"self-test, {where}: {name}: found {ours!r} in row {number}, expected {theirs!r} as when it was "
                    f"packaged, with NumPy {np.__version__} here; report it with the output of `pip freeze`"
                )


def run(folder: Path, arguments: list[str]) -> int:
    """The command `python -m NAME`: self-test, record, schema, predict. Returns the exit code."""
    import sys

    package = InstalledPackage(folder)
    commands = {"self-test": _self_test, "record": _record, "schema": _schema, "predict": _predict}
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.stderr.write(f"usage: python -m {folder.name} {'|'.join(commands)}\n")
        return 2
    try:
        sys.stdout.write(commands[arguments[0]](package))
    except (DifferenceError, InputError) as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


def _self_test(package: InstalledPackage) -> str:
    return f"{package.reference}: {package.self_test()} rows give the bits that they gave when it was packaged\n"


def _record(package: InstalledPackage) -> str:
    return json.dumps({name: value for name, value in package.facts.items() if name != "files"}, indent=2) + "\n"


def _schema(package: InstalledPackage) -> str:
    return json.dumps(package.load().row.to_json(), indent=2) + "\n"


def _predict(package: InstalledPackage) -> str:
    """Rows on standard input as JSON lines, a prediction a line."""
    import sys

    from pipeline_lib.scoring.json_rows import parse_json
    from pipeline_lib.scoring.json_values import is_text, parse_texts

    model = package.load()
    texts = [column for column in model.row.columns if is_text(column)]
    lines = []
    for number, line in enumerate(sys.stdin, 1):
        try:
            row = parse_json(line)
            parse_texts([row], texts)
            lines.append(json.dumps(model.predict_row(row)))
        except (InputError, ValueError) as error:
            raise InputError(f"line {number}: {error}") from error
    return "".join(f"{line}\n" for line in lines)
