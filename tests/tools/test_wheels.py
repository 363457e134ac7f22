"""Wheels with the native core: their names are true, and an installed one repeats a record with the core."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from example import ROOT

from pipeline_lib.compiled.native.core import built
from tools import wheels

RECORD = ROOT / "tests" / "data" / "records" / "tiny" / "20261129T123837487-9fa751"
NAME = "pipeline_lib-1.0-cp311-abi3-manylinux_2_17_{}.whl"
RUNS = "import pipeline_lib; from pipeline_lib.compiled.native import core; print(pipeline_lib.__file__, core.name())"


def elf(machine: int, *symbols: bytes) -> bytes:
    """The parts of a shared library that are looked at."""
    return b"\x7fELF".ljust(18, b"\x00") + machine.to_bytes(2, "little") + b"\x00".join([b"", *symbols, b""])


@pytest.mark.parametrize(("machine", "number"), wheels.MACHINES.items())
def test_a_core_of_the_wheels_machine_and_c_library_fits(machine: str, number: int) -> None:
    wheels.check_core(elf(number, b"GLIBC_2.2.5", b"GLIBC_2.17"), NAME.format(machine))
    with pytest.raises(wheels.WheelError, match=r"found symbols of glibc 2\.34, expected 2\.17 or older"):
        wheels.check_core(elf(number, b"GLIBC_2.2.5", b"GLIBC_2.34"), NAME.format(machine))
    with pytest.raises(wheels.WheelError, match=f"found a core for machine 243, expected {number}"):
        wheels.check_core(elf(243), NAME.format(machine))


def test_a_wheel_without_a_core_and_one_of_another_name_are_seen(tmp_path: Path) -> None:
    wheel = wheels.build(tmp_path, "--wheel", PIPELINE_LIB_CORE_FOR="none")
    assert wheel.name.endswith("-py3-none-any.whl")
    with pytest.raises(wheels.WheelError, match="expected the native core"):
        wheels.check_wheel(wheel)
    with pytest.raises(wheels.WheelError, match="found another name"):
        wheels.check_core(elf(62), wheel.name)


def test_the_source_archive_holds_the_cores_sources_and_no_core(tmp_path: Path) -> None:
    with tarfile.open(wheels.build(tmp_path, "--sdist")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "native").glob("*.[chp]*")}
    assert {*sources, "settings.ini", "setup.py", "pipeline_lib/refusals/rows.toml"} <= names
    assert not [name for name in names if "_core.abi3" in name or name.endswith(".pyc")]


def test_a_source_archive_without_a_compiler_becomes_a_wheel_without_a_core(tmp_path: Path) -> None:
    (archive := tmp_path / "archive").mkdir()
    source = wheels.build(archive, "--sdist")
    wheels.build_in(source, tmp_path / "out", "--wheel", CC=str(tmp_path / "no-compiler"))
    assert [path.name.endswith("-py3-none-any.whl") for path in (tmp_path / "out").glob("*.whl")] == [True]


@pytest.mark.slow
@pytest.mark.skipif(built() is None, reason="found no native core, which needs a C compiler")
def test_the_installed_wheel_of_a_source_archive_repeats_a_record_with_the_core(tmp_path: Path) -> None:
    wheels.build_in(wheels.build(tmp_path / "archive", "--sdist"), tmp_path / "out", "--wheel")
    (wheel,) = (tmp_path / "out").glob("*.whl")
    assert "-cp311-abi3-linux_" in wheel.name
    python = tmp_path / "venv" / "bin" / "python"
    uv = str(Path(sys.executable).with_name("uv"))
    target = ["--quiet", "--python", str(python)]
    call(tmp_path, uv, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "venv"))
    call(tmp_path, uv, "pip", "install", *target, "--require-hashes", "-r", str(ROOT / "requirements-core.lock"))
    call(tmp_path, uv, "pip", "install", *target, "--no-deps", str(wheel))
    place, name = call(tmp_path, str(python), "-P", "-c", RUNS).split()
    assert Path(place).is_relative_to(tmp_path)
    assert name in ("baseline", "avx2", "avx512")
    copy = shutil.copytree(RECORD, tmp_path / "tiny" / RECORD.name)
    assert "parity: exact" in call(tmp_path, str(python), "-P", "-m", "pipeline_lib", "parity", str(copy), "--quick")


def call(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
