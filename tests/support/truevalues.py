"""Arguments for the elementary functions, and their true values: by mpmath, or to 60 bits in extended precision."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.portable_math.functions import FUNCTIONS

NAMES = sorted(FUNCTIONS)
BINARY = [name for name in NAMES if FUNCTIONS[name].arguments == 2]
NAN, INF = math.nan, math.inf
TINY, SMALLEST_NORMAL, LARGEST = 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308

# where a form takes another branch, saturates, changes its table row, or the result becomes subnormal
BRANCH_POINTS = [
    *(0.0, TINY, SMALLEST_NORMAL, LARGEST, INF, 1.0, 0.5, 2.0, 0.70703125, math.sqrt(0.5), math.sqrt(2.0)),
    *(708.0, 709.782712893384, 745.1332191019412, 600.0, 700.0, 44.0, 40.0, 22.0, 37.0, 38.6, 38.5, 9.0, 6.0, 8.3),
    *(1e-300, 0.02425, 0.31, 0.19, 0.25, 0.35355339059327373, 0.97575, 127.0, 128.0, 1 / 64, 1 / 128),
    *(4096.0, math.pi, math.pi / 2, math.pi / 4, math.pi / 128, 1e22, 2.0**53, 2.0**65, 2.0**500, 2.0**-500, 2.0**-900),
    *(2.0**1000, 1023 / 1024, 1025 / 1024, 2047 / 2048, 2049 / 2048, math.log(2) / 256, 1 - 2.0**-53, 1 + 2.0**-52),
]


def edges() -> np.ndarray:
    points = np.array(BRANCH_POINTS + [-point for point in BRANCH_POINTS])
    with np.errstate(all="ignore"):
        return np.concatenate([points, np.nextafter(points, -INF), np.nextafter(points, INF), [NAN, -NAN]])


def spread(rng: np.random.Generator, size: int) -> np.ndarray:
    """Any bits, subnormals, all scales, and the neighbourhoods of 0, 1 and multiples of pi/128."""
    part = size // 8
    rest = size - 7 * part - part // 4
    near = 10.0 ** rng.uniform(-17, 0, part) * rng.choice([-1, 1], part)
    return np.concatenate(
        [
            rng.integers(0, 2**64, part, dtype=np.uint64).view(np.float64),
            rng.integers(0, 2**52, part // 4).view(np.float64) * rng.choice([-1, 1], part // 4),
            rng.uniform(-750, 750, part),
            rng.uniform(-40, 10, part),
            rng.uniform(-2, 2, part),
            near,
            1 + near,
            np.round(rng.uniform(-2e5, 2e5, part)) * (np.pi / 128),
            rng.standard_normal(rest) * 10.0 ** rng.uniform(-20, 6, rest),
        ]
    )


DOMAIN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    **dict.fromkeys(("log", "log2", "log10"), np.abs),
    **dict.fromkeys(("arcsin", "arccos"), lambda x: np.where(np.abs(x) > 1, 1 / x, x)),
    "log1p": lambda x: np.where(x < -1, -1 / x, x),
    "sqrt": np.abs,
    "ndtri": lambda p: np.where(np.abs(p) > 1, 1 / np.abs(p), np.abs(p)),
}


def arguments(name: str, size: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Arguments of which most are in the domain and have a finite result."""
    rng = np.random.default_rng([seed, NAMES.index(name)])
    with np.errstate(all="ignore"):
        x = DOMAIN.get(name, np.positive)(spread(rng, size))
        if name == "arctan2":
            return x, np.where(rng.random(size) < 0.5, x * rng.standard_normal(size), rng.permutation(x))
        if name == "pow":
            return np.abs(x), rng.uniform(-750, 720, size) / np.log(np.abs(x)) * rng.choice([1, 1e-3], size)
    return (x,)


def measurable(name: str, *columns: np.ndarray) -> tuple[np.ndarray, ...]:
    """The rows with finite results other than zero, and exponents that mpmath can represent."""
    found = FUNCTIONS[name].vector(*columns)
    keep = np.isfinite(found) & (found != 0) & np.all(np.isfinite(columns), axis=0)
    if name in ("exp", "expm1", "sigmoid", "tanh", "erf", "ndtr"):
        keep &= np.abs(columns[0]) < 1000
    return tuple(c[keep] for c in columns)


