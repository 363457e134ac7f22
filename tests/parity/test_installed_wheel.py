"""What is installed is packed into a wheel that installs."""

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

from pipeline_lib.parity.installed_wheel import pack_installed


def test_the_wheel_of_an_installed_package_installs_again(tmp_path: Path) -> None:
    wheel = pack_installed("click", tmp_path)
    assert wheel is not None
    assert wheel.name == f"click-{metadata.version('click')}-py3-none-any.whl"
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "install", "--quiet", "--offline", "--no-deps", "--target", str(tmp_path / "there")]
    subprocess.run([*command, str(wheel)], check=True)  # noqa: S603
    here = Path(str(metadata.distribution("click").locate_file("click")))
    names = {path.name for path in here.glob("*.py")}
    assert "__init__.py" in names
    for name in names:
        assert (tmp_path / "there" / "click" / name).read_bytes() == (here / name).read_bytes()


def test_the_record_of_the_wheel_lists_its_files(tmp_path: Path) -> None:
    wheel = pack_installed("click", tmp_path)
    assert wheel is not None
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (record,) = (name for name in names if name.endswith(".dist-info/RECORD"))
        lines = archive.read(record).decode().splitlines()
    assert [line.rsplit(",", 2)[0] for line in lines] == names
    assert not any(name.endswith(("INSTALLER", ".pyc")) or name.startswith("..") for name in names)


def test_an_editable_package_has_no_files_to_pack(tmp_path: Path) -> None:
    assert pack_installed("pipeline_lib", tmp_path) is None
    assert pack_installed("no_such_package", tmp_path) is None
    assert list(tmp_path.iterdir()) == []
