"""Elementary functions: the same bits in both forms, near the true value, C99's special cases."""

import ast
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from truevalues import (
    BINARY,
    INF,
    LARGEST,
    NAMES,
    NAN,
    TINY,
    arguments,
    edges,
    measurable,
    million,
    true_values,
    ulps_off,
)

from pipeline_lib.compiled import portable_math
from pipeline_lib.compiled.portable_math import exponentials, logarithms
from pipeline_lib.compiled.portable_math.functions import FUNCTIONS

core = pytest.mark.core


def both(name: str, *columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return FUNCTIONS[name].vector(*columns), np.array([FUNCTIONS[name].scalar(*row) for row in rows])


def differing(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return left.view(np.uint64) != right.view(np.uint64)


def pairs(values: np.ndarray) -> tuple[np.ndarray, ...]:
    left, right = np.meshgrid(values, values)
    return left.ravel(), right.ravel()


@core
@pytest.mark.parametrize("name", NAMES)
def test_both_forms_give_the_same_bits_for_any_arguments(name: str) -> None:
    columns = arguments(name, 20_000)
    vector, scalar = both(name, *columns)
    assert not differing(vector, scalar).any(), [c[differing(vector, scalar)][:5] for c in columns]


@core
@pytest.mark.parametrize("name", NAMES)
def test_both_forms_give_the_same_bits_at_every_branch_point(name: str) -> None:
    columns = pairs(edges()[::3]) if name in BINARY else (edges(),)
    vector, scalar = both(name, *columns)
    assert not differing(vector, scalar).any(), [c[differing(vector, scalar)][:5] for c in columns]


@core
@pytest.mark.parametrize("name", NAMES)
def test_bits_depend_on_neither_neighbours_nor_memory_layout(name: str) -> None:
    columns = arguments(name, 8192 + 40)
    whole = FUNCTIONS[name].vector(*columns)
    for cut in (slice(0, 0), slice(3, 4), slice(0, 16), slice(5, 22), slice(8190, 8195), slice(None, None, 7)):
        assert not differing(FUNCTIONS[name].vector(*(c[cut] for c in columns)), np.ascontiguousarray(whole[cut])).any()
    folded = FUNCTIONS[name].vector(*(np.asfortranarray(c.reshape(8, -1)) for c in columns))
    assert folded.shape == (8, 1029)
    assert not differing(np.ascontiguousarray(folded).ravel(), whole).any()
    assert FUNCTIONS[name].vector(*(np.array(c[0]) for c in columns)).shape == ()


@core
@pytest.mark.parametrize("name", NAMES)
def test_the_input_stays_as_it_was_and_the_output_is_new(name: str) -> None:
    columns = arguments(name, 8192)
    copies = [c.copy() for c in columns]
    for column in columns:
        column.flags.writeable = False
    result = FUNCTIONS[name].vector(*columns)
    assert not any(np.shares_memory(result, c) for c in columns)
    assert not any(differing(c, copy).any() for c, copy in zip(columns, copies, strict=True))


@core
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_raised_or_warned_even_when_numpy_raises(name: str) -> None:
    columns = pairs(edges()[::9]) if name in BINARY else (edges(),)
    with np.errstate(all="raise"):
        vector, _ = both(name, *columns)
    nans = vector[np.isnan(vector)]
    assert not differing(nans, np.full_like(nans, NAN)).any()


SPECIAL = [
    *[("log", -0.0, -INF), ("log", -1.0, NAN), ("log", INF, INF), ("log", 1.0, 0.0), ("log1p", -1.0, -INF)],
    *[("log1p", -0.0, -0.0), ("log1p", -2.0, NAN), ("log2", 0.0, -INF), ("log10", -INF, NAN), ("log10", 1e22, 22.0)],
    *[("exp", 800.0, INF), ("exp", -800.0, 0.0), ("exp", -INF, 0.0), ("exp", 0.0, 1.0), ("exp", -745.13, TINY)],
    *[("expm1", -0.0, -0.0), ("expm1", -INF, -1.0), ("expm1", INF, INF), ("expm1", TINY, TINY)],
    *[("sigmoid", 0.0, 0.5), ("sigmoid", INF, 1.0), ("sigmoid", -INF, 0.0), ("sigmoid", -745.13, TINY)],
    *[("tanh", -0.0, -0.0), ("tanh", INF, 1.0), ("tanh", -INF, -1.0), ("tanh", TINY, TINY)],
    *[("sqrt", -0.0, -0.0), ("sqrt", -1.0, NAN), ("sqrt", INF, INF), ("cbrt", -27.0, -3.0), ("cbrt", -0.0, -0.0)],
    *[("cbrt", TINY, 1.7031839360032603e-108), ("cbrt", -INF, -INF), ("cos", 0.0, 1.0), ("cos", -INF, NAN)],
    *[("sin", -0.0, -0.0), ("sin", INF, NAN), ("sin", TINY, TINY), ("tan", -0.0, -0.0), ("tan", INF, NAN)],
    *[("sin", 1e22, -0.8522008497671888), ("cos", LARGEST, -0.9999876894265599), ("tan", 1e22, -1.6287782256068988)],
    *[("arcsin", 1.0, math.pi / 2), ("arcsin", -0.0, -0.0), ("arcsin", 1.1, NAN), ("arcsin", -TINY, -TINY)],
    *[("arccos", 1.0, 0.0), ("arccos", -1.0, math.pi), ("arccos", 0.0, math.pi / 2), ("arccos", -1.1, NAN)],
    *[("arctan", INF, math.pi / 2), ("arctan", -INF, -math.pi / 2), ("arctan", -0.0, -0.0)],
    *[("erf", -0.0, -0.0), ("erf", INF, 1.0), ("erf", -INF, -1.0), ("erf", -TINY, -TINY)],
    *[("ndtr", 0.0, 0.5), ("ndtr", INF, 1.0), ("ndtr", -INF, 0.0), ("ndtr", -38.4, 6.4e-323)],
    *[("ndtri", 0.0, -INF), ("ndtri", 1.0, INF), ("ndtri", 0.5, 0.0), ("ndtri", -0.1, NAN), ("ndtri", 1.1, NAN)],
]


@core
@pytest.mark.parametrize(("name", "x", "expected"), SPECIAL)
def test_special_values_are_those_of_c99(name: str, x: float, expected: float) -> None:
    for result in (FUNCTIONS[name].scalar(x), float(FUNCTIONS[name].vector(np.full(20, x))[7])):
        assert (result, math.copysign(1, result)) == pytest.approx((expected, math.copysign(1, expected)), 0, 0, True)


@core
@pytest.mark.parametrize(("name", "reference"), [("pow", np.power), ("arctan2", np.arctan2)])
def test_special_pairs_are_those_of_c99(name: str, reference: Callable[..., Any]) -> None:
    values = np.array([0.0, 1.0, 1.0 - 2.0**-53, 0.5, 2.0, 3.0, 2.5, 2.0**53 - 1, 2.0**53, 1e300, 1e-300, TINY, INF])
    x, y = pairs(np.concatenate([values, -values, [NAN]]))
    with np.errstate(all="ignore"):
        expected = reference(x, y)
    exact = ~np.isfinite(expected) | (expected == 0) | (np.abs(expected) == 1)  # the rest may be rounded otherwise
    assert exact.sum() > 100
    for result in both(name, x, y):
        same = ~differing(result, expected) | (np.isnan(result) & np.isnan(expected))
        assert same[exact].all(), (x[exact & ~same][:5], y[exact & ~same][:5])
        assert np.allclose(result, expected, rtol=1e-15, atol=0, equal_nan=True)


@core
def test_exact_powers_are_exact() -> None:
    whole = np.arange(-1074.0, 1024.0)
    powers = np.ldexp(1.0, whole.astype(int))
    assert (FUNCTIONS["pow"].vector(2.0, whole) == powers).all()
    assert (FUNCTIONS["log2"].vector(powers) == whole).all()
    assert (FUNCTIONS["log10"].vector(np.array([float(10**n) for n in range(23)])) == np.arange(23)).all()
    small = np.arange(1.0, 200.0)
    assert (FUNCTIONS["pow"].vector(small, 2.0) == small * small).all()
    assert (FUNCTIONS["pow"].vector(-small, 3.0) == -small * small * small).all()
    assert (FUNCTIONS["pow"].vector(small * small, 0.5) == small).all()
    assert (FUNCTIONS["cbrt"].vector(small * small * small) == small).all()
    anything = measurable("log", *arguments("log", 20_000))[0]
    assert not differing(FUNCTIONS["pow"].vector(anything, 1.0), anything).any()


# functions that are exact or correctly rounded, as are operators and integers
NUMPY_MAY = {
    *("abs", "array", "asarray", "broadcast_arrays", "copysign", "empty", "empty_like", "errstate", "float64", "int64"),
    *("isnan", "maximum", "minimum", "nan", "ndarray", "ones_like", "rint", "sqrt", "where", "zeros_like"),
}
MATH_MAY = {"copysign", "factorial", "frexp", "isqrt", "ldexp", "sqrt"}
SOURCES = sorted(Path(portable_math.__file__).parent.glob("*.py"))


def inexact(tree: ast.AST) -> list[str]:
    """What is used of NumPy and math beyond the exact, and powers of anything but integers."""
    result = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            allowed = {"np": NUMPY_MAY, "math": MATH_MAY}.get(node.value.id, {node.attr})
            result += [f"{node.value.id}.{node.attr}"] * (node.attr not in allowed)
        elif isinstance(node, ast.ImportFrom) and node.module == "math":
            result += [f"math.{alias.name}" for alias in node.names if alias.name not in MATH_MAY]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            base = node.left.operand if isinstance(node.left, ast.UnaryOp) else node.left
            whole = isinstance(base, ast.Constant) and isinstance(base.value, int)
            result += [ast.unparse(node)] * (not whole or isinstance(node.right, ast.UnaryOp))
    return result


@core
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_only_exactly_rounded_operations_are_used(source: Path) -> None:
    assert inexact(ast.parse(source.read_text())) == []


@core
@pytest.mark.parametrize(
    "line", ["np.exp(x)", "from math import log", "math.fma(a, b, c)", "x ** 2", "2.0 ** 3", "2 ** -3"]
)
def test_an_inexact_operation_would_be_found(line: str) -> None:
    assert len(inexact(ast.parse(line))) == 1


@core
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_the_package_imports_numpy_and_itself_alone(source: Path) -> None:
    imports = [
        node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {getattr(node, "module", None) or node.names[0].name for node in imports}
    own = {name for name in names if name.startswith("pipeline_lib.compiled.portable_math")}
    assert names - own <= {"collections.abc", "dataclasses", "functools", "math", "numpy", "numpy.typing", "typing"}


@core
@pytest.mark.parametrize(("module", "name"), [(logarithms, "log"), (exponentials, "exp")])
def test_one_ulp_in_one_coefficient_of_one_form_changes_bits(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    rows = [(*row[:-2], math.nextafter(row[-2], math.inf), row[-1]) for row in module.ROWS]
    x = np.linspace(1.5, 1.6, 200)
    vector, scalar = both(name, x)
    assert not differing(vector, scalar).any()
    monkeypatch.setattr(module, "ROWS", rows)
    assert differing(vector, both(name, x)[1]).mean() > 0.5


def test_one_ulp_in_one_coefficient_of_both_forms_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(1.0, 2.0, 1000)
    true = true_values("exp", x)
    assert ulps_off(FUNCTIONS["exp"].vector(x), *true).max() <= FUNCTIONS["exp"].ulps
    monkeypatch.setattr(exponentials, "_HIGH", np.nextafter(exponentials._HIGH, math.inf))
    assert ulps_off(FUNCTIONS["exp"].vector(x), *true).max() > 1


@pytest.mark.parametrize("name", NAMES)
def test_results_are_near_the_true_value(name: str) -> None:
    columns = arguments(name, 20_000, seed=1)
    edge = () if name in BINARY else (edges(),)
    columns = measurable(name, *(np.concatenate(part) for part in zip(columns, edge or columns, strict=True)))
    errors = ulps_off(FUNCTIONS[name].vector(*columns), *true_values(name, *columns))
    assert len(errors) > 5_000
    assert errors.max() <= FUNCTIONS[name].ulps, [float(c[errors.argmax()]) for c in columns]


@pytest.mark.slow
@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="this machine has no extended precision to compare with")
@pytest.mark.parametrize("name", NAMES)
def test_a_million_results_are_near_the_true_value(name: str) -> None:
    columns, reference = million(name)
    assert len(reference) > 1_000_000 * 0.99
    high = reference.astype(np.float64)
    rest = ((reference - high) / np.spacing(np.abs(high))).astype(np.float64)
    sample = slice(0, None, len(high) // 2_000)
    true = true_values(name, *(c[sample] for c in columns))
    assert np.max(ulps_off(high[sample], *true) - ulps_off(high[sample], high[sample], rest[sample])) < 0.02
    errors = ulps_off(FUNCTIONS[name].vector(*columns), high, rest)
    close = errors > FUNCTIONS[name].ulps - 0.02
    if close.any():
        errors[close] = ulps_off(
            FUNCTIONS[name].vector(*(c[close] for c in columns)), *true_values(name, *(c[close] for c in columns))
        )
    assert errors.max() <= FUNCTIONS[name].ulps, [float(c[errors.argmax()]) for c in columns]
