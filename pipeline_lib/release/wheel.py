"""A wheel, written so that the same files give the same bytes: no times, no compression, names in order."""

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from pipeline_lib.system.files import write_atomic

_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644


def wheel_name(package: str, version: str) -> str:
    """The file name of a wheel of any Python."""
    return f"{package}-{version}-py3-none-any.whl"


def write_wheel(
    folder: Path, package: str, version: str, files: Mapping[str, bytes], metadata: Mapping[str, bytes]
) -> Path:
    """Write a wheel of `files`, and of `metadata` in its `.dist-info`; returns its path."""
    info = f"{package}-{version}.dist-info"
    entries = {f"{package}/{name}": content for name, content in files.items()}
    entries |= {f"{info}/{name}": content for name, content in metadata.items()}
    record = "".join(f"{name},{_digest(content)},{len(content)}\n" for name, content in sorted(entries.items()))
    record += f"{info}/RECORD,,\n"
    path = folder / wheel_name(package, version)
    write_atomic(path, _zipped({**dict(sorted(entries.items())), f"{info}/RECORD": record.encode()}))
    return path


def _digest(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"


def _zipped(entries: Mapping[str, bytes]) -> bytes:
    import io

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = 3  # Unix, wherever it is written
            entry.external_attr = _MODE << 16
            archive.writestr(entry, content)
    return stream.getvalue()
