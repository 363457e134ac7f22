"""Downloads: http and https by Python itself, other schemes by fsspec."""

import base64
import http.client
import urllib.error
import urllib.request
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

from pipeline_lib.errors import InputError
from pipeline_lib.project.connections import passwords, without_credentials
from pipeline_lib.project.redaction import Redactor

_SECONDS = 60
"""How long a server may be silent."""
_LOCAL = ("", "file", "local")


def download(url: str) -> tuple[bytes, str]:
    """The bytes at an address, and the suffix of its path, such as `.csv`.

    Raises InputError, whose message has no password.
    """
    scheme = urlsplit(url).scheme.lower()
    shown = without_credentials(url)
    if scheme in _LOCAL:
        raise InputError(
            f"fetch: found the file {shown!r}, expected an address; read the file, or name it by data_path"
        )
    try:
        content = _over_http(url) if scheme in ("http", "https") else _over_fsspec(url)
    except InputError:
        raise
    except Exception as error:  # each protocol's package has errors of its own
        redact = Redactor(dict.fromkeys(passwords(url), "fetch"))
        text = redact.redact_text(f"{type(error).__name__}: {error}")
        raise InputError(f"fetch: {shown}: found {text}, expected its content; check the address") from None
    suffix = PurePosixPath(unquote(urlsplit(url).path)).suffix
    return content, suffix if suffix[1:].isalnum() and suffix.isascii() else ""


def _over_http(url: str) -> bytes:
    parts = urlsplit(url)
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))  # noqa: S310
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 (http and https only)
        content: bytes = response.read()
        length = response.headers.get("Content-Length")
    if length is not None and length.isdigit() and int(length) != len(content):
        raise http.client.IncompleteRead(content, int(length) - len(content))
    return content


def _over_fsspec(url: str) -> bytes:
    try:
        import fsspec
    except ModuleNotFoundError as error:
        raise InputError(
            f"fetch: found no package {error.name!r}, expected the extra share; pip install 'nb-pipeline-lib[share]'"
        ) from error
    with fsspec.open(url, "rb") as stream:
        content: bytes = stream.read()
    return content
