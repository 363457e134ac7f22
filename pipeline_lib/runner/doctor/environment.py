"""The doctor's checks of Python, its packages and its machine."""

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata

from pipeline_lib.project.checkout import package_folder
from pipeline_lib.project.project import Project
from pipeline_lib.runner.doctor.finding import Finding, counted
from pipeline_lib.system.environment import installed_packages
from pipeline_lib.system.fingerprint import cpu_count, environment_variables

DISTRIBUTION = "nb-pipeline-lib"
_OLDEST = (3, 11)
_SECONDS = 60
"""How long a kernel may take to answer."""
_OWN_EXTRAS = ("dev", "peers")
"""Extras that only the framework's own checkout needs."""
_REQUIRED_EXTRAS = ("opaque", "research")
"""Extras without which no research run starts."""


def check_python() -> Iterator[Finding]:
    """The version of Python, and where it is from."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST:
        yield Finding(
            "Python", "problem", f"found {version}, expected 3.11 or newer; run `make setup PYTHON=python3.11`"
        )
    elif sys.flags.optimize:
        text = f"found {version} with PYTHONOPTIMIZE, which removes assertions, expected none; unset it"
        yield Finding("Python", "warn", text)
    else:
        yield Finding("Python", "ok", f"{version}, {sys.prefix}")


def check_package(project: Project) -> Iterator[Finding]:
    """Which package is loaded: this checkout's, or another one's."""
    project.check_loaded()
    project.check_installed()
    framework, own = package_folder("pipeline_lib"), package_folder(project.library)
    version = metadata.version(DISTRIBUTION)
    yield Finding("package", "ok", f"{project.library} from {own}; pipeline_lib {version} from {framework}")


def check_lock(project: Project, installed: dict[str, str] | None = None) -> Iterator[Finding]:
    """Installed packages against requirements.lock."""
    path = project.root / "requirements.lock"
    if not path.is_file():
        text = "found no requirements.lock, expected one, so that others run the same versions; run `make lock`"
        yield Finding("lock file", "warn", text)
        return
    versions = {_canonical(name): version for name, version in (installed or installed_packages()).items()}
    locked = dict(locked_versions(path.read_text(encoding="utf-8")))
    found = {name: f"{name} {versions[name]}" if name in versions else f"no {name}" for name in locked}
    wrong = [
        f"found {found[name]}, expected {version} as in requirements.lock; run `make setup`"
        for name, version in locked.items()
        if versions.get(name) != version
    ]
    yield from counted("lock file", "problem", wrong, f"{len(locked)} packages are installed as requirements.lock says")


def locked_versions(text: str) -> Iterator[tuple[str, str]]:
    """Names and versions in a lock file that count for this Python on this system."""
    for match in re.finditer(r"^([A-Za-z0-9._-]+)==([^\s;]+)(?: *; *([^\\\n]+))?", text, re.MULTILINE):
        if not match[3] or _applies(match[3].strip()):
            yield _canonical(match[1]), match[2]


def _applies(marker: str) -> bool:
    from packaging.markers import Marker

    return Marker(marker).evaluate()


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def check_kernel(project: Project) -> Iterator[Finding]:
    """A kernel starts as for a run, and imports the package whose notebooks are exported."""
    begin = time.monotonic()
    error = first_cell(project, f"import {project.library}")
    if error:
        text = (
            f"found {error} as a kernel imports {project.library}, expected this checkout's package; run `make setup`"
        )
        yield Finding("kernel", "problem", text)
    else:
        yield Finding("kernel", "ok", f"starts and imports {project.library} in {time.monotonic() - begin:.1f} s")


def first_cell(project: Project, source: str) -> str:
    """The error of a cell in a new kernel, which works where research notebooks lie; empty where it has none."""
    from ipykernel.kernelspec import RESOURCES, get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import KernelManager

    research = project.notebooks / "research"
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())  # this Python's, as for a run
    with tempfile.TemporaryFile() as log:
        manager.start_kernel(cwd=str(research if research.is_dir() else project.root), stderr=log)
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=_SECONDS)
            reply = client.execute_interactive(source, timeout=_SECONDS, output_hook=lambda message: None)
        except (RuntimeError, TimeoutError) as error:
            log.seek(0)
            lines = log.read().decode(errors="replace").strip().splitlines()
            return f"{error}{f' ({lines[-1]})' if lines else ''}"
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    content = reply["content"]
    return "" if content["status"] == "ok" else f"{content.get('ename')}: {content.get('evalue')}"


def check_machine() -> Iterator[Finding]:
    """CPUs, threads, variables that change what is computed or how fast."""
    cpus, variables = cpu_count(), environment_variables()
    threads = {name: value for name, value in variables.items() if name.endswith("_NUM_THREADS")}
    more = [f"{name}={value}" for name, value in threads.items() if value.isdigit() and int(value) > cpus]
    if more:
        text = f"found {', '.join(more)} with {cpus} CPUs, expected at most as many threads; unset it"
        yield Finding("machine", "warn", text)
        return
    allowed = f"{cpus} CPUs" if cpus == os.cpu_count() else f"{cpus} of {os.cpu_count()} CPUs"
    settings = ", ".join(f"{name}={value}" for name, value in variables.items()) or "no variables that change results"
    yield Finding("machine", "ok", f"{allowed}, {settings}")


def check_extras(missing: dict[str, list[str]] | None = None) -> Iterator[Finding]:
    """Which optional parts of the framework are installed."""
    absent = missing_extras() if missing is None else missing
    required = [f"{name} ({', '.join(absent[name])})" for name in _REQUIRED_EXTRAS if name in absent]
    if required:
        extras = ",".join(_REQUIRED_EXTRAS)
        text = f"found no {', '.join(required)}, expected them for runs; pip install '{DISTRIBUTION}[{extras}]'"
        yield Finding("extras", "problem", text)
        return
    optional = "; ".join(f"without {name} ({', '.join(packages)})" for name, packages in absent.items())
    yield Finding("extras", "ok", f"opaque, research; {optional or 'all others'}")


def missing_extras() -> dict[str, list[str]]:
    """Extras of the framework of which a package is not installed, with these packages."""
    installed = {_canonical(name) for name in installed_packages()}
    absent: dict[str, list[str]] = {}
    for requirement in metadata.requires(DISTRIBUTION) or ():
        match = re.match(r"""([A-Za-z0-9._-]+).*; *extra *== *["']([^"']+)["']""", requirement)
        if match and match[2] not in _OWN_EXTRAS and _canonical(match[1]) not in installed:
            absent.setdefault(match[2], []).append(match[1])
    return absent
