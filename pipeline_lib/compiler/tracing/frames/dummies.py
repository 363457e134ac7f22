"""`pd.get_dummies(X).reindex(columns=fitted, fill_value=0)`: the one use of dummies that is the same for any rows.

Which columns `get_dummies` makes depends on the words of the batch. Reindexed to fixed columns each of them is whether
a value is a word, or the filler.
"""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.registry import function
from pipeline_lib.errors import InputError

_ADVICE = (
    "which columns it makes depends on the rows at hand",
    "keep the columns in `fit`, and write pd.get_dummies(X).reindex(columns=self.columns_, fill_value=0), or use "
    "OneHotEncoder",
)
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")


@function("pandas.get_dummies", raw=True)
def get_dummies(
    call: Call, data: Any, prefix: Any = None, prefix_sep: str = "_", columns: Any = None, dtype: Any = None
) -> Any:
    """Dummies, before they are reindexed."""
    if not isinstance(data, Recorded) or data._kind != "frame" or prefix is not None:
        refuse("get_dummies of something else than a DataFrame, or with a prefix", *_ADVICE)
    frame = data._reals[0]
    encoded = [name for name in frame.columns if _is_text(frame[name].dtype)] if columns is None else list(columns)
    return Dummies(data, {"prefix_sep": prefix_sep, "columns": columns, "dtype": dtype}, encoded)


def _is_text(dtype: Any) -> bool:
    return str(dtype) in ("str", "object", "category", "string")


@dataclass(eq=False)
class Dummies:
    """What `get_dummies` will make of a frame; `encoded` are the columns of words."""

    frame: Recorded
    options: dict[str, Any]
    encoded: list[Any]
    _no_value: ClassVar[tuple[str, str, str]] = ("the columns of get_dummies", *_ADVICE)

    def reindex(self, labels: Any = None, *, columns: Any = None, fill_value: Any = None, axis: Any = None) -> Any:
        """The fixed columns: words of the encoded ones, other columns as they are, the filler where there is none."""
        labels = list(unwrap(columns if columns is not None else labels))
        recording = self.frame._recording
        if fill_value is None:
            self._stop("get_dummies(...).reindex(...) without a filler")
        call = Call(recording, self.frame, "get_dummies(...).reindex", [])
        return recording.perform(
            call.name,
            lambda number: pd.get_dummies(self.frame._reals[number], **self.options).reindex(
                columns=labels, fill_value=fill_value
            ),
            lambda reals: [self._column(call, label, fill_value) for label in labels],
            self.frame._rows,
        )

    def _column(self, call: Call, label: Any, fill_value: Any) -> Value:
        kept = dict(zip(self.frame._reals[0].columns, self.frame._values, strict=True))
        if label in kept and label not in self.encoded:
            value: Value = kept[label]
            return value
        found = [
            (kept[name], str(label)[len(start) :])
            for name in self.encoded
            if str(label).startswith(start := f"{name}{self.options['prefix_sep']}")
        ]
        if len(found) > 1:
            refuse(f"the column {label!r}, which may be a word of two columns", *_ADVICE)
        if not found:
            return call.of(fill_value)
        value, word = found[0]
        if value.kind == "str":
            return call.build.text_equal(value, word)
        if value.kind != "int64":
            refuse(f"dummies of a {value.kind} column", "how it is written is not settled", "cast it to text first")
        if _INTEGER.fullmatch(word) is None or not -(2**63) <= int(word) < 2**63:
            return call.of(fill_value)  # no integer is written as 03
        same: Value = value.equals(int(word))
        return same

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        self._stop(f"`{name}` of get_dummies")

    def __getitem__(self, key: Any) -> Any:
        self._stop("columns of get_dummies")

    def _stop(self, found: str) -> NoReturn:
        try:
            refuse(found, *_ADVICE)
        except InputError as error:
            self.frame._recording.refused(error)
