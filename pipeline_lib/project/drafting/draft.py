"""The draft of a pipeline: everything that the texts of its notebooks follow from."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.columns import Column, Profile, profile
from pipeline_lib.project.drafting.raw_data import RawData
from pipeline_lib.project.drafting.roles import Roles, assign_roles
from pipeline_lib.project.drafting.target import Target, find_column, find_target

TEST_SHARE = 0.2
_MANY_TIMES = 10


@dataclass(frozen=True)
class Options:
    """What the command's options ask for."""

    target: str
    task: str | None = None
    time: str | None = None
    group: str | None = None
    sensitive: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """How rows are divided: at random, stratified by class, by the time in a column, or by the groups in one."""

    kind: str  # random, stratified, time, group
    column: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A pipeline's draft; `data` is the raw file and `sample` the one of the tests, from the project's root."""

    name: str
    data: str
    sample: str
    raw: RawData
    profile: Profile
    target: Target
    roles: Roles
    split: Split
    params: dict[str, object] = field(default_factory=dict)

    @cached_property
    def features(self) -> list[Column]:
        """The columns that the pipeline predicts from, in the file's order."""
        return [column for name, column in self.profile.columns.items() if name in self.roles.features]

    @cached_property
    def row_columns(self) -> list[Column]:
        """The columns of `Row`, in the file's order: the features, and the column by which rows are divided."""
        names = {*self.roles.features, self.split.column}
        return [column for name, column in self.profile.columns.items() if name in names]

    @property
    def target_column(self) -> Column:
        """The target's column."""
        return self.profile.columns[self.target.name]

    @property
    def extra(self) -> str:
        """A column of `Row` that only the split needs; empty where there is none."""
        return self.split.column if self.split.column not in self.roles.features else ""

    @property
    def read(self) -> list[str]:
        """The raw columns that `load` reads, in the file's order."""
        used = {*self.roles.features, self.target.name, self.split.column}
        return [name for name in self.profile.columns if name in used]


def make_draft(name: str, data: str, raw: RawData, options: Options) -> Draft:
    """The draft for raw data. Raises InputError for options that name no column, and for data that teach nothing."""
    found = profile(raw, options.missing)
    names = list(found.columns)
    target_name = find_column(options.target, names, "--target", data)
    sensitive = [find_column(each, [*names, *raw.unreadable], "--sensitive", data) for each in options.sensitive]
    if target_name in sensitive:
        raise InputError(
            f"--sensitive: found the target {target_name!r}, expected columns of Row: the target is not part of a raw "
            "row, and the sample for tests holds its values; replace them in the file by codes"
        )
    target = find_target(_labels(found.columns[target_name], raw), _task(options.task), data)
    features = [column for name, column in found.columns.items() if name != target_name]
    roles = assign_roles(features, sensitive, raw.unreadable)
    split = _split(found, target, options, data, set(roles.sensitive))
    if split.kind == "group":
        _leave_out(roles, split.column, "it says which rows belong together")
    if options.task == "text":
        _only_words(roles, data)
    if not roles.features:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in roles.left_out.items()) or "it has no other column"
        raise InputError(f"{data}: found no column to predict from ({reasons}), expected one or more; bring others")
    roles.left_out.pop(split.column, None)  # `Row` has it
    found = _with_absent(found, split.column) if split.column not in roles.features else found
    sample = f"tests/data/{name}{raw.suffix}"
    draft = Draft(name, data, sample, raw, found, target, roles, split)
    return replace(draft, params=_params(draft))


def _task(task: str | None) -> str | None:
    return "classification" if task == "text" else task


def _labels(column: Column, raw: RawData) -> Column:
    """A target of booleans as the text that `load` reads."""
    if column.kind != "boolean":
        return column
    cells = raw.frame[column.name]
    values = (
        cells.where(column.values.notna(), None).astype("str") if raw.kind == "csv" else column.values.astype("str")
    )
    return replace(column, kind="text", values=values)


def _leave_out(roles: Roles, name: str, reason: str) -> None:
    for names in (roles.numbers, roles.flags, roles.categories, roles.words, roles.dates):
        if name in names:
            names.remove(name)
    roles.left_out[name] = reason


