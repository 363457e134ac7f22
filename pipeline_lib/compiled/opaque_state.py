"""The state of an opaque step on disk: a zip file, read without executing what is in it.

    schema.json, arrays   the fitted object in skops format, whose classes and functions `opaque_trust` admits
    parts/N.txt, ...      boosters as their library's own model file: LightGBM text, XGBoost UBJSON, CatBoost's cbm
    packages.json         the packages whose classes the step holds, with the versions that it was compiled with

In the skops tree a `Part` takes the place of a booster and of what pandas holds, which skops does not store. States
without packages.json are of earlier releases.
"""

import importlib.metadata
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from pipeline_lib.compiled.opaque_trust import may_be_trusted, nodes_of, refused_names
from pipeline_lib.errors import InputError

PACKAGES = "packages.json"
DISTRIBUTIONS = {"sklearn": "scikit-learn", "feature_engine": "feature-engine", "imblearn": "imbalanced-learn"}
"""Names of packages to install, by the names to import, where they differ."""
MODEL_FILES = {"lightgbm": "txt", "xgboost": "ubj", "catboost": "cbm"}
_CATBOOST = ("CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker")


class UntrustedError(InputError):
    """A state that holds classes or functions, by `names`, that are not admitted."""

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = tuple(names)


class Part:
    """The place of an object that skops does not store: `kind` says what it is, `content` holds it as data.

    Of a booster, `content` names its model file in the state.
    """

    def __init__(self, kind: str, content: Mapping[str, Any]) -> None:
        self.kind = kind
        self.content = dict(content)


def load_state(
    state: bytes, library: str, trust: Sequence[str] = (), *, other_versions: bool = False, name: str = ""
) -> Any:
    """A fitted step from its state. What is admitted: see `opaque_trust`; `name` is the step's name in messages.

    Attributes named `n_jobs` become 1. Raises UntrustedError for what is not admitted, and InputError for a damaged
    state and, without `other_versions`, where a package of the step has another version than when it was compiled.
    """
    import skops.io

    where = f"step {name}: " if name else ""
    try:
        with ZipFile(io.BytesIO(state)) as archive:
            schema = json.loads(archive.read("schema.json"))
            packages = json.loads(archive.read(PACKAGES)) if PACKAGES in archive.namelist() else {}
            files = {entry: archive.read(entry) for entry in archive.namelist() if entry.startswith("parts/")}
    except Exception as error:  # a damaged file can make zip and JSON raise anything
        raise InputError(
            f"{where}found a damaged opaque step ({error}), expected a zip file in skops format; run again"
        ) from error
    _check_versions(where, packages, other_versions)
    try:
        refused = refused_names(schema, library, trust)
    except RecursionError:
        raise InputError(f"{where}found an opaque step nested too deeply, expected state of a fitted step") from None
    if refused:
        raise UntrustedError(f"{where}{_refusal(refused, library)}", refused)
    try:
        loaded = skops.io.loads(state, trusted=sorted({node.full_name for node in nodes_of(schema)}))
        return _Restored(files).of(loaded)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{where}found an opaque step that cannot be loaded ({type(error).__name__}: {error}), expected state of "
            "the installed libraries; run again"
        ) from error


def distributions(artifact: Path) -> tuple[str, ...]:
    """The names under which the packages of an artifact's opaque steps are installed here."""
    modules: set[str] = set()
    for path in sorted(artifact.glob("opaque_*.skops")):
        with ZipFile(path) as archive:
            modules |= set(json.loads(archive.read(PACKAGES))) if PACKAGES in archive.namelist() else set()
    known = _distributions_by_package() if modules else {}
    return tuple(sorted({known.get(name, [DISTRIBUTIONS.get(name, name)])[0] for name in modules}))


def module_version(package: str) -> str | None:
    """The version of the distribution that installed a package; None where there is none. Nothing is imported."""
    names = _distributions_by_package().get(package)
    return importlib.metadata.version(names[0]) if names else None


