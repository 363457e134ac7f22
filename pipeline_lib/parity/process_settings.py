"""Settings of fresh processes, and the proof that each took effect.

A setting that is impossible on this machine raises `AbsentError` with the reason.
"""

import locale
import os
import sys
import time
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline_lib.compiled.native import core
from pipeline_lib.system.fingerprint import cpu_count

ANOTHER_DAY = 400
"""Days by which the clock is moved: enough to change year, month, day and weekday."""


class AbsentError(Exception):
    """A variation is impossible here, for the reason in the message."""


@dataclass(frozen=True)
class Preparation:
    """The input for preparing a process: a folder for the check, and facts of the record.

    `opaque` are the steps that need their libraries, `library` the package whose steps may be loaded, `packages` the
    recorded versions. `trust` are other packages whose classes opaque steps may hold, `needs` the names under which
    the packages of opaque steps are installed.
    """

    folder: Path
    opaque: tuple[str, ...]
    library: str
    packages: Mapping[str, str]
    trust: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """A fresh process: its environment variables, clock and Python, and the values that it must show as `proof`.

    `days` moves the clock and lists what reads it; 0 only lists. With `own_packages` the process imports from an
    environment of its own, otherwise the packages of this process.
    """

    proof: Mapping[str, Any]
    variables: Mapping[str, str] = field(default_factory=dict)
    days: int | None = None
    python: str = sys.executable
    own_packages: bool = False


Prepare = Callable[[Preparation], Setting]


def threads(count: int) -> Prepare:
    """BLAS and OpenMP with a number of threads."""

    def prepare(preparation: Preparation) -> Setting:
        _need("threadpoolctl")
        if cpu_count() < count:
            raise AbsentError(f"found {cpu_count()} CPU for this process, needs {count}")
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        return Setting({"threads": [count]}, dict.fromkeys(names, str(count)))

    return prepare


def kernel(name: str, needs: str, shown: str) -> Prepare:
    """OpenBLAS's kernel for another CPU; `shown` is OpenBLAS's own name of it."""

    def prepare(preparation: Preparation) -> Setting:
        _need("threadpoolctl")
        if not _features().get(needs):
            raise AbsentError(f"needs a CPU with {needs}")
        if not _blas("architecture"):
            raise AbsentError("needs a NumPy with OpenBLAS")
        return Setting({"kernel": [shown]}, {"OPENBLAS_CORETYPE": name})

    return prepare


def simd_without(*prefixes: str) -> Prepare:
    """NumPy without the CPU features whose names begin with a prefix; its baseline stays."""

    def prepare(preparation: Preparation) -> Setting:
        enabled = _proof_simd()
        disabled = [name for name in enabled if name.startswith(prefixes)]
        if not disabled:
            raise AbsentError("NumPy uses no such CPU feature here")
        left = [name for name in enabled if name not in disabled]
        before = os.environ.get("NPY_DISABLE_CPU_FEATURES", "").replace(",", " ").split()
        return Setting({"simd": left}, {"NPY_DISABLE_CPU_FEATURES": " ".join([*before, *disabled])})

    return prepare


def executor(name: str) -> Prepare:
    """What carries plans out: `numpy`, or the native core at one of its levels."""

    def prepare(preparation: Preparation) -> Setting:
        module = core.built()
        if module is None:
            raise AbsentError("found no native core, which `make setup` builds where there is a C compiler")
        if name != core.NUMPY and core.LEVELS.index(name) not in module.levels():
            raise AbsentError(f"needs a CPU with {name}")
        return Setting({"executor": name}, {core.VARIABLE: core.OFF if name == core.NUMPY else name})

    return prepare


def hash_seed(preparation: Preparation) -> Setting:
    """Another hash seed than this process has: another order of sets."""
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    return Setting({"hash seed": seed}, {"PYTHONHASHSEED": seed})


def locale_c(preparation: Preparation) -> Setting:
    """The C locale for every category, with ASCII as its encoding."""
    variables = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    return Setting({"locale": "C"}, variables)


def time_zone(zones: Mapping[str, int]) -> Prepare:
    """The first of `zones` (name to seconds east of Greenwich) that is not this process's own."""

    def prepare(preparation: Preparation) -> Setting:
        name, seconds = next(zone for zone in zones.items() if zone[1] != -time.timezone)
        if not any((Path(path) / name).is_file() for path in zoneinfo.TZPATH):
            raise AbsentError(f"found no zone {name} on this system; needs its time zone database")
        return Setting({"zone": seconds}, {"TZ": name})

    return prepare


def another_day(preparation: Preparation) -> Setting:
    """The clock moved by more than a year."""
    if sys.implementation.name != "cpython":
        raise AbsentError("needs CPython, whose clock can be moved")
    return Setting({"days moved": [ANOTHER_DAY]}, days=ANOTHER_DAY)


def proof_of(names: Iterable[str]) -> dict[str, Any]:
    """The values in this process that settings must prove, by name. Taken before anything is predicted."""
    return {name: _PROOFS[name]() for name in names}


def _need(package: str) -> None:
    if find_spec(package) is None:
        raise AbsentError(f"needs {package} to prove that the setting took effect")


def _features() -> dict[str, bool]:
    from numpy._core._multiarray_umath import __cpu_features__  # type: ignore[attr-defined,import-not-found,unused-ignore]

    return dict(__cpu_features__)


def _proof_simd() -> list[str]:
    """The CPU features above its baseline that NumPy uses."""
    from numpy._core._multiarray_umath import __cpu_dispatch__  # type: ignore[attr-defined,import-not-found,unused-ignore]

    features = _features()
    return [name for name in __cpu_dispatch__ if features.get(name)]


def _blas(key: str) -> list[Any]:
    import numpy as np
    from threadpoolctl import threadpool_info

    np.dot(np.ones(2), np.ones(2))
    loaded = [info for info in threadpool_info() if info.get("internal_api") == "openblas"]
    return sorted({info[key] for info in loaded if info.get(key)})


def _proof_packages() -> str:
    inside = Path(__file__).is_relative_to(sys.prefix)
    return "own environment" if inside and sys.prefix != sys.base_prefix else sys.prefix


def _proof_days() -> list[int]:
    from pipeline_lib.parity.clock import moved_days

    return moved_days()


_PROOFS: dict[str, Callable[[], Any]] = {
    "threads": lambda: _blas("num_threads"),
    "kernel": lambda: _blas("architecture"),
    "simd": _proof_simd,
    "executor": core.name,
    "hash seed": lambda: os.environ.get("PYTHONHASHSEED") if sys.flags.hash_randomization else None,
    "locale": lambda: locale.setlocale(locale.LC_ALL, ""),
    "zone": lambda: -time.timezone,
    "days moved": _proof_days,
    "python": lambda: f"{sys.version_info.major}.{sys.version_info.minor}",
    "packages from": _proof_packages,
    "research packages": lambda: [name for name in ("IPython", "papermill", "nbdev") if find_spec(name)],
    "libraries": lambda: [name for name in ("pandas", "sklearn", "feature_engine") if find_spec(name)],
}
