"""Distribution metadata, read from settings.ini."""

from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

facts = ConfigParser()
facts.read("settings.ini", encoding="utf-8")
project = facts["project"]
setup(
    name=project["name"],
    version=project["version"],
    description=project["description"],
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license=project["license"],
    python_requires=f">={project['min_python']}",
    packages=find_packages(include=[f"{project['lib_path']}*"]),
    package_data={project["lib_path"]: ["py.typed", "templates/**/*"]},
    install_requires=project["requirements"].split(),
    extras_require={name: lines.split() for name, lines in facts["extras"].items()},
    entry_points={"console_scripts": [f"pipeline-lib = {project['lib_name']}.cli:main"]},
)
