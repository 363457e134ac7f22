"""Random settings of operations, for the search over their two forms: each draws the inputs' dtypes and the settings.

python tests/support/operation_settings.py      a digest of each operation's results, to compare on two CPUs
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from operation_search import FLOATS, INTS, TEXTS, WIDTH, column_digest, draw_float, draw_int, draw_row, draw_text

from pipeline_lib.compiled.operations.catalog import OPERATIONS

Drawn = tuple[list[str], dict[str, Any]]
Rng = np.random.Generator
NAMES = {"name": "c", "where": "test"}


def pick(rng: Rng, *choices: Any) -> Any:
    """One of some values, unchanged by NumPy."""
    return choices[rng.integers(len(choices))]


def small(rng: Rng, *shape: int) -> Any:
    """Numbers of which some are equal, and some 0 of either sign."""
    return rng.choice([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 0.1, -3.0, 1e-300, 1e200], size=shape)


def increasing(rng: Rng, count: int) -> Any:
    """Sorted finite numbers, without equal ones."""
    return np.unique(rng.choice([-1e300, -3.0, -1.0, -0.5, 0.0, 5e-324, 0.5, 1.0, 1.5, 2.5, 1e16, 1e300], count))


def one(dtype: str, draw: Callable[[Rng], dict[str, Any]]) -> Callable[[Rng], Drawn]:
    """The generator of an operation on one input."""
    return lambda rng: ([dtype], draw(rng))


def lookup(rng: Rng, dtype: str, keys: list[Any]) -> dict[str, Any]:
    """A look-up whose values are numbers or texts."""
    text = bool(rng.integers(2))
    keys = list(dict.fromkeys(keys))
    values: list[Any] = [draw_text(rng) if text else draw_float(rng) for _ in keys]
    settings = {"keys": keys, "values": values, "gives": "str" if text else "float64", "mode": "default"}
    if (dtype == "str") == text and rng.random() < 0.3:
        settings["mode"] = "keep"
    elif rng.random() < 0.3:
        settings["mode"] = "refuse"
    fallback = "?" if text else 7.5
    return {**settings, **NAMES, "missing": pick(rng, None, fallback), "unseen": pick(rng, None, fallback)}


def lookup_number(rng: Rng) -> Drawn:
    """Keys of the column's own dtype."""
    dtype = pick(rng, "float64", "int64", "bool")
    keys: dict[str, list[Any]] = {
        "float64": [value for value in rng.choice(FLOATS, 4).tolist() if value == value],
        "int64": [INTS[at] for at in rng.integers(len(INTS), size=4)],
        "bool": [False, True],
    }
    return [dtype], lookup(rng, dtype, keys[dtype])


def many(rng: Rng) -> list[str]:
    """Several numbers; sometimes more than a line of source holds."""
    return ["float64"] * int(pick(rng, 1, 2, 3, 5, 5, 90))


def weighted(rng: Rng, name: str) -> Drawn:
    """Numbers with a weight each."""
    dtypes = many(rng)
    weights = [pick(rng, 1.0, 1, 0.1, -3.0, 0.0, -0.0, 1e30) for _ in dtypes]
    return dtypes, {"weights": weights} | ({"start": float(pick(rng, 0.0, 0.1))} if name == "dot_float32" else {})


def affine(rng: Rng) -> dict[str, Any]:
    """A matrix in which some weights are 0."""
    matrix = small(rng, 3, WIDTH) * (rng.random((3, WIDTH)) < pick(rng, 0.2, 0.6, 1.0))
    return {"matrix": matrix, "offset": pick(rng, None, small(rng, 3))}


def neighbours(rng: Rng) -> dict[str, Any]:
    """Stored points of which some are equal."""
    points = rng.integers(-1, 2, (9, WIDTH)) / 2.0
    metric = pick(rng, "euclidean", "sqeuclidean", "manhattan", "chebyshev", "nan_euclidean")
    return {"points": points, "count": int(rng.integers(1, 10)), "metric": metric, "expanded": False}


def radius(rng: Rng) -> dict[str, Any]:
    """Points within 1.5, with their targets."""
    drawn = neighbours(rng)
    weights = pick(rng, "uniform", "distance")
    return {**drawn, "radius": 1.5, "targets": small(rng, 9, 2), "weights": weights} | {"metric": "euclidean"}


