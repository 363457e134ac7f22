"""The wheel of an installed distribution, packed again from its installed files."""

import base64
import hashlib
import zipfile
from email.parser import Parser
from importlib import metadata
from pathlib import Path

_OF_THE_INSTALLATION = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
"""Files of a `.dist-info` folder that an installer writes."""


def pack_installed(package: str, target: Path) -> Path | None:
    """Write the wheel of the distribution that holds `package` into a folder.

    None where no distribution installed the package's own files, as for an editable one. The files are those that are
    installed, changed or not. Files outside of the packages folder, such as scripts, are left out: an installer writes
    them from the entry points.
    """
    distribution = _distribution(package)
    if distribution is None:
        return None
    files = {}
    for file in distribution.files or ():
        written = file.parent.name.endswith(".dist-info") and file.name in _OF_THE_INSTALLATION
        if not written and ".." not in file.parts and "__pycache__" not in file.parts:
            files[file.as_posix()] = Path(str(file.locate())).read_bytes()
    infos = {name.partition("/")[0] for name in files if name.partition("/")[0].endswith(".dist-info")}
    if len(infos) != 1:  # an egg-info that a build has left in the folder of a checkout
        return None
    (info,) = infos
    tag = Parser().parsestr(files[f"{info}/WHEEL"].decode())["Tag"]
    lines = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()
    target.mkdir(parents=True, exist_ok=True)
    wheel = target / f"{info.removesuffix('.dist-info')}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return wheel


def _distribution(package: str) -> metadata.Distribution | None:
    for name in metadata.packages_distributions().get(package, ()):
        distribution = metadata.distribution(name)
        if any(file.as_posix() == f"{package}/__init__.py" for file in distribution.files or ()):
            return distribution
    return None


def _digest(content: bytes) -> str:
    """A digest as the RECORD of a wheel has it: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
