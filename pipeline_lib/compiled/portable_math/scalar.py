"""The scalar forms: Python floats in, a Python float out."""

from pipeline_lib.compiled.portable_math.exponentials import exp_scalar as exp
from pipeline_lib.compiled.portable_math.exponentials import expm1_scalar as expm1
from pipeline_lib.compiled.portable_math.exponentials import sigmoid_scalar as sigmoid
from pipeline_lib.compiled.portable_math.exponentials import tanh_scalar as tanh
from pipeline_lib.compiled.portable_math.gaussian import erf_scalar as erf
from pipeline_lib.compiled.portable_math.gaussian import ndtr_scalar as ndtr
from pipeline_lib.compiled.portable_math.gaussian import ndtri_scalar as ndtri
from pipeline_lib.compiled.portable_math.inverse_trigonometry import arccos_scalar as arccos
from pipeline_lib.compiled.portable_math.inverse_trigonometry import arcsin_scalar as arcsin
from pipeline_lib.compiled.portable_math.inverse_trigonometry import arctan2_scalar as arctan2
from pipeline_lib.compiled.portable_math.inverse_trigonometry import arctan_scalar as arctan
from pipeline_lib.compiled.portable_math.logarithms import log1p_scalar as log1p
from pipeline_lib.compiled.portable_math.logarithms import log2_scalar as log2
from pipeline_lib.compiled.portable_math.logarithms import log10_scalar as log10
from pipeline_lib.compiled.portable_math.logarithms import log_scalar as log
from pipeline_lib.compiled.portable_math.powers import cbrt_scalar as cbrt
from pipeline_lib.compiled.portable_math.powers import pow_scalar as pow
from pipeline_lib.compiled.portable_math.powers import sqrt_scalar as sqrt
from pipeline_lib.compiled.portable_math.trigonometry import cos_scalar as cos
from pipeline_lib.compiled.portable_math.trigonometry import sin_scalar as sin
from pipeline_lib.compiled.portable_math.trigonometry import tan_scalar as tan

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