def kernel(rng: Rng) -> dict[str, Any]:
    """A kernel of stored points."""
    kind = pick(rng, "linear", "rbf", "poly", "sigmoid")
    return {"points": small(rng, 5, WIDTH), "kernel": kind, "gamma": 0.3, "coef0": 0.5, "degree": 3, "expanded": False}


def split(rng: Rng) -> dict[str, Any]:
    """A separator, how many splits, and one part."""
    limit, index = int(rng.integers(-1, 3)), int(rng.integers(-3, 3))
    return {"separator": pick(rng, " ", ".", "a"), "limit": limit, "index": index, "from_right": bool(rng.integers(2))}


def rows_of_keys(rng: Rng) -> Drawn:
    """Keys of a text and a number."""
    keys = [[pick(rng, *TEXTS[:6]), float(rng.choice(FLOATS[:8]))] for _ in range(5)]
    keys = [list(key) for key in dict.fromkeys(map(tuple, keys))]
    values = [draw_float(rng) for _ in keys]
    return ["str", "float64"], {"keys": keys, "values": values, "gives": "float64", "unseen": 0.5}


def unit(rng: Rng) -> Drawn:
    """A date or duration and a unit."""
    count = int(pick(rng, 1, 2, 15))
    return [pick(rng, "datetime", "duration")], {
        "unit": pick(rng, "day", "hour", "minute", "second", "millisecond"),
        "count": count,
    }


def extreme(rng: Rng) -> Drawn:
    """Numbers or dates of child rows."""
    dates = bool(rng.integers(2))
    return ["datetime[]" if dates else "float64[]"], {"dates": dates}


def chosen(rng: Rng) -> Drawn:
    """Two values of one dtype, and a condition."""
    dtype = pick(rng, "float64", "int64", "str", "datetime", "bool")
    return ["bool", dtype, dtype], {}


