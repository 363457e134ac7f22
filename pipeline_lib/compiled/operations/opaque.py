"""Steps that run in their own library, as operations: the step's columns together, and one of them."""

from collections.abc import Sequence
from typing import Any

from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.registry import Settings, lower, operation, write_lifted
from pipeline_lib.compiled.operations.setting_types import INTEGER, TEXT, TEXTS, or_none


def _bind(settings: Settings) -> Any:
    return settings["runner"]  # added when the artifact is loaded


def _write_part(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    return f"{code.bind(lower, 'lower')}({inputs[0]}[{int(settings['place'])}])"


operation(
    "opaque",
    None,
    "parts",
    doc="All columns that a step returns from `method`, computed in the step's own library.",
    parameters=("columns", "..."),
    settings={"step": TEXT, "method": TEXT, "dtypes": TEXTS, "names": or_none(TEXTS)},
    column=_bind,
    writer=write_lifted(_bind),
)
operation(
    "opaque_part",
    ("parts",),
    lambda settings, dtypes: str(settings["gives"]),
    doc="One of the columns that `opaque` returned.",
    parameters=("parts",),
    settings={"place": INTEGER, "gives": TEXT},
    column=lambda settings: lambda parts: parts[settings["place"]],
    writer=_write_part,
)
