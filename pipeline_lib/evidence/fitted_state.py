"""Learned state: every value that a fitted pipeline holds, by step and name, exactly.

A record keeps it as `learned.parquet`, so that a later fit can be compared number by number. Values stand there
as text, floats in hex; long arrays as blocks of their own bytes.
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
    plain,
    qualified,
)

ARRAY, BLOCK, SECONDS, UNKNOWN = "array", "block", "seconds", "unknown"
COLUMNS = ("step", "name", "type", "value")
SCHEMA = pa.schema([*((name, pa.string()) for name in COLUMNS), ("block", pa.binary())])
_MOST_SINGLE, _MOST_SINGLE_IN_TREES = 4_096, 64
_BLOCK = 1 << 20
_ROWS_AT_ONCE = 1 << 16
_TREE = "sklearn.tree._tree.Tree"
_TREE_PARTS = (
    *("n_features", "n_outputs", "n_classes", "max_depth", "node_count", "children_left", "children_right", "feature"),
    *("threshold", "missing_go_to_left", "value", "impurity", "n_node_samples", "weighted_n_node_samples"),
)
_MEASURED = re.compile(r'\.refit_time_$|\["(?:mean|std)_(?:fit|score)_time"\]')


@dataclass(frozen=True)
class Learned:
    """One value: the step it belongs to, its name from the step on, its type, itself.

    Of a container (`list`, `dict`, `array`, `object`, ...) the value says its size, shape or class; its items follow
    one by one. A `block` is a stretch of a long array, `seconds` what a clock measured, `unknown` an object that
    tells nothing of itself.
    """

    step: str
    name: str
    type: str
    value: Any

    @property
    def text(self) -> str:
        """The value as text that gives the same bits back."""
        if isinstance(self.value, float | np.floating):
            wide = isinstance(self.value, np.longdouble) and np.float64(self.value) != self.value
            return repr(self.value) if wide else float(self.value).hex()
        return self.value.hex() if isinstance(self.value, bytes) else str(self.value)


def learned_state(fitted: Any) -> dict[str, Any]:
    """Each value of a fitted pipeline by step and name, such as `yeo_johnson.lambda_dict_["Lot.Area"]`.

    Array elements are named by their index, and by their feature where the array has one for each:
    `price.regressor_.coef_[3] (Lot.Area)`. Parameters are values too. What is of no known kind has its type as value.
    """
    state: dict[str, Any] = {}
    for item in learned_values(fitted):
        if item.type == BLOCK:
            array, _, stretch = item.name.rpartition("[")
            first = int(stretch.partition(":")[0])
            state |= {f"{array}[{first + place}]": value for place, value in enumerate(item.value)}
        else:
            state[item.name] = item.value
    return state


def write_learned(path: Path, fitted: Any) -> None:
    """Write a fitted pipeline's values to a Parquet file, some thousands at a time."""
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        rows: list[tuple[str | bytes | None, ...]] = []
        for item in learned_values(fitted):
            block = item.value.tobytes() if item.type == BLOCK else None
            text = item.text if block is None else item.value.dtype.str
            rows.append((*map(_storable, (item.step, item.name, item.type, text)), block))
            if len(rows) == _ROWS_AT_ONCE or block:
                writer.write_table(_table(rows))
                rows = []
        writer.write_table(_table(rows))


