"""Queries of runs: by pipeline, status, conditions such as `estimator.alpha<0.01`; sorted by a metric."""

import difflib
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.code_diff import flatten
from pipeline_lib.project.project import find_project
from pipeline_lib.records.best import BEST, sort_by_metric
from pipeline_lib.records.index import summaries
from pipeline_lib.records.metric_direction import Metric, direction_of

if TYPE_CHECKING:
    import pandas as pd

FACTS = ("reference", "pipeline", "status", "parity", "started", "seconds", "peak_memory", "bytes", "error", "folder")
STATUSES = ("finished", "failed", "running", "killed", "damaged")
_CONDITION = re.compile(r"\s*(?P<name>[^<>=!]*[^<>=!\s])\s*(?P<sign><=|>=|!=|==|=|<|>)\s*(?P<value>.*?)\s*")
_EQUAL = {"=": True, "==": True, "!=": False}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ORDERED = ("number", "text")


def runs(
    folder: str | Path | None = None,
    *,
    pipeline: str | None = None,
    status: str | None = None,
    where: str | Sequence[str] = (),
    sort: str | None = None,
    direction: str | None = None,
    limit: int | None = None,
) -> "pd.DataFrame":
    """The project's runs as a DataFrame: a row for each, oldest first, with facts, parameters and metrics as columns.

    `started` is a time in UTC (datetime64, UTC), `seconds`, `peak_memory` (of the kernel) and `bytes` (of the record's
    files) are numbers, missing where a record does not say. A parameter in a group is a column such as
    `estimator.alpha`; a name that is both a parameter and a metric (or a fact) has the columns `parameters.NAME` and
    `metrics.NAME`. `folder` is another folder of records than the project's; the other arguments are those of
    `pipeline-lib runs`; `sort="best"` sorts the runs of one pipeline by its METRIC. Raises InputError for a name that
    no run has.

        runs(pipeline="houses", where="estimator.alpha<0.01", sort="rmse")[["reference", "rmse"]]
    """
    import pandas as pd

    run_summaries = summaries(Path(folder).resolve() if folder else find_project().runs)
    if sort == BEST:
        sort, direction = sort_by_metric(find_project(), run_summaries, pipeline, direction)
    conditions = [where] if isinstance(where, str) else where
    wanted = {"pipeline": pipeline, "status": status, "sort": sort, "direction": direction}
    rows = as_rows(select(run_summaries, where=conditions, limit=limit, **wanted))
    columns = list(dict.fromkeys([*FACTS, *(name for row in rows for name in row)]))
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(started=pd.to_datetime(frame["started"], utc=True, errors="coerce"))


