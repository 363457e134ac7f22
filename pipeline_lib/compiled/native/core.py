"""The core as it was built for this machine, if it was: its operations and the level that runs.

The environment variable PIPELINE_LIB_CORE chooses a level: `off` (NumPy alone), `baseline`, `avx2` or `avx512`. Without
it the highest level runs that the machine has. All of them give the same bits.
"""

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import ModuleType
from typing import Any

from pipeline_lib.errors import InputError

VARIABLE = "PIPELINE_LIB_CORE"
OFF, NUMPY = "off", "numpy"
LEVELS = ("baseline", "avx2", "avx512")
_INTERFACE = 1  # as in native/module.c: a core of other sources may not know what is asked
_REBUILD = "build the core again by `make setup`"


_NUMPY_ALONE: ContextVar[bool] = ContextVar("NumPy carries plans out, not the core", default=False)


@contextmanager
def numpy_alone() -> Iterator[None]:
    """Until the end of the block plans are carried out by NumPy, whose bits define those of the core."""
    token = _NUMPY_ALONE.set(True)
    try:
        yield
    finally:
        _NUMPY_ALONE.reset(token)


is_numpy_alone = _NUMPY_ALONE.get


@cache
def built() -> ModuleType | None:
    """The module; None where it was not built, and, with a warning, where it was built from other sources."""
    try:
        from pipeline_lib.compiled import _core  # type: ignore[attr-defined, unused-ignore]
    except ImportError:
        return None
    module: ModuleType = _core
    if getattr(module, "INTERFACE", 0) != _INTERFACE:
        warnings.warn(f"NumPy carries plans out: found a core of other sources; {_REBUILD}", stacklevel=2)
        return None
    return module


def level() -> int | None:
    """The level that runs, as an index of LEVELS; None where NumPy does. Raises InputError for an unknown one."""
    module, wanted = built(), os.environ.get(VARIABLE, "")
    if wanted not in ("", OFF, *LEVELS):
        raise InputError(f"{VARIABLE}: found {wanted!r}, expected off, {', '.join(LEVELS)}; set one of these or none")
    if module is None or wanted == OFF or is_numpy_alone():
        return None
    usable: list[int] = module.levels()
    if not wanted:
        return max(usable)
    if LEVELS.index(wanted) not in usable:
        raise InputError(f"{VARIABLE}: found {wanted!r}, expected a level that this machine has; set another or none")
    return LEVELS.index(wanted)


def load_plan(data: bytes) -> Any | None:
    """The core's plan of these bytes, at the level that runs; None, with a warning, where it does not read them.

    That happens where the core was built from other sources than those that wrote the plan.
    """
    module, number = built(), level()
    if module is None or number is None:
        return None
    try:
        return module.Plan(data, number)
    except ValueError as error:
        warnings.warn(f"NumPy carries this plan out: {error}; {_REBUILD}", stacklevel=2)
        return None


def name() -> str:
    """What runs plans here: `numpy`, or the core's level."""
    number = level()
    return NUMPY if number is None else LEVELS[number]


@cache
def operations() -> Mapping[str, tuple[int, str]]:
    """The core's operations by name: their number, and the kinds of their columns."""
    module = built()
    return {name: (number, kinds) for number, (name, kinds) in enumerate(module.operations())} if module else {}