def learned_values(fitted: Any) -> Iterator[Learned]:
    """Every value of a fitted pipeline in a fixed order: step by step, attributes and items as they were set."""
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
    """Text that UTF-8 can hold: half a character pair is written as its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def _label(name: str) -> str:
    return name if name.isidentifier() else key_text(name)


class _Walk:
    """The values of one step, depth first. A container inside itself is named once more and not entered."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.open: list[Any] = []
        self.features: Sequence[Any] = ()
        self.most_single = _MOST_SINGLE

    def values(self, name: str, value: Any) -> Iterator[Learned]:
        """`value`, whose own name is `name`, and all that it holds."""
        found = plain(value)
        if found is not None:
            kind, content = found
            yield self.item(name, SECONDS if isinstance(content, float) and _MEASURED.search(name) else kind, content)
            return
        if any(value is outer for outer in self.open):
            yield self.item(name, "cycle", qualified(type(value)))
            return
        self.open.append(value)
        yield from self.container(name, value)
        self.open.pop()

    def item(self, name: str, kind: str, value: Any) -> Learned:
        """One value of this step."""
        return Learned(self.step, name, kind, value)

    def container(self, name: str, value: Any) -> Iterator[Learned]:
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

    def items(self, name: str, value: Any) -> Iterator[Learned]:
        """Items by key or index, members of sets as such, steps and transformers by the names they were given."""
        if isinstance(value, Mapping):
            for key, part in zip(key_texts(value), value.values(), strict=True):
                yield from self.values(f"{name}[{key}]", part)
        elif isinstance(value, Set):
            for key in sorted(key_texts(value)):
                yield self.item(f"{name}{{{key}}}", "member", "")
        elif is_named_list(value):
            yield from self.named(name, value)
        else:
            for place, part in enumerate(value):
                yield from self.values(f"{name}[{place}]", part)

    def named(self, name: str, value: Sequence[tuple[Any, ...]]) -> Iterator[Learned]:
        """The parts of `steps`, `transformers_`, `estimators` and the like."""
        steps = name.endswith(".steps")
        for label, estimator, *rest in value:
            inner = f"{name.removesuffix('.steps')}.{_label(label)}" if steps else f"{name}[{key_text(label)}]"
            yield from self.values(inner, estimator)
            for place, part in enumerate(rest, start=2):
                yield from self.values(f"{inner}[{place}]", part)

    def instance(self, name: str, kind: str, value: Any) -> Iterator[Learned]:
        """An object by its attributes; one that tells nothing of itself by its type."""
        if kind == _TREE:
            with self.set(most_single=_MOST_SINGLE_IN_TREES, features=()):
                yield from self.parts(name, kind, {part: getattr(value, part) for part in _TREE_PARTS})
            return
        found = attributes(value)
        if found is None:
            yield self.item(name, UNKNOWN, kind)
            return
        names = found.get("feature_names_in_", ())
        with self.set(features=list(names) if isinstance(names, list | tuple | np.ndarray) else ()):
            yield from self.parts(name, kind, found)

    def parts(self, name: str, kind: str, parts: Mapping[str, Any]) -> Iterator[Learned]:
        """An object's line and its parts by name."""
        yield self.item(name, "object", kind)
        for part, value in parts.items():
            yield from self.values(f"{name}.{part}", value)

    def array(self, name: str, value: Any) -> Iterator[Learned]:
        """An array's dtype and shape, then its elements: singly, or in blocks where there are very many."""
        yield self.item(name, ARRAY, f"{'fields' if value.dtype.names else value.dtype} {value.shape}")
        if isinstance(value, np.ma.MaskedArray):
            yield from self.values(f"{name}.mask", np.ma.getmaskarray(value))
            value = value.data
        if value.dtype.names:
            for field in value.dtype.names:
                yield from self.values(f"{name}.{field}", value[field])
        elif value.size <= self.most_single or value.dtype.kind not in "biufc":
            for place in np.ndindex(value.shape):
                yield from self.values(self.element(name, value, place), value[place])
        else:
            flat = np.ascontiguousarray(value).reshape(-1)
            for start in range(0, flat.size, _BLOCK):
                part = flat[start : start + _BLOCK]
                yield self.item(f"{name}[{start}:{start + part.size}]", BLOCK, part)

    def element(self, name: str, value: np.ndarray[Any, Any], place: tuple[int, ...]) -> str:
        """An element's name: its index, with the feature it belongs to where the last axis has one for each."""
        index = f"[{','.join(map(str, place))}]" if place else ""
        per_feature = place and value.shape[-1] == len(self.features) and value.dtype.kind in "biuf"
        return f"{name}{index} ({self.features[place[-1]]})" if per_feature else f"{name}{index}"

    @contextmanager
    def set(self, **settings: Any) -> Iterator[None]:
        """Other settings for what is below one object."""
        before = {name: getattr(self, name) for name in settings}
        vars(self).update(settings)
        yield
        vars(self).update(before)
