"""Connections by name: their addresses come from outside the project, from the environment or a file of the user's.

A notebook, a parameters file or settings.ini names a connection and never holds its address, since what is in git is
read by everyone. `check_no_credentials` refuses a run whose own texts hold an address with a password.
"""

import os
import re
import shlex
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, unquote_plus, urlsplit

from pipeline_lib.errors import InputError

VARIABLE = "PIPELINE_LIB_URL_"
"""Starts the name of the environment variable with a connection's address: `PIPELINE_LIB_URL_WAREHOUSE`."""
_FILE = "pipeline_lib/connections.yml"
_LOGIN = re.compile(r"(?P<scheme>[\w+.-]+)://(?P<user>[^:/@]*):(?P<password>[^@]*)@")
"""The login of a database's address as its drivers read it: a password may hold `/`, `?`, `#` and brackets."""
SECRET_OPTION = re.compile(
    r"pass|pwd|secret|token|credential|signature|api_?key|access_?key|(^|[^a-z])(sig|auth|key)$", re.IGNORECASE
)
"""Options of an address whose values are secrets."""
_ODBC = re.compile(r"(?:PWD|PASSWORD)=(\{[^}]*\}|[^;]*)", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_CREDENTIALS = re.compile(
    r"(?:https?://[^\s/:@\"'\\]*:(?![$<{*])[^\s/@\"'\\]+|(?<![\w+.-])(?!https?:)[a-zA-Z][\w+.-]*://[^\s/:@\"'\\]*:(?![$<{*])[^\s@\"'\\]+)@"
)
"""An address with a password; a placeholder such as `{password}`, `$PASSWORD`, `<password>` or `***` is none."""


@dataclass(frozen=True)
class Connection:
    """A connection's name and address; only `shown` may be printed."""

    name: str
    url: str = field(repr=False)

    @property
    def shown(self) -> str:
        """The address without user and password."""
        return without_credentials(self.url)


def connection(name: str) -> Connection:
    """The connection of a name, from `PIPELINE_LIB_URL_NAME` or the user's connections file.

    Raises InputError for a name that neither has, for an address in its place, and for a file that others may read.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        if "://" in str(name):
            raise InputError(
                "found an address in place of a connection's name, expected a name such as 'warehouse'; "
                f"put the address into {VARIABLE}WAREHOUSE or {_shown(connections_file())}"
            )
        raise InputError(
            f"found the connection {name!r}, expected a name of lower-case letters, digits and underscores, a letter "
            f"first{_named(str(name))}"
        )
    known = connections()
    if name not in known:
        raise InputError(
            f"found no connection {name!r}, expected one of: {', '.join(sorted(known)) or 'none'}; set "
            f"{VARIABLE}{name.upper()} to its address (sqlite:////absolute/path.db), or write `{name}: ADDRESS` into "
            f"{_shown(connections_file())}"
        )
    url = known[name]
    if "://" not in url:
        raise InputError(
            f"found the connection {name!r} without a scheme, expected an address such as "
            "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE; correct it where it is set"
        )
    login = _LOGIN.match(url)
    if login and not _is_web(url) and re.search(r"[/?#\[\]]", login["password"]):
        raise InputError(
            f"found the connection {name!r} with '/', '?', '#' or a bracket in its password, expected them encoded; "
            "write %2F, %3F, %23, %5B, %5D for them"
        )
    return Connection(name, url)


def connections() -> dict[str, str]:
    """The addresses of all connections by name; a variable goes before the file. Raises InputError for a bad file."""
    variables = {
        name.removeprefix(VARIABLE).lower(): url
        for name, url in os.environ.items()
        if name.startswith(VARIABLE) and url.strip()
    }
    return {**_read_file(connections_file()), **variables}


def connections_file() -> Path:
    """The user's connections file, which need not exist: `NAME: ADDRESS` lines, in the user's settings folder."""
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(home).expanduser() / _FILE


def without_credentials(url: str) -> str:
    """An address without user, password and query.

    >>> without_credentials("postgresql://me:secret@db.example.org:5432/shop?sslpassword=x")
    'postgresql://db.example.org:5432/shop'
    """
    login = None if _is_web(url) else _LOGIN.match(url)
    if login:
        url = f"{login['scheme']}://{url[login.end() :]}"
    scheme, separator, rest = url.partition("://")
    place = rest.partition("?")[0].partition("#")[0]
    host, slash, path = place.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"


def passwords(url: str) -> Iterator[str]:
    """The secret parts of an address: the password as it is written and decoded, and secret options after `?`.

    A user without a password counts in addresses of the web, where access tokens stand so.
    """
    login = None if _is_web(url) else _LOGIN.match(url)
    found = [login["password"]] if login else []
    rest = url[login.end() :] if login else url
    with suppress(ValueError):  # a bracket of an IPv6 host that is not closed
        parts = urlsplit("" if login else url)
        found.append(parts.password or (parts.username if _is_web(url) else "") or "")
    for option in rest.partition("?")[2].partition("#")[0].split("&"):
        name, _, value = option.partition("=")
        if SECRET_OPTION.search(name):
            found.append(value)
        if name.lower() == "odbc_connect":
            found += [secret.strip("{}") for secret in _ODBC.findall(unquote_plus(value))]
    for secret in found:
        yield from dict.fromkeys(text for text in (secret, unquote(secret)) if text)


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def check_no_credentials(texts: Mapping[str, str]) -> None:
    """Refuse texts of the project, by the name that messages show, that hold an address with a password.

    >>> check_no_credentials({"params/houses.yml": "url: postgresql://{user}:{password}@host/shop"})
    """
    for name, text in texts.items():
        match = _CREDENTIALS.search(text)
        if match:
            line = text.count("\n", 0, match.start()) + 1
            raise InputError(
                f"{name}: line {line}: found the address {without_credentials(match[0])!r} with a password, expected "
                f"a connection's name; put the address into {VARIABLE}NAME or {_shown(connections_file())}, and "
                "change the password, which others may have read"
            )


def _read_file(path: Path) -> dict[str, str]:
    """The content of a connections file; empty where there is none. Its message never holds a line of it."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    shown = _shown(path)
    windows = os.name == "nt"  # which has no modes: files in the user's profile are the user's own
    if status.st_mode & _OTHERS and not windows:
        raise InputError(
            f"{shown}: found mode {stat.S_IMODE(status.st_mode):o}, expected 600, since it holds passwords: no other "
            f"user may read it; chmod 600 {_quoted(path)}"
        )
    if not windows and status.st_uid != os.geteuid():
        raise InputError(f"{shown}: found a file of another user, expected your own; copy it")
    import strictyaml

    try:
        content = strictyaml.load(
            path.read_text(encoding="utf-8"), strictyaml.MapPattern(strictyaml.Str(), strictyaml.Str())
        )
    except (strictyaml.YAMLError, AttributeError, ValueError) as error:  # strictyaml fails itself for a NUL
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f" near line {line + 1}" if line is not None else ""
        raise InputError(
            f"{shown}: found no `NAME: ADDRESS` lines{where}, expected them in YAML; correct the file"
        ) from None  # the error quotes the file
    return {str(name): str(url) for name, url in content.data.items()}


def _named(name: str) -> str:
    """What to do about a name that is none: of a database's file, how it gets one."""
    path = Path(name)
    short = re.sub(r"\W+", "_", path.stem.lower(), flags=re.ASCII).lstrip("_0123456789")
    if not short or not path.is_file():
        return "; rename it"
    scheme = "duckdb" if path.suffix == ".duckdb" else "sqlite"
    address = shlex.quote(f"{scheme}:///{path.absolute()}")
    return f"; export {VARIABLE}{short.upper()}={address}, then name it {short}"


def _shown(path: Path) -> str:
    """A path as people type it, with `~`."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def _quoted(path: Path) -> str:
    """A path as an argument in a shell."""
    home, separator, rest = _shown(path).partition("~/")
    return f"~/{shlex.quote(rest)}" if separator and not home else shlex.quote(str(path))