@cache
def _distributions_by_package() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _check_versions(where: str, packages: Mapping[str, str], other_versions: bool) -> None:
    """Refuse other versions: their answers may differ. What is not installed is refused in any case."""
    wrong = {name: version for name, version in packages.items() if module_version(name) != version}
    absent = [name for name in wrong if module_version(name) is None]
    if not absent and (other_versions or not wrong):
        return
    install = " ".join(f"'{DISTRIBUTIONS.get(name, name)}=={version}'" for name, version in wrong.items())
    found = ", ".join(f"{name} {module_version(name) or 'not installed'}" for name in wrong)
    expected = ", ".join(f"{name} {version}" for name, version in wrong.items())
    option = "" if absent else ", or load_model(folder, other_versions=True) where other answers are acceptable"
    raise InputError(
        f"{where}found {found}, expected {expected}, with which the step was compiled; pip install {install}{option}"
    )


def _refusal(refused: Sequence[str], library: str) -> str:
    return (
        f"found {', '.join(refused)} in an opaque step, expected only estimators of scikit-learn and feature-engine, "
        "which must be installed, LightGBM's, XGBoost's and CatBoost's, "
        f"and what {library}.steps and {library}.pipelines export; {_remedy(refused)}"
    )


def _remedy(refused: Sequence[str]) -> str:
    own = {name.partition(".")[0] for name in refused if name.split(".")[1:2] in (["steps"], ["pipelines"])}
    roots = {name.partition(".")[0] for name in refused}
    if len(own) == len(roots) == 1:
        return f"where you trust that package, load_model(folder, library={own.pop()!r})"
    if "__main__" in roots:
        return "export own code from a notebook: put `#| export` on the cell that defines it, and run `make export`"
    if roots <= {"sklearn", "feature_engine", *MODEL_FILES}:
        return "pip install 'nb-pipeline-lib[opaque]'"
    if not all(map(may_be_trusted, roots)):
        return "keep such objects out of the fitted steps"
    trusted = ", ".join(repr(root) for root in sorted(roots))
    return f"where you trust {', '.join(sorted(roots))}, pass trust=({trusted},) to load_model, and when you compile"


class _Restored:
    """A loaded object whose parts are made, and whose estimators use one job."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._made: dict[int, Any] = {}
        self._kept: list[Any] = []  # so that no other object gets their ids

    def of(self, thing: Any) -> Any:
        """The object that takes a thing's place: the thing itself, changed inside, but for parts and tuples."""
        if isinstance(thing, str | bytes | int | float | type(None)):
            return thing
        if id(thing) in self._made:
            return self._made[id(thing)]
        self._kept.append(thing)
        self._made[id(thing)] = thing
        if isinstance(thing, Part):
            made = self._part(thing)
        elif isinstance(thing, tuple):
            items = [self.of(item) for item in thing]
            same = all(new is old for new, old in zip(items, thing, strict=True))
            made = thing if same else tuple(items)
        else:
            made = thing
            self._inside(thing)
        self._made[id(thing)] = made
        return made

    def _inside(self, thing: Any) -> None:
        if isinstance(thing, dict):
            for key, value in thing.items():
                thing[key] = self.of(value)
        elif isinstance(thing, list):
            thing[:] = [self.of(item) for item in thing]
        elif isinstance(thing, np.ndarray):
            if thing.dtype == object:
                for index, item in np.ndenumerate(thing):
                    thing[index] = self.of(item)
        elif hasattr(thing, "__dict__") and not isinstance(thing, type):
            for key, value in vars(thing).items():
                vars(thing)[key] = self.of(value)
            if vars(thing).get("n_jobs") not in (None, 1):
                thing.n_jobs = 1
        check = _CHECKS.get(type(thing).__name__)
        if check is not None and type(thing).__module__.startswith("sklearn."):
            check(thing)

    def _part(self, part: Part) -> Any:
        maker = _PARTS.get(part.kind)
        if maker is None:
            raise InputError(f"found a part {part.kind!r}, expected one of {', '.join(_PARTS)}; run again")
        content = {name: self.of(value) for name, value in part.content.items()}
        if "file" in content:
            content["file"] = self._files[content["file"]]
        return maker(content)


def _lightgbm(content: Mapping[str, Any]) -> Any:
    import lightgbm

    booster = lightgbm.Booster(model_str=content["file"].decode())
    booster.best_iteration = int(content["best_iteration"])
    return booster


