"""The packages of opaque steps, and the versions that a step was compiled with."""

import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from pipeline_lib.compiled.opaque_trust import nodes_of
from pipeline_lib.errors import InputError

PACKAGES = "packages.json"
"""The file in a step's state that names its packages with their versions."""
DISTRIBUTIONS = {"sklearn": "scikit-learn", "feature_engine": "feature-engine", "imblearn": "imbalanced-learn"}
"""Names of packages to install, by the names to import, where they differ."""


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


def check_versions(where: str, packages: Mapping[str, str], other_versions: bool) -> None:
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


def packages_in(schema: Any, own: str) -> Iterator[str]:
    """The packages, by their names to import, whose classes and functions a state holds, but for data and own code."""
    roots = {node.module.partition(".")[0] for node in nodes_of(schema)}
    yield from sorted(roots - {"builtins", "collections", "datetime", "numpy", "scipy", "pandas", "pipeline_lib", own})
