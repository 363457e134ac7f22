"""Remainders, roundings, lines and splines through points, and the weighted median for the core."""

from collections.abc import Sequence

import numpy as np

from pipeline_lib.compiled.native.encoded import Encoded, Encoders
from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.rounding import MOST_DECIMALS
from pipeline_lib.compiled.operations.splines import line_of

_MOST_DEGREE = 15  # of splines: the core keeps a basis on its stack


def _encode_rounding(name: str, settings: Settings) -> Encoded | None:
    decimals = int(settings["decimals"])
    if decimals == 0:  # NumPy's and Python's are the same: halves go to even
        return Encoded("rint")
    return Encoded(name, (decimals,)) if abs(decimals) <= MOST_DECIMALS else None


def encode_interpolate(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Points of ascending x, with the slopes between them."""
    x, y, slopes = line_of(settings)
    if not len(x) or x.shape != y.shape or not (x[1:] >= x[:-1]).all() or np.isnan(x).any():
        return None
    return Encoded("interpolate", (), [x, y, slopes])


def encode_splines(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Knots in order, and a coefficient for each basis and spline."""
    knots = np.asarray(settings["knots"], dtype=np.float64)
    coefficients, degree = np.asarray(settings["coefficients"], dtype=np.float64), int(settings["degree"])
    bases = len(knots) - degree - 1
    if not 0 <= degree <= _MOST_DEGREE or bases <= degree or not (knots[1:] >= knots[:-1]).all():
        return None
    if coefficients.ndim != 2 or len(coefficients) < bases:
        return None
    return Encoded("splines", (degree,), [knots, coefficients[:bases]])


def encode_weighted_median(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """A weight for each number."""
    weights = np.asarray(settings["weights"], dtype=np.float64)
    return Encoded("weighted_median", (), [weights]) if weights.shape == (widths[0],) else None


ENCODERS: Encoders = {
    "remainder": lambda settings, dtypes, widths: Encoded("remainder"),
    "floor_divide": lambda settings, dtypes, widths: Encoded("floor_divide"),
    "power_int": lambda settings, dtypes, widths: Encoded("power_int"),
    "round_decimals": lambda settings, dtypes, widths: _encode_rounding("round_decimals", settings),
    "round_python": lambda settings, dtypes, widths: _encode_rounding("round_python", settings),
    "interpolate": encode_interpolate,
    "splines": encode_splines,
    "weighted_median": encode_weighted_median,
}
"""By operation of a plan."""
