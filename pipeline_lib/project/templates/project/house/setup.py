"""Distribution metadata, read from settings.ini."""

from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

facts = ConfigParser()
facts.read("settings.ini", encoding="utf-8")
project = facts["project"]
library = project["lib_name"]
setup(
    name=project["name"],
    version=project["version"],
    description=project["description"],
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=f">={project['min_python']}",
    packages=find_packages(include=[library, f"{library}.*"]),
    package_data={library: ["py.typed"]},
    install_requires=project["requirements"].split(),
    extras_require={name: lines.split() for name, lines in facts["extras"].items()},
)
