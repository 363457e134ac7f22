"""Which classes and functions the state of an opaque step may name: our own list, and packages that the caller trusts.

State in skops format is a tree of JSON nodes, each with a loader and the name of what it loads. Every node is checked
before anything is imported or made, by rules of our own and not by what skops trusts:

    data          numbers, text, lists, dicts, arrays, sparse matrices: allowed
    classes       estimators of scikit-learn and feature-engine, and helpers of theirs by full name; what the caller's
                  own package exports; classes of packages in `trust`, on a dotted boundary and defined there
    functions     by full name from `_FUNCTIONS`, and those that the caller's own package exports
    all else      refused: methods, partials, operators, anything of pickle, joblib or cloudpickle
"""

import importlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pipeline_lib.errors import InputError

_DATA_LOADERS = frozenset(
    f"{name}Node"
    for name in (
        *("Cached", "Dict", "DefaultDict", "List", "Set", "Tuple", "Bytes", "Bytearray", "Slice", "Type"),
        *("NdArray", "MaskedArray", "SparseMatrix", "DType", "RandomState", "RandomGenerator"),
    )
)
_CLASS_LOADERS = frozenset({"ObjectNode", "ConstructorFromReduceNode", "TreeNode", "LossNode", *_DATA_LOADERS})
_DATA = frozenset(
    [f"builtins.{name}" for name in ("dict", "list", "set", "tuple", "bytes", "bytearray", "slice")]
    + [f"builtins.{name}" for name in ("str", "int", "float", "bool", "complex")]
    + ["collections.OrderedDict", "collections.defaultdict", "numpy.ndarray", "numpy.dtype", "numpy.matrix"]
    + ["numpy.ma.MaskedArray", "numpy.random.mtrand.RandomState", "numpy.random._generator.Generator"]
)
_VALUES = frozenset(
    {"pandas.Index", "scipy.interpolate._bsplines.BSpline"}
    | {f"datetime.{name}" for name in ("datetime", "date", "timedelta", "timezone")}
)
PART = "pipeline_lib.compiled.opaque_state.Part"
_FUNCTIONS = frozenset(
    [f"numpy.{name}" for name in ("exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "sqrt", "cbrt", "square")]
    + [f"numpy.{name}" for name in ("absolute", "fabs", "sign", "negative", "positive", "reciprocal")]
    + [f"numpy.{name}" for name in ("sin", "cos", "tan", "tanh", "ceil", "floor", "rint", "trunc")]
    + ["numpy.mean", "numpy.median", "scipy.special.expit", "scipy.special.logit"]
    + ["scipy._lib.array_api_compat.numpy._aliases.asarray"]
    + [f"sklearn.cluster._kmeans._kmeans_single_{kind}" for kind in ("lloyd", "elkan")]
    + [
        f"sklearn.feature_selection._univariate_selection.{name}"
        for name in ("chi2", "f_classif", "f_regression", "r_regression")
    ]
    + [f"sklearn.feature_selection._mutual_info.mutual_info_{kind}" for kind in ("classif", "regression")]
)
_LIBRARIES = ("sklearn", "feature_engine")
_HELPERS = frozenset(
    {
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.cluster._bisect_k_means._BisectingTree",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._ball_tree.BallTree64",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neighbors._kd_tree.KDTree64",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)
_HELPER_MODULES = frozenset(
    {
        "sklearn._loss._loss",
        "sklearn._loss.link",
        "sklearn._loss.loss",
        "sklearn.gaussian_process.kernels",
        "sklearn.linear_model._sgd_fast",
        "sklearn.metrics._dist_metrics",
        "sklearn.metrics._scorer",
        "sklearn.model_selection._split",
        "sklearn.neural_network._stochastic_optimizers",
    }
)
_BOOSTERS = {
    "lightgbm.sklearn": ("LGBMClassifier", "LGBMRegressor", "LGBMRanker", "LGBMModel", "_LGBMLabelEncoder"),
    "xgboost.sklearn": ("XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor"),
}
_NEVER = frozenset(
    {"__main__", "pickle", "joblib", "cloudpickle", "dill", "numpy", "scipy", "pandas", "pyarrow", "skops"}
)


class Node(NamedTuple):
    """A node of a state: the loader that reads it, and the module and name of what it loads."""

    loader: str
    module: str
    name: str

    @property
    def full_name(self) -> str:
        """The module and name with a dot between."""
        return f"{self.module}.{self.name}"


def check_trust(trust: Sequence[str]) -> tuple[str, ...]:
    """The packages that a caller trusts. Raises InputError for what is no package, or must not be trusted as a whole.

    Refused are the standard library, pickle and its relatives, and packages whose classes read and write files.
    """
    if isinstance(trust, str) or not isinstance(trust, Iterable):
        names = f"({trust!r},)" if isinstance(trust, str) else "('category_encoders',)"
        raise InputError(f"found trust={trust!r}, expected a tuple of package names; write trust={names}")
    for name in trust:
        root = str(name).partition(".")[0]
        if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
            raise InputError(f"found {name!r} in trust, expected the name of a package, such as 'category_encoders'")
        if not may_be_trusted(root):
            raise InputError(
                f"found {name!r} in trust, expected a package of estimators: classes and functions of this one can "
                "read files or run code; leave it out"
            )
    return tuple(trust)


def may_be_trusted(package: str) -> bool:
    """Whether a caller may trust the classes of a package."""
    return package not in _NEVER and package not in sys.stdlib_module_names


def nodes_of(schema: Any) -> Iterator[Node]:
    """Every node of a state's JSON, also where skops would not look."""
    if isinstance(schema, dict):
        loader = schema.get("__loader__")
        if isinstance(loader, str) and loader != "JsonNode":
            yield Node(loader, str(schema.get("__module__")), str(schema.get("__class__")))
    if isinstance(schema, dict | list):
        for child in schema.values() if isinstance(schema, dict) else schema:
            yield from nodes_of(child)


def refused_names(schema: Any, library: str, trust: Sequence[str]) -> list[str]:
    """The names in a state that are not allowed, in order; what is allowed has been imported and is what it says."""
    return sorted({node.full_name for node in set(nodes_of(schema)) if not is_allowed(node, library, trust)})


def is_allowed(node: Node, library: str, trust: Sequence[str]) -> bool:
    """Whether a node loads data, a class or a function that is allowed; nothing else is imported."""
    name = node.full_name
    if node.loader == "FunctionNode":
        return name in _FUNCTIONS or _is_exported(node, library, is_class=False)
    if node.loader not in _CLASS_LOADERS:
        return False
    if node.loader in _DATA_LOADERS and _is_data(node):
        return True
    if name in _VALUES or name == PART:
        return True
    return _is_exported(node, library, is_class=True) or _is_library_class(node) or _is_trusted(node, trust)


def _is_data(node: Node) -> bool:
    import numpy as np

    if node.full_name in _DATA:
        return True
    if node.module == "numpy":
        named = getattr(np, node.name, None)
        return isinstance(named, type) and issubclass(named, np.generic)
    return node.module.startswith("scipy.sparse._") and node.name.endswith(("_matrix", "_array"))


def _is_exported(node: Node, library: str, *, is_class: bool) -> bool:
    """Whether the caller's own package exports a class or function of this name."""
    if not node.module.startswith((f"{library}.steps.", f"{library}.pipelines.")):
        return False
    named = _named(node)
    return callable(named) and isinstance(named, type) == is_class and getattr(named, "__module__", "") == node.module


def _is_library_class(node: Node) -> bool:
    if node.name in _BOOSTERS.get(node.module, ()):
        return isinstance(_named(node), type)
    if not _is_inside(node.module, _LIBRARIES):
        return False
    named = _named(node)
    if not isinstance(named, type):
        return False
    if node.full_name in _HELPERS or node.module in _HELPER_MODULES:
        return True
    from sklearn.base import BaseEstimator

    return issubclass(named, BaseEstimator)


def _is_trusted(node: Node, trust: Sequence[str]) -> bool:
    """Whether a node is a class that a trusted package defines; one that it merely imports is not."""
    if not _is_inside(node.module, trust):
        return False
    named = _named(node)
    return isinstance(named, type) and _is_inside(named.__module__, trust)


def _is_inside(module: str, packages: Sequence[str]) -> bool:
    """Whether a module is one of the packages, or below one: `a.b` is below `a`, `a_b` is not."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _named(node: Node) -> Any:
    """What a node names, once its package is allowed; None where there is no such thing."""
    try:
        return getattr(importlib.import_module(node.module), node.name, None)
    except ImportError:
        return None