def _with_absent(found: Profile, name: str) -> Profile:
    """Whole numbers of a column that production may leave out become numbers: pandas has no missing integers."""
    column = found.columns.get(name)
    if column is None or column.kind != "integer":
        return found
    absent = replace(column, kind="number", values=column.values.astype("float64"))
    return replace(found, columns={**found.columns, name: absent})


def _only_words(roles: Roles, data: str) -> None:
    """Keep the columns of text alone; raises InputError where there is none."""
    if not roles.words:
        raise InputError(
            f"--task text: found no column of text in {data} with four words or more on average, expected one; "
            "use --task classification"
        )
    for name in roles.features - {*roles.words}:
        _leave_out(roles, name, "--task text reads text alone")


def _split(found: Profile, target: Target, options: Options, data: str, sensitive: Collection[str]) -> Split:
    if options.time and options.group:
        raise InputError("found --time and --group, expected one of them; choose how rows are divided")
    if options.group:
        return _group_split(found.columns[find_column(options.group, found.columns, "--group", data)], target)
    if options.time:
        return _time_split(found.columns[find_column(options.time, found.columns, "--time", data)], target, found)
    dates = [column for column in found.columns.values() if column.kind == "date" and column.name != target.name]
    for column in dates:
        if column.name not in sensitive and _orders(column) and not _absent(column, target, found):
            note = f"rows are divided by {column.name}, which orders the file; at random where the order means nothing"
            return Split("time", column.name, (note,))
    notes = [
        f"{column.name} holds dates; `new --time` divides rows by time, as predicting later rows needs"
        for column in dates
    ]
    return Split("random" if target.task == "regression" else "stratified", notes=tuple(notes[:1]))


def _group_split(column: Column, target: Target) -> Split:
    if column.name == target.name or column.values.isna().any() or column.distinct < 5:
        raise InputError(
            f"--group: found {column.distinct} groups in {column.name!r}"
            + (", the target" if column.name == target.name else "")
            + (f" and {int(column.values.isna().sum())} rows without one" if column.values.isna().any() else "")
            + ", expected 5 or more in a column that is never missing; choose another column"
        )
    return Split("group", column.name)


def _time_split(column: Column, target: Target, found: Profile) -> Split:
    gaps = int(column.values.isna().sum())
    if column.name == target.name or column.kind not in ("date", "integer", "number") or gaps or column.distinct < 2:
        raise InputError(
            f"--time: found {'the target' if column.name == target.name else column.kind} in {column.name!r}"
            + (f" and {gaps} rows without a value" if gaps else "")
            + ", expected different dates or numbers that are never missing; choose another column"
        )
    if absent := _absent(column, target, found):
        raise InputError(
            f"--time: found no {absent} in an order by {column.name!r}, expected every class before and after the "
            "point that divides the rows; divide them otherwise, or bring more rows"
        )
    return Split("time", column.name)


def _orders(column: Column) -> bool:
    values = column.values
    in_order = values.is_monotonic_increasing or values.is_monotonic_decreasing
    return bool(in_order and not values.isna().any() and column.distinct >= _MANY_TIMES)


def _absent(column: Column, target: Target, found: Profile) -> str:
    """What a division by time would miss: rows, or a class, among training or test rows; empty where nothing."""
    labels = found.columns[target.name].values
    known = labels.notna()
    later = later_rows(column.values[known])
    parts = {"training row": labels[known][~later], "test row": labels[known][later]}
    for part, values in parts.items():
        if len(values) < 2:
            return part
        if target.task != "regression" and values.nunique() < labels[known].nunique():
            return f"{part} of some class"
    return ""


def later_rows(times: pd.Series, share: float = TEST_SHARE) -> pd.Series:
    """Which rows are the latest `share`, from the moment on that divides them."""
    later: pd.Series = times >= times.sort_values(ignore_index=True).iloc[-max(round(share * len(times)), 1)]
    return later


def _params(draft: Draft) -> dict[str, object]:
    values: dict[str, object] = {"data": draft.data, "test_share": TEST_SHARE}
    if draft.split.kind != "time":
        values["seed"] = 0
    if draft.roles.categories:
        values["rare_share"] = 0.01
    if draft.roles.words:
        values["max_words"] = 2000
    values["alpha" if draft.target.task == "regression" else "strength"] = 1.0
    return values
