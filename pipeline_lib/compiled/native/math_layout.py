"""What the core is given of elementary functions."""

from collections.abc import Sequence

import numpy as np

from pipeline_lib.compiled.native.encoded import Encoded, Encoder, Encoders
from pipeline_lib.compiled.operations.registry import Settings

_COLUMNS = (
    *("arccos", "arcsin", "arctan", "arctan2", "cbrt", "cos", "erf", "exp", "expm1", "log", "log10", "log1p", "log2"),
    *("ndtr", "ndtri", "pow", "sigmoid", "sin", "tan", "tanh"),
)


def _encode_column(operation: str) -> Encoder:
    def encode(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
        return Encoded(operation)

    return encode


def encode_exp_float32(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Of a number, or of each number of a vector."""
    if dtypes[0] == "vector":
        return Encoded("vector_exp_float32")
    return Encoded("exp_float32")


def encode_kind(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The function of each number of a vector that `kind` names."""
    return Encoded(f"vector_{settings['kind']}")


def encode_vector_power(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """Each number of a vector to the power of `exponent`."""
    exponent = np.array([settings["exponent"]], dtype=np.float64)
    return Encoded("vector_power", arrays=[exponent])


ENCODERS: Encoders = {
    **{name: _encode_column(name) for name in _COLUMNS},
    "exp_float32": encode_exp_float32,
    "activation": encode_kind,
    "vector_function": encode_kind,
    "vector_power": encode_vector_power,
}
