"""The sample of a raw file on which the tests of a drafted pipeline run: few rows, no personal data."""

import io

import numpy as np
import pandas as pd

from pipeline_lib.project.drafting.columns import Column
from pipeline_lib.project.drafting.draft import TEST_SHARE, Draft, later_rows

SAMPLE_ROWS = 500
_LEAST_OF_PART = 8


def sample_bytes(draft: Draft, seed: int) -> bytes:
    """The sample as a file of the same format as the raw one: the columns that `load` reads, at most 500 rows.

    Rows keep their order. Each class, and each side of a division by time, has its share, and a few rows at least.
    Values of sensitive columns are invented; which are missing stays.
    """
    rng = np.random.default_rng(seed)
    positions = _positions(draft, rng)
    frame = draft.raw.frame[draft.read].iloc[positions].reset_index(drop=True)
    for name in draft.roles.sensitive:
        if name in draft.read:
            column = draft.profile.columns[name]
            frame[name] = _invented(draft, column, positions, rng)
    return _written(draft, frame)


def _positions(draft: Draft, rng: np.random.Generator) -> np.ndarray:
    """Positions of the sampled rows, sorted."""
    labels = draft.target_column.values.reset_index(drop=True)
    usable = labels.index[labels.notna()]
    if len(labels) <= SAMPLE_ROWS:
        return np.arange(len(labels))
    parts = pd.DataFrame({"class": 0, "later": False}, index=usable)
    if draft.target.task != "regression":
        parts["class"] = labels[usable].astype("str")
    if draft.split.kind == "time":
        times = draft.profile.columns[draft.split.column].values.reset_index(drop=True)
        parts["later"] = later_rows(times[usable], TEST_SHARE)
    groups = [group.index.to_numpy() for _, group in parts.groupby(["class", "later"], sort=True)]
    sizes = [max(int(len(group) / len(usable) * SAMPLE_ROWS), min(len(group), _LEAST_OF_PART)) for group in groups]
    while sum(sizes) > SAMPLE_ROWS:
        sizes[int(np.argmax(sizes))] -= 1
    chosen = [rng.choice(group, size, replace=False) for group, size in zip(groups, sizes, strict=True)]
    return np.sort(np.concatenate(chosen))


def _invented(draft: Draft, column: Column, positions: np.ndarray, rng: np.random.Generator) -> pd.Series:
    """Invented values of a sensitive column, as the file would hold them; missing ones stay as they are."""
    cells = draft.raw.frame[column.name].iloc[positions].reset_index(drop=True)
    values = column.values.iloc[positions].reset_index(drop=True)
    known = values.notna().to_numpy()
    if column.name == draft.split.column or column.kind == "text":
        made = _codes(column, values[known])
    elif column.kind == "boolean":
        made = pd.Series(rng.random(int(known.sum())) < 0.5)
    else:
        made = _between(column, int(known.sum()), rng)
    result = cells.astype("object")
    result[known] = list(_as_text(draft, column, made) if draft.raw.kind == "csv" else made)
    return result if draft.raw.kind == "excel" else result.astype(cells.dtype) if _keeps(cells) else result


def _keeps(cells: pd.Series) -> bool:
    return not isinstance(cells.dtype, pd.CategoricalDtype) and cells.dtype != "object"


def _codes(column: Column, known: pd.Series) -> pd.Series:
    """Equal values get equal codes, numbered in the order in which they occur."""
    numbers = pd.Series(pd.factorize(known)[0])
    if column.kind in ("integer", "number"):
        return numbers
    if column.kind == "date":
        return pd.Timestamp("2020-01-01") + pd.to_timedelta(numbers, unit="D")
    return "invented " + numbers.add(1).astype("str")


def _between(column: Column, count: int, rng: np.random.Generator) -> pd.Series:
    """Random numbers or days between the fifth and the 95th hundredth of the column's values."""
    if column.kind == "date":
        ordered = column.known.sort_values(ignore_index=True)
        first, last = (ordered[int(part * (len(ordered) - 1))].normalize() for part in (0.05, 0.95))
        days = rng.integers(0, max((last - first).days, 1), count, endpoint=True)
        dates: pd.Series = first + pd.to_timedelta(pd.Series(days), unit="D")
        return dates
    low, high = float(column.known.quantile(0.05)), float(column.known.quantile(0.95))
    if column.kind == "integer" or bool((column.known % 1 == 0).all()):
        return pd.Series(rng.integers(int(low), int(high), count, endpoint=True))
    return pd.Series(rng.uniform(low, high, count).round(3))


def _as_text(draft: Draft, column: Column, values: pd.Series) -> pd.Series:
    if column.kind == "date" and column.date:
        form = "%Y-%m-%dT%H:%M:%S" if column.date.format == "ISO8601" else column.date.format
        zoned = values.dt.tz_localize("UTC") if column.date.zoned else values
        text: pd.Series = zoned.dt.strftime(f"{form}%z" if column.date.zoned and "%z" not in form else form)
        return text
    text = values.astype("str")
    return text.str.replace(".", draft.raw.text.decimal, regex=False) if column.kind == "number" else text


def _written(draft: Draft, frame: pd.DataFrame) -> bytes:
    """The frame as the bytes of a file of the raw file's format."""
    buffer = io.BytesIO()
    if draft.raw.kind == "csv":
        text = draft.raw.text
        return frame.to_csv(index=False, sep=text.sep, lineterminator="\n").encode(text.encoding, errors="replace")
    if draft.raw.kind in ("parquet", "sql"):
        frame.to_parquet(buffer, index=False)
    elif draft.raw.kind == "arrow":
        frame.to_feather(buffer)
    else:
        blank = frame.astype("object").where(frame.map(lambda value: value != ""), None)
        blank.to_excel(buffer, index=False, sheet_name=draft.raw.sheet)
    return buffer.getvalue()
