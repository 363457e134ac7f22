"""Raw data are read from a file only while nothing about them has changed, and come back exactly as loaded."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline_lib.records.layout import RAW_DATA
from pipeline_lib.runner.cache.raw_data import NotKeptWarning

MODULE = """
import pandas as pd
from pipeline_lib.runner.cache.raw_data import keep_raw

SOURCES = ["data.csv"]
calls = []


@keep_raw
def load():
    calls.append(1)
    return {expression}
"""
FRAME = 'pd.DataFrame({"a": [1, 2], "b": [-0.0, float("nan")], "c": ["x", None], "d": pd.Categorical(["u", "v"])})'
Load = Callable[..., Any]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Writes the module of a pipeline `sales` in a project of its own, and imports it again."""
    (tmp_path / "settings.ini").write_text(
        "[project]\nlib_name = shop\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    (tmp_path / "data.csv").write_text("1")
    for name in ("steps", "pipelines"):
        (tmp_path / "shop" / name).mkdir(parents=True)

    def imported(expression: str = FRAME, source: str = MODULE) -> Any:
        path = tmp_path / "shop" / "pipelines" / "sales.py"
        path.write_text(source.format(expression=expression))
        spec = importlib.util.spec_from_file_location("shop.pipelines.sales", path)
        assert spec is not None
        assert spec.loader is not None
        loaded_module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, loaded_module)
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        try:
            spec.loader.exec_module(loaded_module)
        finally:
            sys.dont_write_bytecode = before
        return loaded_module

    return imported


def test_a_second_process_reads_what_the_first_loaded_exactly(module: Load) -> None:
    first = module()
    loaded = first.load()
    second = module()
    read = second.load()
    pd.testing.assert_frame_equal(read, loaded, check_exact=True)
    assert str(read["b"][0]) == "-0.0"
    assert (len(first.calls), len(second.calls)) == (1, 0)


def test_several_tables_come_back_by_name(module: Load) -> None:
    expression = f'{{{{"main": {FRAME}, "child": {FRAME}[["a"]]}}}}'
    loaded = module(expression.replace("{{", "{").replace("}}", "}")).load()
    again = module(expression.replace("{{", "{").replace("}}", "}"))
    read = again.load()
    assert list(read) == list(loaded) == ["main", "child"]
    pd.testing.assert_frame_equal(read["child"], loaded["child"])
    assert again.calls == []


@pytest.mark.parametrize("change", ["data", "code", "damage", "half"])
def test_whatever_changes_loads_again(module: Load, tmp_path: Path, change: str) -> None:
    module().load()
    kept = tmp_path / "runs" / "sales" / RAW_DATA
    if change == "data":
        (tmp_path / "data.csv").write_text("2")
    elif change == "damage":
        path = kept / "0.arrow"
        path.write_bytes(path.read_bytes().replace(b"x", b"y", 1))
    elif change == "half":
        (kept / "files.json").unlink()
    again = module(f"{FRAME}.assign(e=1)" if change == "code" else FRAME)
    again.load()
    assert again.calls == [1]
    assert sorted(path.name for path in kept.iterdir()) == ["0.arrow", "files.json"]


@pytest.mark.parametrize(
    "expression", ['pd.DataFrame({"a": pd.Series([1, "x"], dtype=object)})', "pd.DataFrame({1: [1], '1': [2]})", "[1]"]
)
def test_what_arrow_does_not_give_back_exactly_is_loaded_each_time(module: Load, expression: str) -> None:
    for _ in range(2):
        loaded_module = module(expression)
        with pytest.warns(NotKeptWarning, match="loaded each time: found"):
            loaded_module.load()
        assert loaded_module.calls == [1]


def test_sources_without_a_fingerprint_are_loaded_each_time(module: Load) -> None:
    loaded_module = module(source=MODULE.replace("data.csv", "postgres://sales"))
    with pytest.warns(NotKeptWarning, match="no fingerprint"):
        loaded_module.load()
    assert loaded_module.calls == [1]


def test_a_load_in_a_notebook_is_called_each_time(module: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded_module = module()
    monkeypatch.setattr(loaded_module.load.__wrapped__, "__module__", "__main__")
    for _ in range(2):
        loaded_module.load()
    assert loaded_module.calls == [1, 1]


WITH_PARAMETERS = """
import pandas as pd
from pipeline_lib import BaseParams
from pipeline_lib.runner.cache.raw_data import keep_raw

SOURCES = ["data.csv"]
calls = []


class Params(BaseParams):
    year: int = 2024
    area: str = "all"


@keep_raw
def load(params):
    calls.append(params)
    return pd.DataFrame({{"year": [params.year if isinstance(params, Params) else params]}})
"""


def test_a_load_with_parameters_is_kept_for_each_of_them(module: Load, tmp_path: Path) -> None:
    first = module(source=WITH_PARAMETERS)
    for year in (2024, 2025, 2024):
        assert first.load(first.Params(year=year))["year"].tolist() == [year]
    assert [params.year for params in first.calls] == [2024, 2025]
    again = module(source=WITH_PARAMETERS)
    assert again.load(params=again.Params(year=2025))["year"].tolist() == [2025]
    assert len(again.calls) == 1  # given by name it is another call
    assert again.load(again.Params(year=2025, area="south"))["year"].tolist() == [2025]
    assert len(again.calls) == 2
    (tmp_path / "data.csv").write_text("2")
    last = module(source=WITH_PARAMETERS)
    last.load(last.Params(year=2025))
    assert len(last.calls) == 1


def test_arguments_of_other_types_are_other_arguments(module: Load) -> None:
    loaded = module(source=WITH_PARAMETERS)
    for year in (1, True, 1.0, "1", 1):
        assert loaded.load(year)["year"].tolist() == [year]
    assert len(loaded.calls) == 4


def test_only_the_last_ten_arguments_are_kept(module: Load, tmp_path: Path) -> None:
    loaded = module(source=WITH_PARAMETERS)
    for year in range(13):
        loaded.load(year)
    assert len(list((tmp_path / "runs" / "sales" / RAW_DATA).iterdir())) == 10
    loaded.load(12)
    assert len(loaded.calls) == 13
    loaded.load(0)
    assert len(loaded.calls) == 14


def test_an_argument_that_is_no_value_is_loaded_each_time(module: Load) -> None:
    loaded = module(source=WITH_PARAMETERS.replace("params.year if isinstance(params, Params) else params", "1"))
    for _ in range(2):
        with pytest.warns(NotKeptWarning, match="found list as an argument of load, expected parameters or a plain"):
            loaded.load([1])
    assert len(loaded.calls) == 2
