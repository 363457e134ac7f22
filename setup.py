"""Distribution metadata, read from settings.ini."""

import os
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

facts = ConfigParser()
facts.read("settings.ini", encoding="utf-8")
project = facts["project"]
library = project["lib_name"]
# What this checkout's notebooks export are examples, code of a project: the framework's wheel does not carry them. The
# parity of a record whose opaque steps are among them builds a wheel that does.
examples = [f"{library}.{folder}{below}" for folder in ("steps", "pipelines") for below in ("", ".*")]
setup(
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
