"""The vector forms: float64 arrays of any shape in, a new array out."""

from pipeline_lib.compiled.portable_math.exponentials import exp_vector as exp
from pipeline_lib.compiled.portable_math.exponentials import expm1_vector as expm1
from pipeline_lib.compiled.portable_math.exponentials import sigmoid_vector as sigmoid
from pipeline_lib.compiled.portable_math.exponentials import tanh_vector as tanh
from pipeline_lib.compiled.portable_math.gaussian import erf_vector as erf
from pipeline_lib.compiled.portable_math.gaussian import ndtr_vector as ndtr
from pipeline_lib.compiled.portable_math.gaussian import ndtri_vector as ndtri
from pipeline_lib.compiled.portable_math.inverse_trigonometry import arccos_vector as arccos
from pipeline_lib.compiled.portable_math.inverse_trigonometry import arcsin_vector as arcsin
from pipeline_lib.compiled.portable_math.inverse_trigonometry import arctan2_vector as arctan2
from pipeline_lib.compiled.portable_math.inverse_trigonometry import arctan_vector as arctan
from pipeline_lib.compiled.portable_math.logarithms import log1p_vector as log1p
from pipeline_lib.compiled.portable_math.logarithms import log2_vector as log2
from pipeline_lib.compiled.portable_math.logarithms import log10_vector as log10
from pipeline_lib.compiled.portable_math.logarithms import log_vector as log
from pipeline_lib.compiled.portable_math.powers import cbrt_vector as cbrt
from pipeline_lib.compiled.portable_math.powers import pow_vector as pow
from pipeline_lib.compiled.portable_math.powers import sqrt_vector as sqrt
from pipeline_lib.compiled.portable_math.trigonometry import cos_vector as cos
from pipeline_lib.compiled.portable_math.trigonometry import sin_vector as sin
from pipeline_lib.compiled.portable_math.trigonometry import tan_vector as tan

__all__ = [
    "arccos",
    "arcsin",
    "arctan",
    "arctan2",
    "cbrt",
    "cos",
    "erf",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "ndtr",
    "ndtri",
    "pow",
    "sigmoid",
    "sin",
    "sqrt",
    "tan",
    "tanh",
]
