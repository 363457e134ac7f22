"""The description of the environment names what may change a bit, and nothing personal."""

import builtins
import json
import os
import platform
import sys
from importlib import metadata
from io import StringIO
from typing import Any

import pytest

from pipeline_lib.system import environment
from pipeline_lib.system.environment import describe_environment, installed_packages


def test_the_description_is_json_and_names_what_may_change_a_bit() -> None:
    found = describe_environment()
    assert json.loads(json.dumps(found)) == found
    assert found["python"]["version"] == platform.python_version()
    assert found["cpu"]["features"] == sorted(found["cpu"]["features"])
    assert found["packages"]["numpy"]


def test_packages_are_sorted_without_regard_to_case() -> None:
    names = list(installed_packages())
    assert names == sorted(names, key=str.lower)


def test_packages_are_those_that_their_metadata_name() -> None:
    assert installed_packages() == {dist.metadata["Name"]: dist.version for dist in metadata.distributions()}


def test_only_variables_that_matter_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"TZ": "UTC", "OMP_NUM_THREADS": "1", "HOME": "/secret", "TZDIR": "/zones"})
    assert describe_environment()["variables"] == {"OMP_NUM_THREADS": "1", "TZ": "UTC"}


def test_no_host_user_or_path_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "USER", "HOSTNAME", "PWD"):
        monkeypatch.setenv(name, "canary-value")
    monkeypatch.setattr(platform, "node", lambda: "canary-value")
    text = json.dumps(describe_environment())
    assert "canary-value" not in text
    assert sys.prefix not in text


def test_without_threadpoolctl_no_library_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert describe_environment()["blas"] == []


def test_loaded_libraries_are_listed_without_their_files() -> None:
    pytest.importorskip("threadpoolctl")
    for library in describe_environment()["blas"]:
        assert "filepath" not in library
        assert library["num_threads"] >= 1


@pytest.mark.parametrize(
    ("content", "expected"), [("vendor_id: x\nmodel name: Fast 9\n", "Fast 9"), ("", "fallback"), (None, "fallback")]
)
def test_the_cpu_is_named_or_left_to_the_platform(
    monkeypatch: pytest.MonkeyPatch, content: str | None, expected: str
) -> None:
    def opened(*_: Any, **__: Any) -> StringIO:
        if content is None:
            raise FileNotFoundError
        return StringIO(content)

    monkeypatch.setattr(platform, "processor", lambda: "fallback")
    monkeypatch.setattr(builtins, "open", opened)
    found = environment._cpu_model()
    monkeypatch.undo()
    assert found == expected
