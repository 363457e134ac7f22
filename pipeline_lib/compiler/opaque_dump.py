"""The state of a fitted step as `compiled.opaque_state` reads it: skops format, with parts for what skops cannot store.

What pandas holds becomes arrays, and a booster its library's own model file. The step itself is left as it is: the
objects that hold such a part are copied.
"""

import io
import json
from collections.abc import Callable
from typing import Any
from zipfile import ZipFile

import numpy as np

from pipeline_lib.compiled.opaque_objects import MODEL_FILES
from pipeline_lib.compiled.opaque_state import Part
from pipeline_lib.compiled.opaque_versions import PACKAGES, module_version, packages_in
from pipeline_lib.errors import InputError


def dump_state(fitted: Any, library: str = "pipeline_lib") -> bytes:
    """The state of a fitted step. Raises InputError for what neither skops nor a part can store."""
    import skops.io

    parts = _Parts()
    try:
        stored = skops.io.dumps(parts.of(fitted))
    except Exception as error:
        raise InputError(
            f"found a fitted step that cannot be stored without pickle ({type(error).__name__}: {error}), expected "
            "state of arrays, numbers, text, frames and exported classes; keep other objects out of the fitted steps"
        ) from error
    stream = io.BytesIO(stored)
    with ZipFile(stream, "a") as archive:
        schema = json.loads(archive.read("schema.json"))
        names = {*packages_in(schema, library), *parts.packages}
        packages = {name: version for name in sorted(names) if (version := module_version(name)) is not None}
        for name, content in parts.files.items():
            archive.writestr(name, content)
        archive.writestr(PACKAGES, json.dumps(packages))
    return stream.getvalue()


class _Parts:
    """Copies of objects in which parts take the place of boosters and of what pandas holds."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.packages: set[str] = set()
        self._made: dict[int, Any] = {}
        self._kept: list[Any] = []  # so that no other object gets their ids

    def of(self, thing: Any) -> Any:
        """The thing itself where it holds no such object, else a copy with parts."""
        if isinstance(thing, str | bytes | int | float | type | type(None)):
            return thing
        if id(thing) not in self._made:
            self._kept.append(thing)
            self._made[id(thing)] = thing  # for what refers to itself
            self._made[id(thing)] = self._copy(thing)
        return self._made[id(thing)]

    def _copy(self, thing: Any) -> Any:
        part = self._part(thing)
        if part is not None:
            return part
        if isinstance(thing, dict):
            values = {key: self.of(value) for key, value in thing.items()}
            return thing if _same(values.values(), thing.values()) else _like(thing, values)
        if isinstance(thing, list | tuple):
            items = [self.of(item) for item in thing]
            return thing if _same(items, thing) else type(thing)(items)
        if isinstance(thing, np.ndarray):
            return self._array(thing)
        if not hasattr(thing, "__dict__") or callable(thing):
            return thing
        values = {key: self.of(value) for key, value in vars(thing).items()}
        if _same(values.values(), vars(thing).values()):
            return thing
        copied = object.__new__(type(thing))  # as skops makes it: without __init__
        vars(copied).update(values)
        return copied

    def _array(self, array: Any) -> Any:
        if array.dtype != object:
            return array
        copied = np.empty_like(array)
        for index, item in np.ndenumerate(array):
            copied[index] = self.of(item)
        return array if _same(copied.ravel(), array.ravel()) else copied

    def _part(self, thing: Any) -> Part | None:
        module = type(thing).__module__.partition(".")[0]
        if module == "pandas":
            content = _pandas_content(thing)
            if content is None:
                return None
            kind = content.pop("kind")
            return Part(kind, {name: self.of(value) for name, value in content.items()})
        if type(thing).__name__ == "Birch" and module == "sklearn":  # predicting needs no tree of clusters
            kept = {name: value for name, value in vars(thing).items() if name not in ("root_", "dummy_leaf_")}
            self.packages.add(module)
            return Part("birch", {"attributes": self.of(kept)})
        writer = _BOOSTERS.get((module, type(thing).__name__))
        if writer is None:
            return None
        name = f"parts/{len(self.files)}.{MODEL_FILES[module]}"
        self.files[name], content = writer(thing)
        self.packages.add(module)
        return Part(module, {"file": name, **content})


def _same(new: Any, old: Any) -> bool:
    return all(a is b for a, b in zip(new, old, strict=True))


def _like(thing: Any, values: dict[Any, Any]) -> Any:
    if type(thing) is dict:
        return values
    copied = thing.copy()
    copied.update(values)
    return copied


def _pandas_content(thing: Any) -> dict[str, Any] | None:
    """What pandas holds as arrays and other parts; None for what skops stores itself."""
    import pandas as pd

    if isinstance(thing, pd.DataFrame):
        series = [thing.iloc[:, index].rename(None) for index in range(thing.shape[1])]
        return {"kind": "frame", "series": series, "index": thing.index, "columns": thing.columns}
    if isinstance(thing, pd.MultiIndex):
        return None
    if isinstance(thing, pd.Series | pd.Index):
        kind = "series" if isinstance(thing, pd.Series) else "index"
        content = {"kind": kind, "values": _values(thing), "dtype": thing.dtype, "name": thing.name}
        return content | ({"index": thing.index} if isinstance(thing, pd.Series) else {})
    if isinstance(thing, pd.CategoricalDtype):
        return {"kind": "dtype", "name": "category", "categories": thing.categories, "ordered": thing.ordered}
    return {"kind": "dtype", "name": str(thing)} if isinstance(thing, pd.api.extensions.ExtensionDtype) else None


def _values(thing: Any) -> Any:
    """The values of a Series or Index as a NumPy array of its own dtype, of object where pandas has the dtype."""
    if isinstance(thing.dtype, np.dtype):
        return np.asarray(thing)
    import pandas as pd

    values = np.empty(len(thing), dtype=object)
    values[:] = [None if value is pd.NA else value for value in thing]
    return values


def _lightgbm(booster: Any) -> tuple[bytes, dict[str, Any]]:
    return booster.model_to_string(num_iteration=-1).encode(), {"best_iteration": int(booster.best_iteration)}


def _xgboost(booster: Any) -> tuple[bytes, dict[str, Any]]:
    return bytes(booster.save_raw("ubj")), {}


def _catboost(model: Any) -> tuple[bytes, dict[str, Any]]:
    return bytes(model._serialize_model()), {"class": type(model).__name__}


_BOOSTERS: dict[tuple[str, str], Callable[[Any], tuple[bytes, dict[str, Any]]]] = {
    ("lightgbm", "Booster"): _lightgbm,
    ("xgboost", "Booster"): _xgboost,
    **{("catboost", f"CatBoost{kind}"): _catboost for kind in ("", "Classifier", "Regressor", "Ranker")},
}
