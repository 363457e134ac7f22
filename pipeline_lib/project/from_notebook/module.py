"""The pipeline notebook: raw data, parameters, split, unfitted pipeline and metrics, from the original's statements."""

import ast
import itertools
import json
import re
from collections.abc import Iterable

from pipeline_lib.errors import InputError
from pipeline_lib.project.from_notebook.build_source import body, build_source, callable_source
from pipeline_lib.project.from_notebook.edits import Edit, edited, edited_node, path_edits
from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.imports import import_lines, used_names
from pipeline_lib.project.from_notebook.metrics_source import metrics_source
from pipeline_lib.project.from_notebook.parameters import SPLIT, Parameters
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.project.from_notebook.seeds import SEED, seed_edits

_WIDTH = 120
_SPLIT_LINE = (
    "def split(frame: pd.DataFrame, params: Params) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]:"
)
SPLIT_NAMES = ("X_train", "X_test", "y_train", "y_test")
PROSE = "markdown"
CODE = "code"
NewCell = tuple[str, str, str, tuple[str, ...]]
"""Kind, id, source and tags of a cell of a new notebook."""


class ModuleDraft:
    """Writes the cells of `nbs/pipelines/NAME.ipynb`."""

    def __init__(self, plan: Plan, facts: Facts, parameters: Parameters, name: str, shown: str) -> None:
        self.plan, self.facts, self.parameters = plan, facts, parameters
        self.name, self.shown, self.argument = name, shown, parameters.argument
        split = plan.roles.split
        self.split_names = split.names if split and not split.of_tables else SPLIT_NAMES

    def cells(self) -> list[NewCell]:
        """All cells in order."""
        definitions = self._definitions()
        exported = [
            *definitions,
            ("row", self._row()),
            ("load", self._load()),
            ("params", self.parameters.model_source()),
            ("split", self._split()),
            ("build", build_source(self.plan, self.facts, self.parameters)),
            ("metrics", metrics_source(self.plan, self.facts)),
        ]
        checks = {
            "load": "frame = load()\nframe.head(3)",
            "split": f"{self.argument} = {self.parameters.call_source()}\n"
            f"{', '.join(self.split_names)} = split(frame, {self.argument})\n"
            f"len({self.split_names[0]}), len({self.split_names[1]})",
            "build": f"fitted = build({self.argument}).fit({self.split_names[0]}, {self.split_names[2]})\nfitted",
            "metrics": self._metrics_check(),
        }
        result: list[NewCell] = [
            (PROSE, "title", self._title(), ()),
            (CODE, "module", f"#| default_exp pipelines.{self.name}", ()),
            (CODE, "imports", "#| export\n" + "\n".join(self._imports([text for _, text in exported])), ()),
        ]
        for cell_id, text in exported:
            result.append((CODE, cell_id, f"#| export\n{text}", ()))
            if cell_id in checks:
                result.append((CODE, f"{cell_id}-check", checks[cell_id], ()))
        return result

    def _title(self) -> str:
        return (
            f"# {self.name}: the pipeline of {self.shown}\n\n"
            f"Written by `pipeline-lib new {self.name} --from`. Comments name the cells of the original. What is left "
            f"to decide is listed in `{self.name}.from-notebook.md`, beside the research notebook."
        )

    def _imports(self, sources: Iterable[str]) -> list[str]:
        texts = list(sources)
        used = used_names(texts)
        added = ["import pandas as pd", "from sklearn.pipeline import Pipeline", "from pipeline_lib import BaseParams"]
        added += ["import numpy as np", "from numpy.typing import ArrayLike"]
        added += [f"from sklearn.metrics import {name}" for name in sorted(self._score_functions() & used)]
        added += ["from pipeline_lib import data_path"] if "data_path" in used else []
        added += ["from sklearn.preprocessing import FunctionTransformer"] if "FunctionTransformer" in used else []
        wrapper = "SklearnTransformerWrapper"
        added += [f"from feature_engine.wrappers import {wrapper}"] if wrapper in used else []
        if self.plan.roles.split is None:
            added.append("from sklearn.model_selection import train_test_split")
        statements = [self.plan.statements[index] for index in sorted(self.plan.imports)]
        return import_lines(statements, used - {"metrics", "load", "split", "build"}, added)

    def _score_functions(self) -> set[str]:
        names = {"accuracy_score", "r2_score", "root_mean_squared_error"}
        for score in self.plan.scores:
            names |= set(re.findall(r"\w+", score.expression))
        known = {full.rpartition(".")[2] for full in self.plan.roles.imports.full.values() if "sklearn" in full}
        from_metrics = {name for name in names if name.endswith(("_score", "_error", "_loss", "_coef", "_coefficient"))}
        return from_metrics | (names & known & from_metrics)

    def _definitions(self) -> list[tuple[str, str]]:
        """Constants, functions and classes that the moved code uses, one cell for each of the original."""
        by_cell: dict[int, list[str]] = {}
        for index in sorted(self.plan.module):
            if index not in self.parameters.constants.values():
                by_cell.setdefault(self.plan.cell_of(index), []).append(self._text(index, self._edits(index)))
        return [
            (f"original-{number}", f"# cell {number} of the original\n{_joined(texts)}")
            for number, texts in by_cell.items()
        ]

    def _row(self) -> str:
        target = json.dumps(self.facts.target_name, ensure_ascii=False)
        row = self.facts.row.rstrip()
        if "Field(" not in row:
            row = row.replace("import BaseModel, Field", "import BaseModel").replace(
                "import Field, create", "import create"
            )
        row = _typed(row)
        own = self.plan.constants.get("TARGET")
        if own is not None and own in self.plan.module:
            node = self.plan.statements[own].node
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            if not isinstance(value, ast.Constant) or value.value != self.facts.target_name:
                raise InputError(
                    f"{self.shown}: cell {self.plan.cell_of(own)}: found TARGET with another value than the target's "
                    f"name {self.facts.target_name!r}, expected that name; rename the constant in the notebook"
                )
            return row
        head, mark, rest = row.partition("\n\n\n")
        return f"{head}\n\nTARGET = {target}\n\n\n{rest}" if mark else f"{row}\n\nTARGET = {target}"

    def _load(self) -> str:
        sources = json.dumps(sorted(self.facts.files.values()), ensure_ascii=False)
        lines = [f"SOURCES: list[str] = {sources}" if sources == "[]" else f"SOURCES = {sources}", "", ""]
        lines += ["def load() -> pd.DataFrame:", '    """The rows before the split, with the target."""']
        lines += body(self.plan, sorted(self.plan.load), self._edits)
        return "\n".join([*lines, *self._packed()])

    def _packed(self) -> list[str]:
        """The last lines of `load`: the table and the target as one DataFrame."""
        rows, (target_node, at) = self.plan.model.chain.source, self.plan.target
        table = self._expression(rows, self.plan.model.chain.at)
        target = self._expression(target_node, at)
        forms = {"frame": f"{target}.iloc[:, 0]", "column": f"{target}.ravel()"}
        target = forms.get(self.facts.target_form, target)
        if self.facts.target_form in ("series", "frame") and not (self.facts.is_frame and self.facts.same_index):
            target = f"{target}.to_numpy()"
        names = self.facts.names_of or f'[f"x{{number}}" for number in range({len(self.facts.columns)})]'
        if not self.facts.is_frame:
            lines = [f"    table = pd.DataFrame({table}, columns={names})"]
        elif not self.facts.named:
            lines = [f"    table = {callable_source(table)}.set_axis({names}, axis=1)"]
        else:
            lines = []
        table = "table" if lines else callable_source(table)
        if self.facts.casts:
            casts = ", ".join(
                f"{json.dumps(c, ensure_ascii=False)}: {json.dumps(d)}" for c, d in self.facts.casts.items()
            )
            lines += ["    # the dtypes that production delivers", f"    table = {table}.astype({{{casts}}})"]
            table = "table"
        return [*lines, f"    return {table}.assign(**{{TARGET: {target}}})"]

    def _split(self) -> str:
        names = ", ".join(self.split_names)
        lines = [
            _SPLIT_LINE.replace("params", self.argument),
            f'    """{names}: rows without the target, and the target."""',
            "    X, y = frame.drop(columns=TARGET), frame[TARGET]",
        ]
        split = self.plan.roles.split
        if split is None:
            given = [f"{name}={self.argument}.{SPLIT}.{name}" for name in ("test_size", "random_state")]
            call = f"train_test_split({', '.join(['X', 'y', *given])})"
            lines.append("    # the original fits on all rows: this split is new")
        else:
            edits = {id(node): text for node, text in self.parameters.edits.get(split.statement, [])}
            added = SPLIT in self.parameters.added_seeds
            given = [
                f"{keyword.arg}={self._split_value(keyword.value, edits)}" if keyword.arg else ast.unparse(keyword)
                for keyword in split.call.keywords
                if not (added and keyword.arg == SEED)
            ]
            if added:
                given.append(f"random_state={self.argument}.{SPLIT}.random_state")
            call = f"{ast.unparse(split.call.func)}({', '.join(['X', 'y', *given])})"
            lines.append(f"    # cell {self.plan.cell_of(split.statement)}")
        lines += [_wrapped(f"    {names} = {call}"), f"    return {names}"]
        return "\n".join(lines)

    def _split_value(self, value: ast.expr, edits: dict[int, str]) -> str:
        if id(value) in edits:
            return edits[id(value)]
        if ast.unparse(value) == ast.unparse(self.plan.target[0]):
            return "y"
        names = {part.id for part in ast.walk(value) if isinstance(part, ast.Name)}
        general = {*self.plan.roles.imports.full, *self.plan.constants}
        return ast.unparse(value) if names <= general else "y"

    def _metrics_check(self) -> str:
        test, target = self.split_names[1], self.split_names[3]
        chances = f", fitted.predict_proba({test})" if any(score.probabilities for score in self.plan.scores) else ""
        return f"metrics({target}, fitted.predict({test}), {self.argument}{chances})"

    def _text(self, index: int, edits: list[Edit]) -> str:
        return edited(self.plan.statements[index], edits)

    def _edits(self, index: int) -> list[Edit]:
        """Files of the project, and seeds for draws that have none."""
        return path_edits(self.plan.statements[index].node, self.facts.files) + seed_edits(self.plan, index)

    def _expression(self, node: ast.expr, at: int) -> str:
        return edited_node(node, path_edits(node, self.facts.files))


def _joined(texts: list[str]) -> str:
    """Statements of one cell: definitions apart from the others."""
    result = texts[0]
    for before, text in itertools.pairwise(texts):
        apart = any(part.lstrip().startswith(("def ", "class ", "@", "async ")) for part in (before, text))
        result += ("\n\n\n" if apart else "\n") + text
    return result


def _typed(row: str) -> str:
    """The source of `Row` with a name for the fields of numbered columns, whose type the checker cannot follow."""
    head, mark, fields = row.partition('Row = create_model("Row", **')
    if not mark:
        return row
    named = f'ROW_FIELDS: dict[str, Any] = {fields.rstrip()[:-1]}\nRow = create_model("Row", **ROW_FIELDS)'
    return f"from typing import Any\n\n{head}{named}"


def _wrapped(line: str) -> str:
    """A line of a call, over several lines where it is long."""
    if len(line) <= _WIDTH:
        return line
    head, _, rest = line.partition("(")
    indent = " " * (len(line) - len(line.lstrip()))
    return f"{head}(\n{indent}    {rest[:-1]}\n{indent})"
