"""Steps that run through their library, as operations: one that makes several columns, and one of its columns."""

from collections.abc import Sequence
from typing import Any

from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.registry import Settings, lower, operation, writes_lifted


def _bind(settings: Settings) -> Any:
    return settings["runner"]  # put there when the artifact is loaded


def _write_part(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    return f"{code.bind(lower, 'lower')}({inputs[0]}[{int(settings['place'])}])"


operation("opaque", None, "parts", column=_bind, writer=writes_lifted(_bind))
operation(
    "opaque_part",
    ("parts",),
    lambda settings, dtypes: str(settings["gives"]),
    column=lambda settings: lambda parts: parts[settings["place"]],
    writer=_write_part,
)
