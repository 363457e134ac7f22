"""The fingerprint of this Python, its packages and its machine, taken in milliseconds without importing a package."""

import os
import platform
import site
import sys
import time
from pathlib import Path

from pipeline_lib.system.files import canonical_json, sha256_bytes, sha256_file

_VARIABLE_PREFIXES = (
    *("OMP_", "OPENBLAS_", "GOTO_", "MKL_", "BLIS_", "VECLIB_", "KMP_", "LOKY_", "NUMEXPR_", "NUMBA_"),
    *("NPY_", "SCIPY_", "SKLEARN_", "ARROW_", "PANDAS_"),
)
_VARIABLE_NAMES = (
    *("PYTHONHASHSEED", "PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONUTF8", "PYTHONCOERCECLOCALE"),
    *("GLIBC_TUNABLES", "LD_PRELOAD", "LD_LIBRARY_PATH"),
    *("TZ", "LANG", "LC_ALL", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_CTYPE"),
)
_SET_BY_SCIKIT_LEARN = {"KMP_DUPLICATE_LIB_OK": "True", "KMP_INIT_AT_FORK": "FALSE"}
"""Variables that its import sets: processes before and after the import have equal fingerprints."""
_CPU_FIELDS = (
    *("vendor_id", "cpu family", "model", "model name", "stepping", "cache size", "flags"),
    *("CPU implementer", "CPU architecture", "CPU variant", "CPU part", "Features"),
)
"""Fields of /proc/cpuinfo by which NumPy, BLAS and the C library choose their code: of x86, then of ARM."""


def fingerprint() -> dict[str, str]:
    """Facts that may change a bit of what is computed, by name: with equal facts a result can be used again.

    A package's fact is the digest of its RECORD, the list of its files with their digests, so another build of the
    same version differs. BLAS has no fact of its own: it comes with packages, and is chosen by CPU and variables.
    `cpu` is missing where the system does not name it.
    """
    facts = {
        "Python": f"{platform.python_implementation()} {platform.python_version()} {platform.python_compiler()}",
        "system": f"{sys.platform} {os.uname().machine} {_libc()}",
        "threads": str(cpu_count()),
        "time zone": " ".join(time.tzname),
        **{f"variable {name}": value for name, value in environment_variables().items()},
    }
    cpu = _cpu()
    return facts | ({"cpu": cpu} if cpu else {}) | _kernel() | _packages()


def environment_variables() -> dict[str, str]:
    """Environment variables that choose code, threads, time zone or locale, without what scikit-learn's import sets."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if name in _VARIABLE_NAMES or name.startswith(_VARIABLE_PREFIXES)
    }
    return {name: variables[name] for name in sorted(variables) if variables[name] != _SET_BY_SCIKIT_LEARN.get(name)}


def site_folders() -> list[Path]:
    """The folders where this Python's packages are installed."""
    folders = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    return [Path(folder).resolve() for folder in folders]


def installed_names() -> set[str]:
    """Names of the installed top-level packages and modules, as they are imported."""
    folders = [folder for folder in site_folders() if folder.is_dir()]
    return {path.name.partition(".")[0] for folder in folders for path in folder.iterdir()}


def _kernel() -> dict[str, str]:
    """Digests of the kernelspec and of the files that a kernel executes before the first cell."""
    listed = [Path(folder) for folder in os.environ.get("JUPYTER_PATH", "").split(os.pathsep) if folder]
    data = Path(os.environ.get("JUPYTER_DATA_DIR", Path.home() / ".local/share/jupyter"))
    folders = [*listed, data, *(Path(prefix) / "share/jupyter" for prefix in (sys.prefix, "/usr/local", "/usr"))]
    specs = (folder / "kernels/python3/kernel.json" for folder in folders)
    spec = next((sha256_bytes(path.read_bytes()) for path in specs if path.is_file()), "")
    startup = Path(os.environ.get("IPYTHONDIR", Path.home() / ".ipython")) / "profile_default/startup"
    executed = sorted(path for path in startup.glob("*.*py") if path.is_file())
    return {"kernel": spec, **{f"startup file {path.name}": sha256_bytes(path.read_bytes()) for path in executed}}


def packages_digest() -> str:
    """One digest of all installed packages."""
    return sha256_bytes(canonical_json(_packages()))


def _packages() -> dict[str, str]:
    """Digests of each installed distribution's RECORD and of the .pth files, which add folders to Python's path."""
    digests = {}
    for folder in site_folders():
        if not folder.is_dir():
            continue
        for entry in os.scandir(folder):
            if entry.name.endswith(".pth"):
                digests[f"path file {entry.name}"] = sha256_file(entry.path)
            elif entry.name.endswith((".dist-info", ".egg-info", ".egg-link")):
                try:
                    digests[f"package {entry.name}"] = sha256_file(f"{entry.path}/RECORD")
                except (FileNotFoundError, NotADirectoryError):  # an .egg-info or .egg-link has no RECORD
                    digests[f"package {entry.name}"] = ""
    return dict(sorted(digests.items()))


def cpu_count() -> int:
    """Number of CPUs that this process may use: the default thread count of BLAS and OpenMP."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError):  # not the GNU C library
        return platform.release()


def _cpu() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    except OSError:
        return platform.processor() or None
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return "; ".join(f"{key} {fields[key]}" for key in _CPU_FIELDS if key in fields) or None
