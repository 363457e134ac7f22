"""All calls of the fuzz: for each rule of the recorder its templates, or the reason why it has none."""

import fuzz_chains
import fuzz_frames
import fuzz_numpy
import fuzz_rows
import fuzz_series
import fuzz_text
from fuzz import Calls

from pipeline_lib.compiler.tracing import rules

assert rules  # it registers all rules

Rule = tuple[str, str]

_TABLES: list[tuple[str, dict[str, Calls]]] = [
    ("series", fuzz_series.SERIES),
    ("batch", fuzz_series.BATCH),
    ("categories", fuzz_series.CATEGORIES),
    ("text", fuzz_text.TEXT),
    ("lists text", fuzz_text.LISTS_TEXT),
    ("lists", fuzz_text.LISTS),
    ("dates", fuzz_text.DATES),
    ("zoned", fuzz_text.ZONED),
    ("zoned dates", fuzz_text.ZONED_DATES),
    ("function", fuzz_numpy.FUNCTIONS),
    ("function", fuzz_frames.FUNCTIONS),
    ("array", fuzz_numpy.ARRAYS),
    ("columns", fuzz_numpy.COLUMNS),
    ("frame", fuzz_frames.FRAMES),
    ("index", fuzz_frames.INDEX),
    ("value str", fuzz_rows.VALUE_TEXT),
    ("value", fuzz_rows.VALUE),
    ("parts", fuzz_rows.PARTS),
    ("row function", fuzz_rows.ROW_FUNCTIONS),
    ("row", fuzz_rows.ROWS),
    ("dict", fuzz_rows.DICTS),
    ("value datetime", fuzz_rows.VALUE_DATES),
    ("value duration", fuzz_rows.VALUE_DURATIONS),
    *fuzz_rows.NUMBERS.items(),
    *fuzz_rows.MATCHES.items(),
]

CALLS: dict[Rule, Calls] = {(kind, name): each for kind, table in _TABLES for name, each in table.items()}
"""The calls of each rule."""

OTHERS: dict[str, Calls] = {
    **fuzz_series.OPERATORS,
    **fuzz_frames.OPERATORS,
    **fuzz_rows.VALUES,
    **{f"chains of {name}": each for name, each in fuzz_frames.CHAINS.items()},
    **fuzz_chains.PROGRAMS,
}
"""The calls of what has no entry in the table: operators, branches of a function of one row, chains, programs."""

_SCIPY = "a call through __array_ufunc__; own code reaches the same formula as scipy.special"
_ALIAS = "an alias: pandas and NumPy name the function otherwise"
_STEPS = "a check of names and dtypes on the shadows, which writes no column"
_OF_ROWS = "it is refused, with axis=1, too"
_REFUSED = "it refuses every call, with a remedy of its own"

NO_CALLS: dict[Rule, str] = {
    **{
        ("function", f"numpy.{name}"): _SCIPY
        for name in ("boxcox", "boxcox1p", "erf", "exp10", "expit", "inv_boxcox", "logit", "ndtr", "ndtri")
    },
    **{(kind, f"pandas.{name}"): _ALIAS for kind in ("function", "row function") for name in ("isnull", "notnull")},
    ("row function", "numpy.abs"): _ALIAS,
    ("function", "numpy.vectorize"): "np.vectorize of a column instead of a function, which is refused",
    ("function", "numpy.r_"): _REFUSED,
    **{
        ("sparse", name): "of a fitted encoder's result, which calls without fitted state have not"
        for name in ("toarray", "shape")
    },
    ("function", "sklearn.utils.check_random_state!"): _REFUSED,
    **{("frame", name): _OF_ROWS for name in ("quantile", "mode", "skew", "kurt", "kurtosis", "rank", "shift", "diff")},
    **{("frame", name): _OF_ROWS for name in ("pct_change", "cumsum", "cumprod", "cummax", "cummin")},
    **{("function", f"pipeline_lib.check_{name}"): _STEPS for name in ("columns", "dtypes", "tables")},
}
"""Rules without calls, and why."""


def calls_of(name: str) -> tuple[Calls, Rule | None]:
    """The calls of a rule by its name `kind: name`, or of what has no rule."""
    kind, _, rule = name.partition(": ")
    return (CALLS[kind, rule], (kind, rule)) if rule else (OTHERS[name], None)


NAMES: tuple[str, ...] = (*(f"{kind}: {name}" for kind, name in CALLS), *OTHERS)
"""What `calls_of` takes."""
