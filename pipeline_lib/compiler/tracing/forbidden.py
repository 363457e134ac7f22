"""Functions that own code must not call while it is recorded: clocks, random draws, files, the environment.

No replay can see them: they answer alike twice in a row, and otherwise next week or on another machine.
"""

_CLOCK = (
    "the time of the call is no part of the row, and no replay can see it",
    "give the step the date as a parameter, or as a column of the row",
)
_RANDOM = (
    "a random draw gives a row another result each time",
    "draw in `fit` and keep the result, or leave it out",
)
_FILE = (
    "production has other files, and no replay can see what was read",
    "read it in `fit` (or in `load`) and keep it on `self`",
)
ENVIRONMENT = (
    "production has another environment, and no replay can see it",
    "read it before the pipeline is made, and give the step a parameter",
)
_CODE = ("code made at run time cannot be read", "write the code itself")
_IDENTITY = ("it depends on the process", "compare or look up the values themselves")

_NAMES = {
    **dict.fromkeys(
        (
            *("pandas.Timestamp.now", "pandas.Timestamp.today", "pandas.Timestamp.utcnow", "datetime.datetime.now"),
            *("datetime.datetime.today", "datetime.datetime.utcnow", "datetime.date.today", "pandas.Period.now"),
        ),
        _CLOCK,
    ),
    **dict.fromkeys(("builtins.open", "builtins.input", "io.open", "_io.open", "numpy.load", "numpy.fromfile"), _FILE),
    **dict.fromkeys(("numpy.loadtxt", "numpy.genfromtxt", "numpy.save", "numpy.memmap", "json.load"), _FILE),
    **dict.fromkeys(("builtins.eval", "builtins.exec", "builtins.compile"), _CODE),
    **dict.fromkeys(("builtins.id", "builtins.hash"), _IDENTITY),
    "os.getenv": ENVIRONMENT,
    "builtins.globals": _CODE,
}
_PREFIXES = (
    ("numpy.random", _RANDOM),
    ("random", _RANDOM),
    ("secrets", _RANDOM),
    ("uuid", _RANDOM),
    ("time", _CLOCK),
    ("pandas.read_", _FILE),
    ("pathlib", _FILE),
    ("os", _FILE),
    ("io", _FILE),
    ("pickle", _FILE),
    ("joblib", _FILE),
    ("sqlite3", _FILE),
    ("urllib", _FILE),
    ("requests", _FILE),
    ("socket", _FILE),
    ("subprocess", _FILE),
    ("locale", ENVIRONMENT),
    ("platform", ENVIRONMENT),
    ("sys", ENVIRONMENT),
)


def forbidden_reason(name: str) -> tuple[str, str] | None:
    """Why a function of this full name is refused, and what to do instead; None where it is allowed."""
    if name in _NAMES:
        return _NAMES[name]
    for prefix, reason in _PREFIXES:
        if name.startswith(prefix) and (prefix.endswith("_") or name[len(prefix) :][:1] in (".", "")):
            return reason
    return None
