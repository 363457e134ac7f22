"""Names of library functions, as own code writes them."""

from types import ModuleType
from typing import Any

import numpy as np


def public_name(function: Any) -> str:
    """A function's name as own code writes it: package and name, `numpy.random.normal` with its submodule."""
    module = (getattr(function, "__module__", None) or "").lstrip("_")  # _functools, _operator
    bound = getattr(function, "__self__", None)
    if isinstance(function, np.ufunc):
        return f"{'scipy.special' if not hasattr(np, function.__name__) else 'numpy'}.{function.__name__}"
    if isinstance(bound, type):
        return f"{bound.__module__.split('.')[0]}.{bound.__name__}.{function.__name__}"
    if isinstance(bound, np.ufunc):
        return f"numpy.{bound.__name__}.{function.__name__}"
    if bound is not None and not isinstance(bound, ModuleType):
        module = type(bound).__module__
        if module.startswith(("numpy.random", "random")):  # functions of a hidden generator
            return f"{'numpy.random' if module[0] == 'n' else 'random'}.{function.__name__}"
        return f"{module}.{type(bound).__name__}.{function.__name__}"
    name = getattr(function, "__qualname__", getattr(function, "__name__", type(function).__name__))
    top = module.split(".")[0]
    if module.startswith(("numpy.random", "scipy.special", "sklearn.utils")):
        return f"{'.'.join(module.split('.')[:2])}.{name}"
    return f"{top or 'builtins'}.{name}"
