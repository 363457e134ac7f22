"""Elementary functions of the core: the bits of portable_math at every level, for columns, constants and vectors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from truevalues import BINARY, NAMES, arguments, edges

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.native.core import LEVELS, VARIABLE, built
from pipeline_lib.compiled.native.executor import CoreExecutor, core_executor
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder, Value

CARRIED = [name for name in NAMES if name != "sqrt"]
KINDS = ("absolute", "cos", "exp", "log", "sigmoid", "sin", "sqrt")
Write = Callable[[Builder, list[Value]], Value]


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    module = built()
    if module is None or LEVELS.index(request.param) not in module.levels():
        pytest.skip(f"this machine has no core of the level {request.param}")
    monkeypatch.setenv(VARIABLE, request.param)
    return str(request.param)


def plan_of(write: Write, count: int) -> tuple[Plan, int]:
    build = Builder()
    root = write(build, [build.input(f"c{number}", "float64") for number in range(count)])
    return Plan(build.nodes, {}), root.node


def in_core(plan: Plan, root: int) -> CoreExecutor:
    """The executor with the core, which carries all of the plan."""
    executor = core_executor(plan, [root], ColumnExecutor)
    assert executor is not None
    assert executor.alone
    return executor


def differing(left: Any, right: Any) -> np.ndarray:
    mask: np.ndarray = (left.view(np.int64) != right.view(np.int64)) & ~(np.isnan(left) & np.isnan(right))
    return mask


def assert_same_bits(write: Write, *columns: np.ndarray) -> None:
    plan, root = plan_of(write, len(columns))
    core, reference = in_core(plan, root), ColumnExecutor(plan, [root])
    for rows in {min(rows, len(columns[0])) for rows in (1, 3, 9, 511, 513, 1 << 20)}:
        named = {f"c{number}": column[-rows:].copy() for number, column in enumerate(columns)}
        (result,), (expected,) = core.run(named, rows), reference.run(named, rows)
        found = differing(np.ascontiguousarray(result), np.ascontiguousarray(expected))
        assert not found.any(), [column[-rows:][found.reshape(-1, rows).any(axis=0)][:5] for column in columns]


def branch_points(count: int) -> tuple[np.ndarray, ...]:
    if count == 1:
        return (edges(),)
    left, right = np.meshgrid(edges()[::7], edges()[::7])
    return left.ravel(), right.ravel()


@pytest.mark.parametrize("name", CARRIED)
def test_functions_have_the_bits_of_the_reference(level: str, name: str) -> None:
    count = 2 if name in BINARY else 1
    assert_same_bits(lambda build, values: build.apply(name, *values), *arguments(name, 10_000))
    assert_same_bits(lambda build, values: build.apply(name, *values), *branch_points(count))


@pytest.mark.parametrize("constant", [0.0, -0.0, 0.5, -3.0, 2.0, float("inf"), 5e-324, 1e300])
@pytest.mark.parametrize("name", BINARY)
def test_either_argument_may_be_a_constant(level: str, name: str, constant: float) -> None:
    numbers = np.concatenate([edges(), arguments(name, 2_000)[0]])
    assert_same_bits(lambda build, values: build.apply(name, values[0], constant), numbers)
    assert_same_bits(lambda build, values: build.apply(name, constant, values[0]), numbers)


@pytest.mark.parametrize("kind", KINDS)
def test_functions_of_vectors_have_the_bits_of_the_reference(level: str, kind: str) -> None:
    name = kind if kind in CARRIED else "exp"
    numbers = np.concatenate([edges(), arguments(name, 5_000)[0]])
    columns = [numbers, numbers[::-1].copy(), np.abs(numbers)]
    assert_same_bits(lambda build, values: build.vector_function(build.stack(values), kind=kind), *columns)


@pytest.mark.parametrize("kind", ["relu", "tanh", "logistic"])
def test_activations_have_the_bits_of_the_reference(level: str, kind: str) -> None:
    numbers = np.concatenate([edges(), arguments("tanh", 5_000)[0]])
    assert_same_bits(lambda build, values: build.activation(build.stack(values), kind=kind), numbers, -numbers)


@pytest.mark.parametrize("exponent", [2, 0.5, -1.0, 3.0, 0.0])
def test_powers_of_vectors_have_the_bits_of_the_reference(level: str, exponent: float) -> None:
    numbers = np.concatenate([edges(), arguments("pow", 3_000)[0]])
    write: Write = lambda build, values: build.vector_power(build.stack(values), exponent=exponent)  # noqa: E731
    assert_same_bits(write, numbers, numbers[::-1].copy())


def test_exp_in_float32_has_the_bits_of_the_reference(level: str) -> None:
    random = np.random.default_rng(3)
    wide = np.concatenate([edges(), random.uniform(-115, 105, 20_000), random.normal(0, 1, 5_000)])
    with np.errstate(over="ignore"):
        numbers = wide.astype(np.float32).astype(np.float64)
    assert_same_bits(lambda build, values: build.exp_float32(values[0]), numbers)
    assert_same_bits(lambda build, values: build.exp_float32(build.stack(values)), numbers, numbers[::-1].copy())


def test_large_angles_are_reduced_exactly(level: str) -> None:
    random = np.random.default_rng(4)
    numbers = np.ldexp(random.uniform(-1, 1, 1_000), random.integers(10, 1024, 1_000))
    near = np.array([6381956970095103.0 * 2.0**797, 5.319372648326541e255, 1e22, 4096.0, np.nextafter(4096.0, 5000.0)])
    for name in ("sin", "cos", "tan"):
        apply: Write = lambda build, values, name=name: build.apply(name, values[0])  # type: ignore[misc] # noqa: E731
        assert_same_bits(apply, np.concatenate([numbers, near, -near]))


def test_a_result_of_other_bits_is_seen(level: str) -> None:
    numbers = arguments("exp", 2_000)[0]
    plan, root = plan_of(lambda build, values: build.apply("exp", values[0]), 1)
    (result,) = in_core(plan, root).run({"c0": numbers}, len(numbers))
    changed = np.where(np.isfinite(result), np.nextafter(result, np.inf), result)
    assert not differing(np.asarray(result), np.asarray(result)).any()
    assert differing(np.asarray(result), changed).sum() == np.isfinite(result).sum()
