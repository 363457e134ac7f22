"""Downloads: http and https by Python itself, other schemes by fsspec."""

import base64
import difflib
import http.client
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

from pipeline_lib.errors import InputError
from pipeline_lib.project.connections import passwords, without_credentials
from pipeline_lib.project.redaction import Redactor

_SECONDS = 60
"""How long a server may be silent."""
_LOCAL = ("", "file", "local")


def checked_source(source: object) -> str:
    """What `fetch` was given: an address, or what can be a connection's name. Raises InputError for anything else."""
    text = str(source)
    if not isinstance(source, str):
        slashes = ", since a path has lost a slash of the address" if isinstance(source, Path) and ":" in text else ""
        what = "pass it as text" if slashes else f"read a file of the project by data_path({text!r})"
        raise InputError(
            f"fetch: found {source!r}{slashes}, expected an address or a connection's name as text; {what}"
        )
    if "://" not in text and not text.replace("_", "a").isalnum():
        raise InputError(
            f"fetch: found {text!r}, expected an address with its scheme, such as https://example.org/prices.csv, or a "
            "connection's name; write the address in full, and read a file of the project by data_path"
        )
    return text


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
    if scheme not in ("http", "https"):
        _check_scheme(scheme, shown)
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


def _check_scheme(scheme: str, shown: str) -> None:
    """Raise InputError for a scheme that neither we nor fsspec know; without fsspec its own check says so."""
    try:
        from fsspec import available_protocols
    except ModuleNotFoundError:
        return
    if scheme not in available_protocols():
        near = difflib.get_close_matches(scheme, ["http", "https", *available_protocols()], n=1)
        hint = f"did you mean {near[0]}://?" if near else "correct it"
        expected = "expected https, http or one of fsspec's"
        raise InputError(f"fetch: {shown}: found the scheme {scheme!r}, {expected}; {hint}")


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
