"""Each fact is written once: version, folders, locks, public names."""

import tomllib
from configparser import ConfigParser
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from example import ROOT

import pipeline_lib
from tools.lock import requirements, stale_locks


def settings() -> ConfigParser:
    facts = ConfigParser()
    facts.read(ROOT / "settings.ini", encoding="utf-8")
    return facts


def test_locks_fit_the_requirements() -> None:
    assert stale_locks() == []


def test_a_changed_requirement_makes_the_locks_stale(tmp_path: Path) -> None:
    for name in ("settings.ini", "pyproject.toml", *requirements()):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    assert stale_locks(tmp_path) == []
    text = (tmp_path / "settings.ini").read_text(encoding="utf-8")
    (tmp_path / "settings.ini").write_text(text.replace("click>=", "click>=0"), encoding="utf-8")
    assert stale_locks(tmp_path) == ["requirements.lock", "requirements-core.lock"]
    (tmp_path / "settings.ini").write_text(text.replace("ziglang>=", "ziglang>=0.0"), encoding="utf-8")
    assert stale_locks(tmp_path) == ["requirements-compiler.lock"]


def test_digest_depends_on_python_and_every_line() -> None:
    wanted = requirements()["requirements-core.lock"]
    assert wanted.digest != replace(wanted, lines=wanted.lines[1:]).digest
    assert wanted.digest != replace(wanted, floor="3.10").digest


def test_the_locks_hold_no_index_address() -> None:
    for name in requirements():
        assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_nbdev_and_settings_name_the_same_folders() -> None:
    nbdev = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["nbdev"]
    project = settings()["project"]
    assert (nbdev["lib_path"], nbdev["nbs_path"]) == (project["lib_name"], project["nbs_path"])


def test_the_version_is_only_in_settings() -> None:
    assert metadata.version("nb-pipeline-lib") == settings()["project"]["version"]
    assert not hasattr(pipeline_lib, "__version__")


def test_public_names_are_documented_and_load() -> None:
    errors = {name for name in vars(pipeline_lib.errors) if name.endswith("Error")}
    assert set(pipeline_lib.__all__) == set(pipeline_lib._HOMES) | errors
    assert set(pipeline_lib.__all__) <= set(dir(pipeline_lib))
    for name in pipeline_lib.__all__:
        assert getattr(pipeline_lib, name).__doc__
    with pytest.raises(AttributeError, match="no attribute"):
        _ = pipeline_lib.nothing
