"""Fitted state: every value that a fitted pipeline holds, by step and name, exactly.

A record keeps it as `learned.parquet`, so that a later fit can be compared number by number. Values are text there,
floats in hex; long arrays are blocks of bytes:

    step         name                                  type   value
    yeo_johnson  yeo_johnson.lambda_dict_["Lot.Area"]  float  0x1.c130a3d70a3d7p-4
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_lib.evidence.fitted_objects import (
    attributes,
    is_named_list,
    key_text,
    key_texts,
    pandas_parts,
    qualified,
    value_of,
)

ARRAY, BLOCK, SECONDS, UNKNOWN = "array", "block", "seconds", "unknown"
COLUMNS = ("step", "name", "type", "value")
SCHEMA = pa.schema([*((name, pa.string()) for name in COLUMNS), ("block", pa.binary())])
_MOST_SINGLE, _MOST_SINGLE_IN_TREES = 4_096, 64
"""Elements of an array that are listed one by one; longer arrays become blocks. A forest has thousands of arrays."""
_BLOCK, _ROWS_AT_ONCE = 1 << 20, 1 << 16
"""Elements of one block, and rows of one row group: what is in memory at a time."""
_TREE = "sklearn.tree._tree.Tree"
_TREE_PARTS = (
    *("n_features", "n_outputs", "n_classes", "max_depth", "node_count", "children_left", "children_right", "feature"),
    *("threshold", "missing_go_to_left", "value", "impurity", "n_node_samples", "weighted_n_node_samples"),
)
_MEASURED = re.compile(r'\.refit_time_$|\["(?:mean|std)_(?:fit|score)_time"\]')


@dataclass(frozen=True)
class FittedValue:
    """One value with its step, its name (from the step on) and its type.

    Of a container (`list`, `dict`, `array`, `object`, ...) the value is its size, shape or class; its items follow
    one by one. A `block` is a slice of a long array, `seconds` a measured time, `unknown` an object whose parts cannot
    be read.
    """

    step: str
    name: str
    type: str
    value: Any

    @property
    def text(self) -> str:
        """The value as text from which the same bits can be read."""
        if isinstance(self.value, float | np.floating):
            wide = isinstance(self.value, np.longdouble) and np.float64(self.value) != self.value
            return repr(self.value) if wide else float(self.value).hex()
        return self.value.hex() if isinstance(self.value, bytes) else str(self.value)


def write_fitted_state(path: Path, fitted: Any) -> None:
    """Write a fitted pipeline's values to a Parquet file, in row groups."""
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        rows: list[tuple[str | bytes | None, ...]] = []
        for item in fitted_values(fitted):
            block = item.value.tobytes() if item.type == BLOCK else None
            text = item.text if block is None else item.value.dtype.str
            rows.append((*map(_storable, (item.step, item.name, item.type, text)), block))
            if len(rows) == _ROWS_AT_ONCE or block:
                writer.write_table(_table(rows))
                rows = []
        writer.write_table(_table(rows))


def fitted_values(fitted: Any) -> Iterator[FittedValue]:
    """Every value of a fitted pipeline, step by step, attributes and items in the order in which they were set."""
    steps = getattr(fitted, "steps", ())
    if not is_named_list(steps):
        yield from _Walk("estimator").values("estimator", fitted)
        return
    kind = type(fitted).__name__
    for name, step in steps:
        yield from _Walk(name).values(_label(name), step)
    rest = {name: value for name, value in vars(fitted).items() if name != "steps"}
    yield from _Walk(kind).parts(kind, qualified(type(fitted)), rest)


