"""The address of a team's store: a folder, or a URL that fsspec opens. No password is ever part of it.

An address is kept in files that git shares: `store =` in settings.ini, and the pointers to champions.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pipeline_lib.errors import InputError
from pipeline_lib.project.connections import SECRET_OPTION

_URL = re.compile(r"[a-z][a-z0-9+.-]*(::[a-z][a-z0-9+.-]*)*://", re.IGNORECASE)


def is_url(address: str) -> bool:
    """Whether an address is a URL; otherwise it is a folder.

    >>> is_url("s3://bucket/runs"), is_url("../shared"), is_url("/mnt/team/runs")
    (True, False, False)
    """
    return bool(_URL.match(address))


def check_address(address: str, where: str) -> str:
    """Return an address. InputError, without the secret, for a URL with a password or for text of several lines."""
    if not address.isprintable() or address != address.strip():
        raise InputError(f"{where}: found {address!r}, expected a folder or a URL on one line; correct it")
    for part in address.split("::"):
        try:
            url = urlsplit(part)
            secret = is_url(address) and (
                url.password is not None or any(map(SECRET_OPTION.search, _parameters(url.query)))
            )
        except ValueError as error:
            raise InputError(f"{where}: found an address that is no URL ({error}), expected one; correct it") from None
        if secret:
            raise InputError(
                f"{where}: found a password in the address {part.partition('://')[0]}://…, expected none, since "
                "everybody who has the project reads it; leave it out and set it where the protocol's package looks: "
                "an environment variable, a file in the home folder, or ~/.config/fsspec"
            )
    return address


def resolve_address(address: str, root: Path) -> str:
    """A URL as it is, a folder as an absolute path; a relative one begins at the project's root.

    >>> resolve_address("../shared", Path("/home/me/houses"))
    '/home/me/shared'
    """
    return address if is_url(address) else str((root / address).resolve())


def file_system(url: str, where: str, example: str) -> tuple[Any, str]:
    """The file system of an address and the path in it, by fsspec.

    Raises InputError for a password in the address, and where no installed package can open it; `example` is one that
    would do.
    """
    check_address(url, where)
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError as error:
        raise InputError(
            f"found no package {error.name!r}, expected the extra share; pip install 'nb-pipeline-lib[share]'"
        ) from error
    try:
        system, path = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise InputError(
            f"found {url!r}, which cannot be reached ({error}), expected {example}; install the package that it names, "
            "or correct the address"
        ) from error
    return system, path


def _parameters(query: str) -> list[str]:
    return [name for name, _ in parse_qsl(query, keep_blank_values=True)]