def select(
    run_summaries: Sequence[dict[str, Any]],
    *,
    pipeline: str | None = None,
    status: str | None = None,
    where: Sequence[str] = (),
    sort: str | None = None,
    direction: str | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """The summaries, oldest first, that fit the arguments.

    `where` are conditions `NAME SIGN VALUE` (signs `= != < <= > >=`), all of which must hold; a run without the name,
    or with null, is left out. `sort` is a name: a metric is sorted best first, as `direction` (`minimize`,
    `maximize`), METRIC of its runs or its name says, other values smallest first, `-NAME` largest first; runs without
    it come last. `limit`
    keeps the first runs of a sorted list, and the newest of an unsorted one. Raises InputError.
    """
    _check_known(pipeline, {summary["pipeline"] for summary in run_summaries}, "pipeline")
    _check_known(status, set(STATUSES), "status")
    _check_known(direction, {"minimize", "maximize"}, "direction")
    if direction and (not sort or sort.startswith("-")):
        raise InputError(f"found the direction {direction} without the name to sort by, expected both; add --sort NAME")
    if limit is not None and limit < 1:
        raise InputError(f"found the limit {limit}, expected a number of runs, 1 or more; leave it out for all")
    wanted = {"pipeline": pipeline, "status": status}
    chosen = [s for s in run_summaries if all(value in (None, s[key]) for key, value in wanted.items())]
    if where or sort:
        rows = as_rows(chosen)
        tests = [_test(condition, rows) for condition in where]
        pairs = [(s, row) for s, row in zip(chosen, rows, strict=True) if all(test(row) for test in tests)]
        chosen = [s for s, _ in (_sorted(pairs, sort, direction) if sort else pairs)]
    if limit is None:
        return chosen
    return chosen[:limit] if sort else chosen[max(0, len(chosen) - limit) :]


def names_in(where: Sequence[str], sort: str | None) -> list[str]:
    """The names in the conditions of `where` and in `sort`, each once."""
    parts = (_CONDITION.fullmatch(condition) for condition in where)
    names = [part["name"] for part in parts if part]
    return list(dict.fromkeys([*names, *([sort.removeprefix("-")] if sort else [])]))


def as_rows(run_summaries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Summaries as rows of plain columns: facts, parameters (with dots between groups), metrics."""
    groups = [
        {
            "parameters": dict(flatten(summary["parameters"])) if summary["parameters"] else {},
            "metrics": summary["metrics"],
        }
        for summary in run_summaries
    ]
    names = {key: {name for group in groups for name in group[key]} for key in ("parameters", "metrics")}
    ambiguous = (names["parameters"] & names["metrics"]) | ({*FACTS} & (names["parameters"] | names["metrics"]))
    rows = []
    for summary, group in zip(run_summaries, groups, strict=True):
        row = {name: summary[name] for name in FACTS}
        for key, values in group.items():
            row |= {f"{key}.{name}" if name in ambiguous else name: value for name, value in values.items()}
        rows.append(row)
    return rows


def _check_known(name: str | None, known: set[str], what: str) -> None:
    if name is not None and name not in known:
        raise InputError(f"found {what} {name!r}, expected one of: {', '.join(sorted(known)) or 'none'}; name one")


def _test(condition: str, rows: Sequence[Mapping[str, Any]]) -> Callable[[Mapping[str, Any]], bool]:
    """A condition as a test of a row."""
    parts = _CONDITION.fullmatch(condition)
    if parts is None:
        raise InputError(
            f"found --where {condition!r}, expected NAME SIGN VALUE, for example 'estimator.alpha<0.01' or "
            "'status=failed'"
        )
    name, sign, text = _column(parts["name"], rows), parts["sign"], parts["value"]
    wanted = _value(text)
    if name == "started":
        _check_timestamp(condition, text)

    def holds(row: Mapping[str, Any]) -> bool:
        value = row.get(name)
        if value is None:
            return name in row and wanted is None and sign in ("=", "==")
        expected = text if isinstance(value, str) and not isinstance(wanted, str) else wanted
        value_type, expected_type = _type_name(value), _type_name(expected)
        if sign in _EQUAL:
            return (value_type == expected_type and value == expected) == _EQUAL[sign]
        if value_type not in _ORDERED:
            raise InputError(f"--where {condition!r}: found a {value_type} as {name}, which has no order; use = or !=")
        if value_type != expected_type:
            raise InputError(
                f"--where {condition!r}: found the {expected_type} {text!r}, expected a {value_type}, as {name} of "
                f"{row['reference']} is ({value!r}); correct it, or use = or !="
            )
        return _ORDER[sign](value, expected)

    return holds


def _sorted(
    pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]], sort: str, direction: str | None
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    name = _column(sort.removeprefix("-"), [row for _, row in pairs])
    with_value = [pair for pair in pairs if pair[1].get(name) is not None]
    types = {_type_name(row[name]) for _, row in with_value}
    if len(types) > 1 or not types <= {*_ORDERED}:
        raise InputError(
            f"--sort {sort}: found values of several types ({', '.join(sorted(types))}), expected numbers or texts; "
            "leave some runs out with --where or --pipeline"
        )
    largest_first = sort.startswith("-") or (direction or _better(name, with_value)) == "maximize"
    ordered = sorted(with_value, key=lambda pair: pair[1][name], reverse=largest_first)
    return [*ordered, *(pair for pair in pairs if pair[1].get(name) is None)]


def _better(name: str, pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    """The direction in which a column is sorted: of a metric the better values first, of others the smaller ones."""
    metric = name.removeprefix("metrics.")
    if name in FACTS or not any(metric in summary["metrics"] for summary, _ in pairs):
        return "minimize"
    recorded = (Metric.from_json(summary.get("metric")) for summary, _ in pairs)
    declared = {one.direction for one in recorded if one and one.name == metric}
    direction = declared.pop() if len(declared) == 1 else None if declared else direction_of(metric)
    if direction is None:
        what = (
            "found a metric that METRIC of some runs minimizes and of others maximizes, expected one direction"
            if declared
            else "found a metric whose name does not say what is better, expected that with it"
        )
        raise InputError(
            f"--sort {name}: {what}; add --direction minimize or maximize, or write -{name} for the largest first"
        )
    return direction


def _column(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The column of a name; InputError, with the closest name, where no run has it."""
    known = dict.fromkeys(column for row in rows for column in row)
    if name in known or not rows:
        return name
    tails = {column.rpartition(".")[2]: column for column in known}  # alpha means estimator.alpha
    close = [tails[name]] if name in tails else difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"expected one of: {', '.join(known)}"
    raise InputError(f"found the name {name!r}, which no run has, {hint}")


def _check_timestamp(condition: str, text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        if text == "null":
            return
        raise InputError(
            f"--where {condition!r}: found {text!r}, expected a date or time such as 2026-11-23 or "
            "2026-11-23T10:30 (UTC); write one"
        ) from None


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "number" if isinstance(value, int | float) else "text" if isinstance(value, str) else "list"
