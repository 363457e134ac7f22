"""Model files of an older stack: what they need is read without loading them, and bringing one in is proved.

tests/data/models was written by scikit-learn 1.5.2, NumPy 1.26.4 and pandas 2.3.3 on Python 3.11; `answers.csv` has
rows, and what each model answered there.
"""

import io
import os
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from click.testing import CliRunner
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from pipeline_lib import InputError, compile_pipeline
from pipeline_lib.cli.main import commands
from pipeline_lib.compiler.model_file import inspect_model
from pipeline_lib.compiler.pickle_names import read_pickle_names

MODELS = Path(__file__).parent.parent / "data" / "models"
OLD = {
    "linear.pkl": "pickle, protocol 4,",
    "boosting.pkl": "pickle, protocol 4,",
    "forest.joblib": "joblib file, protocol 4,",
    "compressed.joblib": "joblib file (zlib), protocol 4,",
    "scaler.skops": "skops file (skops 0.16.0)",
}


@pytest.mark.parametrize("name", OLD)
def test_an_older_file_says_its_versions(name: str) -> None:
    found = inspect_model(MODELS / name)
    assert (found.kind, found.of) == (OLD[name], "sklearn.pipeline.Pipeline")
    assert found.versions["scikit-learn"] == "1.5.2"
    assert found.wrong == {"scikit-learn": "1.5.2"}
    assert found.others == ()
    assert f"scikit-learn: written with 1.5.2, installed: {sklearn.__version__}" in str(found)
    assert "pip install 'scikit-learn==1.5.2'" in str(found)


def test_the_command_prints_it() -> None:
    result = CliRunner().invoke(commands, ["inspect-model", str(MODELS / "linear.pkl")], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.output.startswith("pickle, protocol 4, of sklearn.pipeline.Pipeline; nothing in it was loaded\n")


class Planted:
    def __reduce__(self) -> Any:
        return os.system, ("touch ran",)


def test_what_loading_would_run_is_named_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "absent_package", types.ModuleType("absent_package"))
    exec("class Step:\n    pass", vars(sys.modules["absent_package"]))  # noqa: S102
    step = sys.modules["absent_package"].Step()
    (tmp_path / "planted.pkl").write_bytes(pickle.dumps([Planted(), step, np.arange(3)]))
    monkeypatch.delitem(sys.modules, "absent_package")
    found = inspect_model(tmp_path / "planted.pkl")
    assert found.others == ("absent_package.Step", "posix.system")
    assert "load it only where you trust its author" in str(found)
    assert not (tmp_path / "ran").exists()
    assert "absent_package" not in sys.modules


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_arrays_between_the_opcodes_are_skipped(compress: Any, tmp_path: Path) -> None:
    held = {
        "sparse": [np.arange(7), np.zeros((3, 2), order="F"), np.zeros(0), np.array(2.5)],
        "objects": np.array(["x", {"inner": np.ones(3)}, None], dtype=object),
        "rows": np.zeros(4, dtype=[("left", "i4"), ("value", "f8")]),
        "model": make_pipeline(Ridge()).fit([[0.0], [1.0]], [0.0, 1.0]),
    }
    joblib.dump(held, tmp_path / "held", compress=compress)
    found = inspect_model(tmp_path / "held")
    assert found.of == "dict"
    assert found.versions["scikit-learn"] == sklearn.__version__
    assert found.wrong == {}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_is_read(protocol: int) -> None:
    model = Ridge().fit([[0.0], [1.0]], [0.0, 1.0])
    held = [model, {"again": model, 1: {2}, "t": (1, "é", b"b", 2.5, None, True, 2**70)}, frozenset({3})]
    found = read_pickle_names(io.BytesIO(pickle.dumps(held, protocol=protocol)))
    assert "sklearn.linear_model._ridge.Ridge" in {name.full_name for name in found.names}
    assert any(isinstance(made.state, dict) and "_sklearn_version" in made.state for made in found.made)


@pytest.mark.parametrize("content", [b"", b"hello", b"PKxxxx", b"x\x9cnothing", b"\x80\x04\x95", b"BZh9"])
def test_other_bytes_are_no_model(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(InputError, match=r"found .*expected"):
        inspect_model(tmp_path / "file")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent: found no such file or directory, expected a model file"):
        inspect_model(tmp_path / "absent")


def test_a_file_without_versions_is_not_said_to_have_installed_ones(tmp_path: Path) -> None:
    (tmp_path / "arrays.pkl").write_bytes(pickle.dumps(np.arange(3)))
    assert str(inspect_model(tmp_path / "arrays.pkl")).splitlines()[-1].startswith("  it names no version: ")


@pytest.mark.parametrize("name", ["linear.pkl", "forest.joblib"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_an_older_model_is_brought_in_by_its_old_answers(name: str) -> None:
    """It loads with a warning; that the compiled pipeline gives the old environment's answers is the proof."""
    rows = pd.read_csv(MODELS / "answers.csv")
    answers = rows[name.partition(".")[0]].to_numpy()
    fitted = joblib.load(MODELS / name)
    model = compile_pipeline(fitted, like=rows[["area", "rooms"]])
    assert model.exact
    np.testing.assert_allclose(model.predict(rows), answers, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_a_model_whose_modules_are_gone_must_be_fitted_again() -> None:
    """Its losses were in a module that scikit-learn no longer has."""
    with pytest.raises(ModuleNotFoundError, match="_loss"), (MODELS / "boosting.pkl").open("rb") as file:
        pickle.load(file)  # noqa: S301  a file of this project