PATTERNS = ("[a-c]+", "[0-9]", " ", ".", "a|b", "")
FEATURES = ("char_count", "word_count", "avg_word_length", "digit_ratio", "has_digits", "unique_word_count")
CHARACTERS = {"spaces": "\t\n  ", "digits": "09", "capitals": "AZ", "small": "az"}
FIELDS = ("year", "month", "day_of_month", "quarter", "day_of_week", "day_of_year", "week", "iso_year", "ordinal")
CASES = ("lower", "upper", "title", "capitalize", "swapcase", "casefold")
SETTINGS: dict[str, Callable[[Rng], Drawn]] = {
    "dot": lambda rng: weighted(rng, "dot"),
    "dot_float32": lambda rng: weighted(rng, "dot_float32"),
    "median": lambda rng: (["float64"] * int(pick(rng, 1, 2, 3, 5, 40)), {"plain": bool(rng.integers(2))}),
    "where": chosen,
    "allow_ulps": lambda rng: (["float64", "float64"], {"ulps": 1.0}),
    "demand": lambda rng: (
        [pick(rng, "float64", "int64", "str", "datetime"), "bool"],
        {**NAMES, "expected": "another", "advice": "correct it"},
    ),
    "search": one("float64", lambda rng: {"edges": increasing(rng, 6), "side": pick(rng, "left", "right")}),
    "round_decimals": one("float64", lambda rng: {"decimals": int(rng.integers(-22, 23))}),
    "round_python": one("float64", lambda rng: {"decimals": int(rng.integers(-22, 23))}),
    "interpolate": one("float64", lambda rng: {"x": (x := increasing(rng, 6)), "y": small(rng, len(x))}),
    "finite": one("float64", lambda rng: NAMES),
    "not_infinite": one("float64", lambda rng: NAMES),
    "single_range": one("float64", lambda rng: {**NAMES, "missing": bool(rng.integers(2))}),
    "lookup": one("str", lambda rng: lookup(rng, "str", [t for t in TEXTS[:8] if t is not None])),
    "lookup_number": lookup_number,
    "lookup_rows": rows_of_keys,
    "calendar": one("datetime", lambda rng: {"field": pick(rng, *FIELDS)}),
    "date_floor": unit,
    "date_ceil": unit,
    "date_round": unit,
    "duration_part": one("duration", lambda rng: {"part": pick(rng, "days", "seconds", "microseconds")}),
    "elapsed": lambda rng: (["datetime", "datetime"], {"unit": float(pick(rng, 1, 1e6, 86_400_000_000)), **NAMES}),
    "text_case": one("str", lambda rng: {"kind": pick(rng, *CASES), "exceptions": []}),
    "text_strip": one(
        "str", lambda rng: {"side": pick(rng, "both", "left", "right"), "characters": pick(rng, " ", "a")}
    ),
    "text_starts": one("str", lambda rng: {"prefixes": ["a", "1"]}),
    "text_ends": one("str", lambda rng: {"suffixes": ["c", ""]}),
    "text_contains": one("str", lambda rng: {"part": pick(rng, "", "a", "b c")}),
    "text_count": one("str", lambda rng: {"part": pick(rng, "", "a", " ")}),
    "text_find": one("str", lambda rng: {"part": pick(rng, "", "a", " "), "from_right": bool(rng.integers(2))}),
    "text_slice": one(
        "str", lambda rng: {"start": draw_int(rng), "stop": draw_int(rng), "step": int(pick(rng, 1, 2, -1))}
    ),
    "text_item": one("str", lambda rng: {"index": int(rng.integers(-3, 3))}),
    "text_split_item": one("str", split),
    "text_replace": one(
        "str", lambda rng: {"old": pick(rng, "a", "", " "), "new": "zz", "count": int(pick(rng, -1, 0, 1))}
    ),
    "text_pad": one(
        "str", lambda rng: {"width": int(rng.integers(-1, 9)), "side": pick(rng, "both", "left"), "fill": "*"}
    ),
    "text_zfill": one("str", lambda rng: {"width": int(rng.integers(-1, 9))}),
    "number_of_text": one(
        "str", lambda rng: {"how": pick(rng, "python", "pandas"), "errors": pick(rng, "missing", "refuse"), **NAMES}
    ),
    "int_of_text": one("str", lambda rng: NAMES),
    "parse_number": one("str", lambda rng: NAMES),
    "text_of_number": lambda rng: ([pick(rng, "float64", "int64", "bool")], {"how": pick(rng, "python", "pandas")}),
    "text_is": one(
        "str", lambda rng: {"kind": pick(rng, "digit", "alpha", "upper", "space", "title"), "exceptions": []}
    ),
    "text_split_count": one("str", lambda rng: {"separator": pick(rng, " ", "a"), "limit": int(rng.integers(-1, 3))}),
    "regex_test": one(
        "str", lambda rng: {"pattern": pick(rng, *PATTERNS), "how": pick(rng, "search", "match", "fullmatch")}
    ),
    "regex_replace": one(
        "str",
        lambda rng: {"pattern": pick(rng, *PATTERNS), "replacement": pick(rng, "", "-"), "count": int(rng.integers(3))},
    ),
    "regex_count": one("str", lambda rng: {"pattern": pick(rng, *PATTERNS)}),
    "regex_split_count": one("str", lambda rng: {"pattern": pick(rng, *PATTERNS), "limit": int(rng.integers(3))}),
    "regex_split_item": one(
        "str",
        lambda rng: {"pattern": pick(rng, *PATTERNS), "limit": int(rng.integers(3)), "index": int(rng.integers(-2, 3))},
    ),
    "digest_bucket": one("str", lambda rng: {"method": pick(rng, "md5", "sha256"), "buckets": 7}),
    "date_text": one("datetime", lambda rng: {"format": pick(rng, "%Y-%m-%d", "%H:%M:%S.%f", "%j %y")}),
    "text_feature": one("str", lambda rng: {"feature": pick(rng, *FEATURES), **CHARACTERS}),
    "similarity": one("str", lambda rng: {"keyword": "ab c"}),
    "affine": one("vector", affine),
    "activation": one("vector", lambda rng: {"kind": pick(rng, "relu", "tanh", "logistic")}),
    "item": one("vector", lambda rng: {"place": int(rng.integers(-WIDTH, WIDTH))}),
    "weighted_median": one("vector", lambda rng: {"weights": rng.random(WIDTH) + 0.1}),
    "kernel": one("vector", kernel),
    "nearest": one("vector", neighbours),
    "within_radius": one("vector", radius),
    "point_distances": one(
        "vector",
        lambda rng: {
            "points": small(rng, 5, WIDTH),
            "metric": pick(rng, "euclidean", "squared", "manhattan"),
            "expanded": False,
        },
    ),
    "nearest_centre": one(
        "vector", lambda rng: {"centres": (c := rng.integers(-2, 3, (5, WIDTH)) / 2.0), "squares": (c * c).sum(axis=1)}
    ),
    "vector_function": one(
        "vector", lambda rng: {"kind": pick(rng, "absolute", "cos", "exp", "log", "sigmoid", "sin", "sqrt")}
    ),
    "vector_power": one("vector", lambda rng: {"exponent": float(pick(rng, 2.0, -1.0, 0.5, 2.5))}),
    "vector_scale": one("vector", lambda rng: {"factor": draw_float(rng), "offset": draw_float(rng)}),
    "vector_pair": lambda rng: (["vector", "vector"], {"kind": pick(rng, "add", "multiply")}),
    "vector_number": lambda rng: (["vector", "float64"], {"kind": pick(rng, "add", "multiply", "divide")}),
    "bag_item": one("bag", lambda rng: {"place": int(rng.integers(WIDTH))}),
    "bag_select": one("bag", lambda rng: {"places": [0, 2]}),
    "bag_dot": one("bag", lambda rng: {"weights": small(rng, WIDTH), "start": pick(rng, None, 0.1)}),
    "bag_affine": one("bag", lambda rng: {"matrix": small(rng, 3, WIDTH), "offset": pick(rng, None, small(rng, 3))}),
    "bag_scale": one("bag", lambda rng: {"weights": small(rng, WIDTH)}),
    "bag_divide": one("bag", lambda rng: {"weights": small(rng, WIDTH)}),
    "bag_normalize": one("bag", lambda rng: {"norm": pick(rng, "l1", "l2", "max")}),
    "bag_above": one("bag", lambda rng: {"threshold": float(pick(rng, 0.0, -0.0, 0.5, -1.0))}),
    "bag_numbers": one("bag", lambda rng: {"places": [0, 3], "absent": float("nan")}),
    "list_min": extreme,
    "list_max": extreme,
    "list_sums_by": lambda rng: (["int64[]", "int64[]"], {"places": 3}),
}
"""By operation."""
CONSTANTS = ("float64", "int64", "bool", "str")


