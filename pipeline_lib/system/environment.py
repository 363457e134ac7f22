"""The environment of a run: everything outside the code that may change a bit of its outputs."""

import locale
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import Any

from pipeline_lib.system.fingerprint import environment_variables


def describe_environment() -> dict[str, Any]:
    """Packages, Python, CPU features, BLAS, threads, locale and time zone of this process, as JSON values.

    It holds no host name, user name or path.
    """
    return {
        "packages": installed_packages(),
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "compiler": platform.python_compiler(),
        },
        "system": {"name": platform.system(), "machine": platform.machine(), "libc": " ".join(platform.libc_ver())},
        "cpu": {"count": os.cpu_count(), "model": _cpu_model(), "features": _cpu_features()},
        "blas": _blas(),
        "variables": environment_variables(),
        "locale": {
            "numeric": locale.setlocale(locale.LC_NUMERIC),
            "time": locale.setlocale(locale.LC_TIME),
            "encoding": sys.getfilesystemencoding(),
        },
        "time_zone": list(time.tzname),
    }


@contextmanager
def environment_variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable inside the block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def installed_packages() -> dict[str, str]:
    """Installed distributions and their versions, sorted by name."""
    versions = dict(_name_and_version(dist) for dist in metadata.distributions())
    return {name: versions[name] for name in sorted(versions, key=str.lower)}


def _name_and_version(dist: metadata.Distribution) -> tuple[str, str]:
    """A distribution's name and version, read from its metadata's text: `dist.metadata` takes ten times as long."""
    head, _, _ = (dist.read_text("METADATA") or dist.read_text("PKG-INFO") or "").partition("\n\n")
    fields = dict(line.partition(": ")[::2] for line in head.splitlines())
    if {"Name", "Version"} <= fields.keys():
        return fields["Name"], fields["Version"]
    return dist.metadata["Name"], dist.version


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 (no path object needed)
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def _cpu_features() -> list[str]:
    """The SIMD levels that NumPy found on this CPU and may use."""
    from numpy._core._multiarray_umath import __cpu_features__  # type: ignore[attr-defined,import-not-found,unused-ignore]

    return sorted(name for name, present in __cpu_features__.items() if present)


def _blas() -> list[dict[str, Any]]:
    """The linear algebra and thread libraries loaded so far; empty where threadpoolctl is not installed."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return []
    keys = ("user_api", "internal_api", "version", "architecture", "threading_layer", "num_threads")
    libraries = [{key: info.get(key) for key in keys} for info in threadpool_info()]
    return sorted(libraries, key=str)  # threadpoolctl lists them in the order of loading, which differs between runs
