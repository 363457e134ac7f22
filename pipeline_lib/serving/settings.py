"""What a server is started with; workers read it from their environment."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline_lib.errors import InputError

VARIABLE = "PIPELINE_LIB_SERVE"
"""Environment variable with the settings, for the worker processes."""
TOKEN_VARIABLE = "PIPELINE_LIB_TOKEN"  # noqa: S105 (the name of a variable)
"""Environment variable with the bearer token that requests must have."""


@dataclass(frozen=True)
class Settings:
    """A server's settings: which records, and its limits. `max_body` is in bytes, times are in seconds.

    `timeout` is for a request to arrive, and for its answer to be read. In `folder` the server and its workers note
    which records answer, in `log` they keep answers. `shadow` is a second record that is asked what the first one is.
    """

    refs: tuple[str, ...]
    project: str
    trust: tuple[str, ...] = ()
    allow_unproven: bool = False
    other_versions: bool = False
    token_file: str | None = None
    max_body: int = 64 << 20
    timeout: float = 60.0
    drain: float = 5.0
    watch: float = 5.0
    workers: int = 1
    folder: str | None = None
    log: str | None = None
    log_days: float = 30.0
    log_megabytes: int = 10 << 10
    shadow: str | None = None

    def to_json(self) -> str:
        """The settings as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_environment(cls) -> "Settings":
        """The settings that the server has left for this worker."""
        values = json.loads(os.environ[VARIABLE])
        return cls(**{**values, "refs": tuple(values["refs"]), "trust": tuple(values["trust"])})


def read_token(token_file: str | None) -> bytes | None:
    """The token that requests must have, from a file or the environment; None where none is asked for.

    Raises InputError for a file that cannot be read, and for a token that is empty or not ASCII.
    """
    given = os.environ.get(TOKEN_VARIABLE)
    source = TOKEN_VARIABLE
    if token_file is not None:
        source = token_file
        try:
            given = Path(token_file).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise InputError(
                f"--token-file: found {error}, expected a file with the token; correct the path"
            ) from error
    if given is None:
        return None
    token = given.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(f"{source}: found no token, expected printable ASCII characters without spaces; write one")
    return token.encode()
