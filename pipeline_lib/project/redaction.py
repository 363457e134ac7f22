"""Redaction: the values of secrets, in each form that a program may print them in, become a note.

Secrets are the passwords of connections, and the environment variables that settings.ini names: `secrets = NAME, …`.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path
from urllib.parse import quote, quote_plus

from pipeline_lib.errors import InputError
from pipeline_lib.project.connections import connections, passwords
from pipeline_lib.project.project import Project, project_around
from pipeline_lib.system.files import files_below, write_atomic

SHORTEST = 6
"""Characters of a secret: a shorter one cannot be told from other text, as base64 least of all."""
_TEXTS = (".ipynb", ".html", ".json", ".yml", ".yaml", ".diff", ".txt", ".csv", ".md", ".log")
_FIXED = ("artifact", "evidence")
"""Folders of a record whose files have digests of their own: nothing is replaced in them."""


class Redactor:
    """Replaces secrets by `[secret NAME]`; `values` are the names by value."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)
        self._forms = {form: name for value, name in values.items() for form in _forms(value)}
        longest_first = sorted(self._forms, key=len, reverse=True)
        self.longest = len(longest_first[0]) if longest_first else 0  # bytes of the longest form
        self._pattern = re.compile(b"|".join(map(re.escape, longest_first)) or b"(?!)")

    def redact_bytes(self, content: bytes) -> bytes:
        """Bytes with each form of each secret replaced."""
        if not self.values:
            return content
        return self._pattern.sub(lambda match: f"[secret {self._forms[match[0]]}]".encode(), content)

    def redact_text(self, text: str) -> str:
        """A text with each form of each secret replaced.

        >>> Redactor({"hunter22": "DB"}).redact_text("could not log in with hunter22 (aHVudGVyMjI=)")
        'could not log in with [secret DB] ([secret DB]I=)'
        """
        return self.redact_bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def found_in(self, content: bytes) -> str:
        """The name of the first secret that bytes hold; empty where there is none."""
        match = self._pattern.search(content) if self.values else None
        return self._forms[match[0]] if match else ""


NO_SECRETS = Redactor({})
"""Replaces nothing."""


def redactor(project: Project | None) -> Redactor:
    """The redactor of a project's secrets as they are now; without a project of the connections' passwords.

    A connection whose password is too short is never used, and so left out. Raises InputError for a secret of
    settings.ini that is too short, and for a connections file that others may read.
    """
    values: dict[str, str] = {}
    for name, url in connections().items():
        values |= {secret: name for secret in passwords(url) if len(secret) >= SHORTEST}
    for name in _declared(project.root) if project else ():
        value = os.environ.get(name)
        if value:
            check_length(value, f"variable {name}")
            values[value] = name
    return Redactor(values)


def redact_here(text: str) -> str:
    """A text without the secrets of the project around the working folder, for what a command prints last."""
    try:
        return redactor(project_around(Path.cwd())).redact_text(text)
    except (InputError, OSError):  # the text itself may say so
        return text


def check_length(secret: str, name: str) -> None:
    """Refuse a secret that is too short to be found in what a program prints."""
    if len(secret) < SHORTEST:
        raise InputError(
            f"{name}: found a secret of {len(secret)} characters, expected at least {SHORTEST}: a shorter one cannot "
            "be told from other text, and so not be kept out of records; choose a longer one"
        )


def check_no_secret(redact: Redactor, texts: Mapping[str, str]) -> None:
    """Refuse texts of the project, by the name that messages show, that hold a secret as a word of its own."""
    for value, name in redact.values.items():
        word = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)")
        for shown, text in texts.items():
            if word.search(text):
                raise InputError(
                    f"{shown}: found the value of the secret {name}, expected it in no text of the project; "
                    "read it from the environment, and change it, since others may have read it"
                )


def redact_files(folder: Path, redact: Redactor) -> list[str]:
    """Replace secrets in the texts below a folder; the files that hold one and cannot be changed, with its name."""
    held = []
    for path in files_below(folder) if redact.values else ():
        content = path.read_bytes()
        name = redact.found_in(content)
        shown = path.relative_to(folder)
        if name and shown.parts[0] not in _FIXED and path.suffix in _TEXTS:
            write_atomic(path, redact.redact_bytes(content), durable=False)
        elif name:
            held.append(f"{shown.as_posix()} (secret {name})")
    return held


def _declared(root: Path) -> list[str]:
    settings = ConfigParser(interpolation=None)
    try:
        settings.read(root / "settings.ini", encoding="utf-8")
    except (ConfigError, UnicodeDecodeError):  # what reads the project reports it
        return []
    text = settings.get("project", "secrets", fallback="")
    return [name for name in re.split(r"[,\s]+", text) if name]


def _forms(value: str) -> Iterator[bytes]:
    """The forms in which a program may print a text: escaped up to twice, percent-encoded, base64, hexadecimal."""
    import base64

    texts = {value, *(line for line in value.splitlines() if len(line) >= SHORTEST)}  # notebooks keep lines apart
    for _ in range(2):
        texts |= {form for text in texts for form in _escaped(text)}
    for text in sorted(texts):
        yield text.encode("utf-8", "surrogatepass")
    content = value.encode("utf-8", "surrogatepass")
    for encoded in (content.hex(), content.hex().upper()):
        yield encoded.encode()
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # the characters that no neighbouring byte has a part in
            yield encode(bytes(before) + content)[-(-8 * before // 6) : 8 * (before + len(content)) // 6]


def _escaped(text: str) -> Iterator[str]:
    """A text as JSON, Python, HTML and addresses hold it."""
    import html  # it holds all names of HTML's characters: most commands have no secret to look for

    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield html.escape(text)
    yield html.escape(text, quote=False)
    yield quote(text, safe="", errors="surrogatepass")
    yield quote_plus(text, errors="surrogatepass")
