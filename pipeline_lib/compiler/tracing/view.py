"""What was recorded of own code, line by line, and what production computes for a row: `pipeline_lib.trace`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import FunctionType
from typing import Any

import numpy as np

import pipeline_lib.compiler.adapters.catalog  # noqa: F401  registers the adapters of fitted objects
from pipeline_lib.compiled.operations.registry import lower
from pipeline_lib.compiled.plan import Node
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.error_bounds import BoundedEvaluation
from pipeline_lib.compiler.library_input import library_column
from pipeline_lib.compiler.python_names import method_name, parameter_name
from pipeline_lib.compiler.tracing.shadows import sample
from pipeline_lib.compiler.tracing.trace import Trace
from pipeline_lib.compiler.tracing.traces import Traces
from pipeline_lib.errors import InputError

_REFUSED = "rows for which the code raises an error are refused"
_NOT_SHOWN = ("constant", "input", "allow_ulps")
_LONGEST = 48  # characters of a setting
_DTYPES = {"f": "float64", "i": "int64", "u": "int64", "b": "bool", "M": "datetime", "m": "duration"}


@dataclass(frozen=True)
class Operation:
    """One operation of a trace as text, with its value in the row that is shown."""

    number: int
    text: str
    value: str


@dataclass(frozen=True)
class TraceView:
    """A recorded step: `lines` are its lines of code with the operations that each wrote; `returned` its output."""

    title: str
    lines: Sequence[tuple[str, Sequence[Operation]]]
    returned: Mapping[str, tuple[str, str]]

    def __repr__(self) -> str:
        parts = [self.title]
        for code, operations in self.lines:
            parts.append(f"\n{code}")
            parts += [f"    %{each.number} = {each.text}    -> {each.value}" for each in operations]
        parts.append("\nreturns")
        parts += [f"    {name} = {text}    -> {value}" for name, (text, value) in self.returned.items()]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        rows = []
        for code, operations in self.lines:
            rows.append(f'<tr><td colspan="3" style="text-align:left"><code><b>{escape(code)}</b></code></td></tr>')
            rows += [_html_row(f"%{each.number}", each.text, each.value) for each in operations]
        rows.append('<tr><td colspan="3" style="text-align:left"><b>returns</b></td></tr>')
        rows += [_html_row(name, text, value) for name, (text, value) in self.returned.items()]
        return (
            f"<p>{escape(self.title)}</p><table><thead><tr><th></th><th>operation in production</th>"
            f"<th>first row</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )


def _html_row(*cells: str) -> str:
    inner = "".join(f'<td style="text-align:left"><code>{escape(cell)}</code></td>' for cell in cells)
    return f"<tr>{inner}</tr>"


def trace(step: Any, X: Any, method: str = "transform") -> TraceView:
    """Record a fitted step's own code on `X`, a DataFrame or array of training rows; shows what was recorded.

    Each line of code is followed by the operations that production runs for it, with their values in the first row of
    `X`. `step` may also be a function of a DataFrame. Raises InputError for code that cannot be recorded; the message
    names the line, the reason, and what to write instead.

    >>> import pandas as pd
    >>> from pipeline_lib import trace
    >>> from pipeline_lib.steps.years import ElapsedYears
    >>> frame = pd.DataFrame({"built": [1990.0, 2001.0], "sold": [2010.0, 2000.0]})
    >>> view = trace(ElapsedYears(["built"], reference="sold").fit(frame), frame)
    >>> view.returned["built"]
    ('%7', '20.0')
    """
    if isinstance(step, FunctionType):
        from sklearn.preprocessing import FunctionTransformer

        step = FunctionTransformer(step)
    if not hasattr(X, "shape") or X.ndim != 2 or not X.shape[0]:
        raise InputError(
            f"trace: found {type(X).__name__}, expected a DataFrame or array with rows; pass what the step receives"
        )
    traces, columns = Traces(), _columns(X)
    if not traces.takes(step, method):
        raise InputError(
            f"trace: found {type(step).__name__}.{method}, which is no own code, expected a class of a notebook, a "
            "module or a team's package; pass the own step inside it, such as fitted.named_transformers_['name'], and "
            "its columns of X"
        )
    getattr(step, method)(X.copy())  # a step that is not fitted says so
    traces.note(step, method, X)
    recorded = traces.trace(step, method, columns)
    traces.repeats.compare()
    return _view(f"{type(step).__name__}.{method}", recorded, X, columns)


def _columns(X: Any) -> dict[str, Value]:
    build = Builder()
    names = map(str, X.columns) if hasattr(X, "columns") else (f"x{index}" for index in range(X.shape[1]))
    dtypes = list(X.dtypes) if hasattr(X, "dtypes") else [X.dtype] * X.shape[1]
    return {
        name: build.input(name, _DTYPES.get(getattr(dtype, "kind", "O"), "str"))
        for name, dtype in zip(names, dtypes, strict=True)
    }


def _view(where: str, recorded: Trace, X: Any, columns: Mapping[str, Value]) -> TraceView:
    row = sample(X)[:1]
    inputs = {
        name: library_column(row, index, value.dtype, value.width)
        for index, (name, value) in enumerate(columns.items())
    }
    nodes, evaluation = list(recorded.nodes), BoundedEvaluation(list(recorded.nodes), inputs, 1)

    def value(number: int) -> str:
        try:
            return _shown(_lowered(evaluation.column(number)[0]), nodes[number].dtype)
        except InputError as error:
            return f"refused: {error}"

    lines: dict[str, list[Operation]] = {}
    for line in recorded.lines:
        code = line.line.in_function if line.line else "rows for which the code raises an error are refused"
        numbers = [each for each in range(line.first, line.end) if nodes[each].operation not in _NOT_SHOWN]
        if line.line and line.line.checks_rule and not numbers:  # RuleModel takes its columns
            continue
        operations = lines.setdefault(code, [])
        known = {each.number for each in operations}
        operations += [Operation(each, _text(nodes, each), value(each)) for each in numbers if each not in known]
    returned = {name: (_name(nodes, number), value(number)) for name, number in recorded.outputs.items()}
    title = f"{where}: {len(columns)} columns in, {len(returned)} out; each row is computed by itself"
    return TraceView(title, list(lines.items()), returned)


def _shown(value: Any, dtype: str) -> str:
    """A value of one row; dates and durations as NumPy writes them."""
    if dtype not in ("datetime", "duration"):
        return _short(value)
    return str((np.datetime64 if dtype == "datetime" else np.timedelta64)(value, "us"))


def _lowered(column: Any) -> Any:
    return lower(np.ascontiguousarray(column) if isinstance(column, np.ndarray) else column)


def _text(nodes: Sequence[Node], number: int) -> str:
    node = nodes[number]
    return f"{method_name(node.operation)}({', '.join(_arguments(nodes, node))})"


def _arguments(nodes: Sequence[Node], node: Node) -> Iterator[str]:
    yield from (_name(nodes, taken) for taken in node.inputs)
    for setting, value in node.settings.items():
        if isinstance(value, bool | list | tuple | np.ndarray) or value not in (None, "", 0):
            yield f"{parameter_name(node.operation, setting)}={_short(value)}"


def _name(nodes: Sequence[Node], number: int) -> str:
    node = nodes[number]
    if node.operation == "input":
        return str(node.settings["column"])
    if node.operation == "constant":
        return _short(node.settings["value"])
    return _name(nodes, node.inputs[0]) if node.operation == "allow_ulps" else f"%{number}"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
