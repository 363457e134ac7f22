"""Which compiler builds the core, and when setup has to install one."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from example import ROOT


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """native/build.py on a system without a C compiler, where no core was built."""
    spec = importlib.util.spec_from_file_location("build_without_compiler", ROOT / "native" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TARGET", tmp_path / "_core.abi3.so")
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    monkeypatch.delenv("CC", raising=False)
    return module


def test_without_a_compiler_one_line_says_so(build: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.lacks_compiler()
    assert not build.main()
    assert capsys.readouterr().out.startswith("the native core was not built (no C compiler)")
    assert not build.TARGET.exists()


def test_with_one_or_with_a_core_none_is_installed(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "own-compiler -v")
    assert (build.compiler(), build.lacks_compiler()) == (["own-compiler", "-v"], False)
    monkeypatch.delenv("CC")
    build.TARGET.touch()
    build.TARGET.with_suffix(".stamp").write_text(build.digest(), encoding="utf-8")
    assert not build.lacks_compiler()


def test_zig_compiles_for_every_processor_of_the_kind(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: name)
    for c_library, word in (("glibc", f"{build.platform.machine()}-linux-gnu.2.17"), ("", "-mcpu=baseline")):
        monkeypatch.setattr(build.platform, "libc_ver", lambda name=c_library: (name, ""))
        assert build.compiler()[-1] == word
