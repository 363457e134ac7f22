"""Functions that own code must not call while it is recorded: clocks, random draws, files, the environment.

No replay can see them: they answer alike twice in a row, and otherwise next week or on another machine.
"""

from pipeline_lib.compiler.tracing.own_code.guards import STATE

CLOCK = (
    "the time of the call is no part of the row, so no replay can see it",
    "give the step the date as a parameter, or take it from a column of the row",
)
_RANDOM = (
    "a random draw gives a row another result each time",
    "draw in `fit` and keep the result on `self`, or leave it out",
)
FILE = (
    "production has other files, and no replay can see what was read",
    "read it in `fit` and keep it on `self`",
)
ENVIRONMENT = (
    "production has another environment, and no replay can see it",
    "read it in `fit` and keep it on `self`",
)
_CODE = ("code made at run time cannot be read", "write the code itself")
_IDENTITY = ("it is another number in each process", "compare or look up the values themselves")
_EXIT = ("it ends the process", "raise ValueError for rows that cannot be served")

_NAMES = {
    **dict.fromkeys(
        (
            *("pandas.Timestamp.now", "pandas.Timestamp.today", "pandas.Timestamp.utcnow", "datetime.datetime.now"),
            *("datetime.datetime.today", "datetime.datetime.utcnow", "datetime.date.today", "pandas.Period.now"),
        ),
        CLOCK,
    ),
    **dict.fromkeys(("builtins.open", "builtins.input", "io.open", "_io.open", "numpy.load", "numpy.fromfile"), FILE),
    **dict.fromkeys(
        ("numpy.loadtxt", "numpy.genfromtxt", "numpy.memmap", "json.load", "json.dump", "joblib.load"), FILE
    ),
    **dict.fromkeys(("numpy.save", "numpy.savez", "numpy.savez_compressed", "numpy.savetxt"), FILE),
    **dict.fromkeys(("pandas.HDFStore", "pandas.ExcelFile", "pandas.ExcelWriter"), FILE),
    **dict.fromkeys(("builtins.eval", "builtins.exec", "builtins.compile", "pandas.eval", "builtins.globals"), _CODE),
    **dict.fromkeys(("builtins.id", "builtins.hash"), _IDENTITY),
    **dict.fromkeys(("builtins.exit", "builtins.quit", "builtins.breakpoint", "sys.exit", "posix._exit"), _EXIT),
    **dict.fromkeys(("builtins.object.__setattr__", "builtins.object.__delattr__"), STATE),
    **dict.fromkeys(("os.getenv", "os.putenv", "os.cpu_count", "posix.cpu_count"), ENVIRONMENT),
    **dict.fromkeys(("pandas.get_option", "pandas.set_option", "pandas.describe_option"), ENVIRONMENT),
    **dict.fromkeys(("sklearn.utils.check_random_state", "sklearn.utils.shuffle", "sklearn.utils.resample"), _RANDOM),
    **dict.fromkeys(("sklearn.train_test_split", "random"), _RANDOM),
}
_PREFIXES = (
    ("numpy.random", _RANDOM),
    ("random", _RANDOM),
    ("secrets", _RANDOM),
    ("uuid", _RANDOM),
    ("time", CLOCK),
    ("pandas.read_", FILE),
    ("pathlib", FILE),
    ("os", FILE),
    ("posix", FILE),
    ("nt", FILE),
    ("posixpath", FILE),
    ("ntpath", FILE),
    ("genericpath", FILE),
    ("io", FILE),
    ("_io", FILE),
    ("glob", FILE),
    ("shutil", FILE),
    ("tempfile", FILE),
    ("pickle", FILE),
    ("_pickle", FILE),
    ("sqlite3", FILE),
    ("urllib", FILE),
    ("requests", FILE),
    ("socket", FILE),
    ("_socket", FILE),
    ("subprocess", FILE),
    ("locale", ENVIRONMENT),
    ("platform", ENVIRONMENT),
    ("getpass", ENVIRONMENT),
    ("sys", ENVIRONMENT),
)


def forbidden_reason(name: str) -> tuple[str, str] | None:
    """Why a function of this full name is refused, and what to do instead; None where it is allowed."""
    if name in _NAMES:
        return _NAMES[name]
    if name.startswith("scipy.stats") and name.endswith(".rvs"):
        return _RANDOM
    for prefix, reason in _PREFIXES:
        if name.startswith(prefix) and (prefix.endswith("_") or name[len(prefix) :][:1] in (".", "")):
            return reason
    return None
