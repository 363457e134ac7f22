"""Distribution metadata, read from settings.ini; a wheel carries the native core where it can be built.

PIPELINE_LIB_CORE_FOR names the machine whose core a wheel carries: x86_64 or aarch64 (by the package `ziglang`, for
every Linux from manylinux2014 on), or `none`. Without it the core is built for this machine if it has a C compiler.
"""

import importlib.util
import os
import sys
import tempfile
from configparser import ConfigParser
from pathlib import Path

from setuptools import Distribution, find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

facts = ConfigParser()
facts.read("settings.ini", encoding="utf-8")
project = facts["project"]
library = project["lib_name"]
# What this checkout's notebooks export are examples, code of a project: the framework's wheel does not carry them. The
# parity of a record whose opaque steps are among them builds a wheel that does.
examples = [f"{library}.{folder}{below}" for folder in ("steps", "pipelines") for below in ("", ".*")]
BUILD = Path("native", "build.py")


class Library(Distribution):
    """The distribution, and the core that was built for its wheel."""

    core: bytes = b""

    def has_ext_modules(self) -> bool:
        """Whether the wheel serves one kind of machine only."""
        return bool(self.core)


class Wheel(bdist_wheel):
    """A wheel for every Python from the oldest on, and for one kind of machine if it carries the core."""

    def run(self) -> None:
        """Build the core, then the wheel."""
        machine = os.environ.get("PIPELINE_LIB_CORE_FOR", "")
        if machine != "none" and BUILD.is_file() and (core := built(machine)):
            self.distribution.core, self.root_is_pure = core, False
            self.py_limited_api = "cp" + project["min_python"].replace(".", "")
            if machine:
                self.plat_name, self.plat_name_supplied = f"manylinux_2_17_{machine}", True
        super().run()


class Package(build_py):
    """The package, with the core next to the modules that call it."""

    def run(self) -> None:
        """Copy the modules and the core."""
        super().run()
        target = Path(self.build_lib, library, "compiled", "_core.abi3.so")
        target.unlink(missing_ok=True)  # of an earlier build in this folder
        if self.distribution.core:
            target.write_bytes(self.distribution.core)
            target.chmod(0o755)


def built(machine: str) -> bytes:
    """The core for a machine, or for this one; empty, and one line says why, where this one cannot build it."""
    spec = importlib.util.spec_from_file_location("native_build", BUILD)
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    with tempfile.TemporaryDirectory() as folder:
        try:
            build.build(Path(folder, "core"), machine=machine)
        except (build.CannotBuildError, OSError) as error:
            if machine:
                raise
            print(
                f"the wheel has no native core ({error}): NumPy carries plans out, with the same bits", file=sys.stderr
            )
            return b""
        return Path(folder, "core").read_bytes()


setup(
    distclass=Library,
    cmdclass={"bdist_wheel": Wheel, "build_py": Package},
    name=project["name"],
    version=project["version"],
    description=project["description"],
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license=project["license"],
    python_requires=f">={project['min_python']}",
    packages=find_packages(
        include=[library, f"{library}.*"], exclude=[] if "PIPELINE_LIB_EXAMPLES" in os.environ else examples
    ),
    package_data={library: ["py.typed", "**/templates/**/*", "refusals/*.toml"]},
    install_requires=project["requirements"].split(),
    extras_require={name: lines.split() for name, lines in facts["extras"].items()},
    entry_points={
        "console_scripts": [f"pipeline-lib = {library}.cli.main:main"],
        "jupyter_client.kernel_provisioners": [f"warm = {library}.runner.warm.provisioner:WarmProvisioner"],
        "pytest11": [f"{library}.pytest_plugin = {library}.pytest_plugin"],
    },
)