def searched() -> list[str]:
    """The operations that have settings here, or need none."""
    return sorted(name for name, each in OPERATIONS.items() if name in SETTINGS or (each.takes and not each.settings))


def examples(name: str, count: int, rows: int) -> Iterator[tuple[dict[str, Any], list[str], list[Any], Sequence[int]]]:
    """Settings, the inputs' dtypes, rows, and which inputs are constants."""
    for seed in range(count):
        rng = np.random.default_rng([seed, *name.encode()])
        dtypes, settings = SETTINGS[name](rng) if name in SETTINGS else (without_settings(name, rng), {})
        drawn = [draw_row(dtypes, rng) for _ in range(rows)]
        constants = [at for at, dtype in enumerate(dtypes) if dtype in CONSTANTS and rng.random() < 0.15]
        yield settings, dtypes, drawn, constants if len(constants) < len(dtypes) else []


def without_settings(name: str, rng: Rng) -> list[str]:
    """Dtypes that an operation takes."""
    takes = list(OPERATIONS[name].takes or ())
    if takes[-1] == "...":
        takes = takes[:-1] + takes[-2:-1] * int(rng.integers(0, 5))
    return [pick(rng, *take.split("|")) for take in takes]


def digests(count: int, rows: int) -> dict[str, str]:
    """For each operation a digest of its column form's bits."""
    return {
        name: hashlib.sha256(
            "".join(
                column_digest(name, settings, dtypes, drawn)
                for settings, dtypes, drawn, _ in examples(name, count, rows)
            ).encode()
        ).hexdigest()
        for name in searched()
    }


if __name__ == "__main__":
    print(json.dumps(digests(4, 67)))