def _xgboost(content: Mapping[str, Any]) -> Any:
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(content["file"]))
    return booster


def _catboost(content: Mapping[str, Any]) -> Any:
    import catboost

    if content["class"] not in _CATBOOST:
        raise InputError(f"found the class {content['class']!r}, expected one of {', '.join(_CATBOOST)}; run again")
    return getattr(catboost, content["class"])().load_model(blob=content["file"], format="cbm")


def _birch(content: Mapping[str, Any]) -> Any:
    from sklearn.cluster import Birch

    model = Birch.__new__(Birch)
    vars(model).update(content["attributes"])
    return model


def _dtype(content: Mapping[str, Any]) -> Any:
    import pandas as pd

    if content["name"] == "category":
        return pd.CategoricalDtype(content["categories"], ordered=bool(content["ordered"]))
    if content["name"] == "str":
        return pd.StringDtype(na_value=np.nan)
    return pd.api.types.pandas_dtype(content["name"])


def _series(content: Mapping[str, Any]) -> Any:
    import pandas as pd

    return pd.Series(content["values"], index=content["index"], dtype=content["dtype"], name=content["name"])


def _index(content: Mapping[str, Any]) -> Any:
    import pandas as pd

    return pd.Index(content["values"], dtype=content["dtype"], name=content["name"])


def _frame(content: Mapping[str, Any]) -> Any:
    import pandas as pd

    frame = pd.DataFrame(dict(enumerate(content["series"])), index=content["index"])
    frame.columns = content["columns"]
    return frame


_PARTS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost,
    "birch": _birch,
    "dtype": _dtype,
    "series": _series,
    "index": _index,
    "frame": _frame,
}


def _check_tree(tree: Any) -> None:
    """Refuse a tree with a child or a column out of range: scikit-learn would read memory that is not its own."""
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = left != -1
    nodes = np.arange(len(left))
    good = (left > nodes) & (right > nodes) & (left < len(left)) & (right < len(left))
    good &= (feature >= 0) & (feature < tree.n_features)
    if not good[inner].all() or not (right[~inner] == -1).all():
        raise InputError("found a damaged tree in an opaque step, expected children behind their nodes; run again")


def _check_histogram_trees(model: Any) -> None:
    """The same for the trees of HistGradientBoosting."""
    for predictor in (tree for trees in model._predictors for tree in trees):
        nodes = predictor.nodes
        inner, index = nodes["is_leaf"] == 0, np.arange(len(nodes))
        good = (nodes["left"] > index) & (nodes["right"] > index)
        good &= (nodes["left"] < len(nodes)) & (nodes["right"] < len(nodes))
        good &= nodes["feature_idx"] < model.n_features_in_
        categories = len(predictor.raw_left_cat_bitsets)
        good &= (nodes["is_categorical"] == 0) | (nodes["bitset_idx"] < categories)
        if not good[inner].all():
            raise InputError("found a damaged tree in an opaque step, expected children behind their nodes; run again")


def _check_neighbor_tree(tree: Any) -> None:
    """Refuse a KDTree or BallTree whose nodes name rows that it does not hold."""
    data, index, nodes, _ = tree.get_arrays()
    rows = len(data)
    good = bool(((index >= 0) & (index < rows)).all()) and len(index) == rows
    good = good and bool(((nodes["idx_start"] >= 0) & (nodes["idx_end"] <= rows)).all())
    if not good:
        raise InputError("found a damaged tree of neighbours in an opaque step, expected rows that it holds; run again")


_CHECKS: dict[str, Callable[[Any], None]] = {
    "Tree": _check_tree,
    **dict.fromkeys(("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), _check_histogram_trees),
    **dict.fromkeys(("KDTree", "KDTree64", "BallTree", "BallTree64"), _check_neighbor_tree),
}


def packages_in(schema: Any, own: str) -> Iterator[str]:
    """The packages, by their names to import, whose classes and functions a state holds, but for data and own code."""
    roots = {node.module.partition(".")[0] for node in nodes_of(schema)}
    yield from sorted(roots - {"builtins", "collections", "datetime", "numpy", "scipy", "pandas", "pipeline_lib", own})