def _table(rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


def _storable(text: str) -> str:
    """Text that UTF-8 can hold: a lone surrogate is written as its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def _label(name: str) -> str:
    return name if name.isidentifier() else key_text(name)


class _Walk:
    """The values of one step, depth first. A container inside itself is a `cycle` and not entered again."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.open: list[Any] = []
        self.features: Sequence[Any] = ()
        self.most_single = _MOST_SINGLE

    def values(self, name: str, value: Any) -> Iterator[FittedValue]:
        """A value by its name, then everything that it holds."""
        single = value_of(value)
        if single is not None:
            kind, content = single
            yield self.item(name, SECONDS if isinstance(content, float) and _MEASURED.search(name) else kind, content)
            return
        if any(value is outer for outer in self.open):
            yield self.item(name, "cycle", qualified(type(value)))
            return
        self.open.append(value)
        yield from self.container(name, value)
        self.open.pop()

    def item(self, name: str, kind: str, value: Any) -> FittedValue:
        """One value of this step."""
        return FittedValue(self.step, name, kind, value)

    def container(self, name: str, value: Any) -> Iterator[FittedValue]:
        """A container's own line, then its items, then its attributes where it has both."""
        kind, frame = qualified(type(value)), pandas_parts(value)
        if isinstance(value, np.ndarray | np.void):
            yield from self.array(name, value)
        elif frame is not None:
            yield from self.parts(name, kind, frame)
        elif isinstance(value, Mapping | Set | list | tuple):
            yield self.item(name, kind, f"{len(value)} items")
            yield from self.items(name, value)
            for part, inner in getattr(value, "__dict__", {}).items():
                yield from self.values(f"{name}.{part}", inner)
        else:
            yield from self.instance(name, kind, value)

    def items(self, name: str, value: Any) -> Iterator[FittedValue]:
        """Items by key or index, members of sets by their text, steps and transformers by their names."""
        if isinstance(value, Mapping):
            for key, part in zip(key_texts(value), value.values(), strict=True):
                yield from self.values(f"{name}[{key}]", part)
        elif isinstance(value, Set):
            for key in sorted(key_texts(value)):
                yield self.item(f"{name}{{{key}}}", "member", "")
        elif is_named_list(value):
            yield from self.named(name, value)
        else:
            for index, part in enumerate(value):
                yield from self.values(f"{name}[{index}]", part)

    def named(self, name: str, value: Sequence[tuple[Any, ...]]) -> Iterator[FittedValue]:
        """The parts of `steps`, `transformers_`, `estimators` and similar lists."""
        steps = name.endswith(".steps")
        for label, estimator, *rest in value:
            inner = f"{name.removesuffix('.steps')}.{_label(label)}" if steps else f"{name}[{key_text(label)}]"
            yield from self.values(inner, estimator)
            for index, part in enumerate(rest, start=2):
                yield from self.values(f"{inner}[{index}]", part)

    def instance(self, name: str, kind: str, value: Any) -> Iterator[FittedValue]:
        """An object by its attributes; one without readable parts by its type."""
        if kind == _TREE:
            with self.set(most_single=_MOST_SINGLE_IN_TREES, features=()):
                yield from self.parts(name, kind, {part: getattr(value, part) for part in _TREE_PARTS})
            return
        parts = attributes(value)
        if parts is None:
            yield self.item(name, UNKNOWN, kind)
            return
        names = parts.get("feature_names_in_", ())
        with self.set(features=list(names) if isinstance(names, list | tuple | np.ndarray) else ()):
            yield from self.parts(name, kind, parts)

    def parts(self, name: str, kind: str, parts: Mapping[str, Any]) -> Iterator[FittedValue]:
        """An object's line and its parts by name."""
        yield self.item(name, "object", kind)
        for part, value in parts.items():
            yield from self.values(f"{name}.{part}", value)

    def array(self, name: str, value: Any) -> Iterator[FittedValue]:
        """An array's dtype and shape, then its elements: one by one, or in blocks where the array is long."""
        yield self.item(name, ARRAY, f"{'fields' if value.dtype.names else value.dtype} {value.shape}")
        if isinstance(value, np.ma.MaskedArray):
            yield from self.values(f"{name}.mask", np.ma.getmaskarray(value))
            value = value.data
        if value.dtype.names:
            for field in value.dtype.names:
                yield from self.values(f"{name}.{field}", value[field])
        elif value.size <= self.most_single or value.dtype.kind not in "biufc":
            for index in np.ndindex(value.shape):
                yield from self.values(self.element(name, value, index), value[index])
        else:
            flat = np.ascontiguousarray(value).reshape(-1)
            for start in range(0, flat.size, _BLOCK):
                part = flat[start : start + _BLOCK]
                yield self.item(f"{name}[{start}:{start + part.size}]", BLOCK, part)

    def element(self, name: str, value: np.ndarray[Any, Any], index: tuple[int, ...]) -> str:
        """An element's name: its index, with its feature where the last axis has one element for each."""
        text = f"[{','.join(map(str, index))}]" if index else ""
        per_feature = index and value.shape[-1] == len(self.features) and value.dtype.kind in "biuf"
        return f"{name}{text} ({self.features[index[-1]]})" if per_feature else f"{name}{text}"

    @contextmanager
    def set(self, **settings: Any) -> Iterator[None]:
        """Other attributes of this walk while it is below one object."""
        before = {name: getattr(self, name) for name in settings}
        vars(self).update(settings)
        yield
        vars(self).update(before)