def true_values(name: str, *columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """mpmath's value of each row to 100 bits and more: a double near it, and the rest in ULPs of that."""
    import mpmath

    mp = mpmath.mp.clone()
    mp.prec = 130
    root2 = mp.sqrt(2)

    def ndtri(p: Any) -> Any:
        near = mp.mpf(FUNCTIONS["ndtri"].scalar(float(p)))  # one step of Newton's method squares its error
        return near - (mp.erfc(-near / root2) / 2 - p) / mp.npdf(near)

    others = {
        "arccos": mp.acos,
        "arcsin": mp.asin,
        "arctan": mp.atan,
        "arctan2": mp.atan2,
        "cbrt": lambda x: mp.cbrt(x) if x > 0 else -mp.cbrt(-x),
        "log2": lambda x: mp.log(x) / mp.ln2,
        "ndtr": lambda x: mp.erfc(-x / root2) / 2,
        "ndtri": ndtri,
        "pow": mp.power,
        "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    }
    function = others.get(name) or getattr(mp, name)
    rows = zip(*([mp.mpf(value) for value in column.tolist()] for column in columns), strict=True)
    values = [function(*row) for row in rows]
    high = [float(value) for value in values]
    places = [math.frexp(math.ulp(first))[1] - 1 for first in high]
    rows = zip(values, high, places, strict=True)
    return np.array(high), np.array([float(mp.ldexp(value - first, -place)) for value, first, place in rows])


def ulps_off(found: np.ndarray, high: np.ndarray, rest: np.ndarray) -> np.ndarray:
    size = np.abs(high)
    below = (rest != 0) & ((rest < 0) == (high > 0))  # the true value has the lower neighbour's last place
    place = np.spacing(size)
    return np.abs((found - high) / place - rest) * np.where(below, place / np.spacing(np.nextafter(size, 0)), 1)


def extended(name: str, *columns: np.ndarray) -> np.ndarray:
    """The C library's value to 64 bits."""
    long = [c.astype(np.longdouble) for c in columns]
    if name == "sigmoid":
        return 1 / (1 + np.exp(-long[0]))
    function: Callable[..., np.ndarray] = getattr(np, {"pow": "power"}.get(name, name))
    return function(*long)


def around_nodes(name: str, low: float, high: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A million arguments, each near one of 4,000 nodes; value and derivative at each argument's node."""
    rng = np.random.default_rng(7)
    nodes = rng.uniform(low, high, 4_000) * (rng.choice([-1, 1], 4_000) if name == "erf" else 1)
    first, rest = true_values(name, nodes)
    x = (nodes[:, None] + rng.uniform(-1, 1, (4_000, 250)) / 4096).ravel()
    value = first + rest * np.spacing(np.abs(first)).astype(np.longdouble)
    return x, np.repeat(nodes, 250).astype(np.longdouble), np.repeat(value, 250)


def taylor(name: str, x: np.ndarray, node: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """erf or ndtr at x from its value at the node, by Hermite polynomials, and the derivative at x."""
    scale, pi = (2 if name == "erf" else 1), np.arctan(np.longdouble(1)) * 4
    factor = np.sqrt(2 * scale / pi) / (1 if name == "erf" else 2)
    step, before, hermite = x - node, np.zeros_like(node), np.ones_like(node)
    power, total = step, np.zeros_like(node)
    for n in range(1, 14):
        total += power * hermite
        before, hermite = hermite, scale * (node * hermite - (n - 1) * before)
        power = power * -step / (n + 1)
    return value + factor * np.exp(-scale * node * node / 2) * total, factor * np.exp(-scale * x * x / 2)


def million(name: str) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """A million arguments and their true values to about 60 bits."""
    if name not in ("erf", "ndtr", "ndtri"):
        columns = measurable(name, *arguments(name, 1_500_000, seed=2))
        return columns, extended(name, *columns)
    low, high = {"erf": (0.01, 5.9), "ndtr": (-38.4, 8.2), "ndtri": (-37.0, -0.1)}[name]
    x, node, value = around_nodes("ndtr" if name == "ndtri" else name, low, high)
    if name != "ndtri":
        return (x,), taylor(name, x, node, value)[0]
    p = FUNCTIONS["ndtr"].vector(x)
    found = FUNCTIONS["ndtri"].vector(p).astype(np.longdouble)
    there, slope = taylor("ndtr", found, node, value)
    return (p,), found - (there - p) / slope
