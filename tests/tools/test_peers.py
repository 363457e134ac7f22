"""The benchmark of peers: its versions are those of the extra, what is missing is named, and it runs."""

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from pipeline_lib.compiled.native.core import built
from tools.lock import APART, requirements

ROOT = Path(__file__).resolve().parents[2]
BENCHMARK = ROOT / "benchmarks" / "peers.py"


@pytest.fixture
def contestants(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARK.parent))
    from peer_race import contestants as module

    return module


@pytest.fixture
def peers(contestants: Any) -> Any:
    import peers as module  # type: ignore[import-not-found]

    return module


def test_the_extra_pins_the_versions_that_the_benchmark_names(contestants: Any) -> None:
    settings = ConfigParser()
    settings.read(ROOT / "settings.ini", encoding="utf-8")
    assert "peers" in APART
    assert dict(line.split("==") for line in settings["extras"]["peers"].split()) == contestants.VERSIONS
    assert {package for each in contestants.PEERS.values() for package in each} == set(contestants.VERSIONS)
    assert not any("==" in line for line in requirements(ROOT)["requirements.lock"].lines)


def test_what_is_missing_or_of_another_version_is_named(contestants: Any) -> None:
    assert list(contestants.remarks(contestants.VERSIONS)) == []
    found = {name: version for name, version in contestants.VERSIONS.items() if name != "skl2onnx"}
    missing, other = contestants.remarks({**found, "lightgbm": "4.6.0"})
    assert (
        missing
        == "without ONNX Runtime: found no skl2onnx; in an environment of its own: uv pip install -e '.[opaque,peers]'"
    )
    assert other.startswith("found lightgbm 4.6.0, expected 4.7.0")


def test_differing_predictions_are_counted_and_the_fastest_peer_is_named(contestants: Any, peers: Any) -> None:
    def contestant(name: str, shift: float) -> Any:
        return contestants.Contestant(name, lambda frame: frame["x"].to_numpy(), lambda x: x + shift * (x > 1), 1e-5)

    frame = pd.DataFrame({"x": np.arange(4.0)})
    size = peers.Size(4, 1, 1, 1, 0.0, 2)
    entrants = [contestant("ours", 0.0), contestant("same", 1e-6), contestant("other", 1.0)]
    result = peers.race(entrants, [frame], size, labels=False)
    assert (list(result.differing), result.answers) == ([0, 0, 2], 4)
    assert peers.race(entrants, [frame], size, labels=True).differing == [0, 2, 2]
    times = [
        peers.Times([2.0, 2.0], [2.0, 2.0]),
        peers.Times([3.0, 6.0], [1.0, 1.0]),
        peers.Times([1.0, 1.0], [1.0, 1.0]),
    ]
    result = peers.Result(["ours", "slow", "fast"], times, [0, 0, 0], 4)
    assert (result.names[result.fastest], result.ratio(result.fastest), result.ratio_by_cpu(1)) == ("fast", 0.5, 0.5)
    assert (peers.noise(times[0], times[1]), peers.steady(times)) == (0.5, False)


def test_the_ceiling_of_dense_layers_is_measured_and_compared(contestants: Any) -> None:
    from peer_race import ceiling, layers

    class Model:
        coefs_ = (np.ones((10, 64)), np.ones((64, 32)), np.ones((32, 1)))

    assert [weights.size for weights in layers.dense_layers(Model())] == [640, 2048, 32]
    with (
        patch.object(ceiling, "multiply_adds_a_second", return_value=1e9),
        patch.object(
            layers,
            "multiply_adds_a_second",
            side_effect=lambda model, level: 0.5e9 if layers.dense_layers(model) else None,
        ),
    ):
        told = ceiling.ceiling(Model(), "avx2", 1000, 1, 0.01088)
        assert told == "; dense layers alone: 50% of the ceiling of 1.0 G/s a thread, 50% of our time"
        assert ceiling.ceiling(Model(), "avx2", 1000, 2, 0.01088).endswith(", 25% of our time")
        assert ceiling.ceiling(object(), "avx2", 1000, 1, 1.0) == ""
    assert ceiling.multiply_adds_a_second("numpy") is layers.multiply_adds_a_second(object(), "baseline") is None
    if built():  # without the core there are no layers of ours
        reached = layers.multiply_adds_a_second(Model(), "baseline")
        assert reached is not None
        assert reached > 1e7
    assert layers.multiply_adds_a_second(Model(), "off") is None
    measured = ceiling.multiply_adds_a_second("baseline")
    assert measured is None or measured > 1e7


@pytest.mark.slow
def test_the_benchmark_runs() -> None:
    command = [sys.executable, str(BENCHMARK), "--quick", "--only", "KNN"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (own command)
    lines = [line for line in done.stdout.splitlines() if line.startswith("KNN")]
    assert len(lines) == 8
    assert all(" 0 of " in line for line in lines)
