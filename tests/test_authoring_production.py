"""Own steps on their way to production: plans, opaque steps in skops format, digests of their code."""

import sys
import types
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from own_steps import Flagged, Halved, Ratio, loans
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from pipeline_lib import InputError, RowwiseTransformer, compile_pipeline, load_model
from pipeline_lib.compiled.opaque_state import load_state
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.opaque_dump import dump_state
from pipeline_lib.project.code_digest import same_code
from pipeline_lib.steps.years import ElapsedYears

OWN = """
import numpy as np
import pandas as pd
from pipeline_lib import RowwiseTransformer


class Capped(RowwiseTransformer):
    def fit(self, X, y=None):
        self.most_ = X.max().to_dict()
        return self

    def transform(self, X):
        capped = X.clip(upper=pd.Series(self.most_), axis="columns")
        return np.nextafter(capped, capped)
"""


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """An exported module `savings.steps.own`; opaque steps of `savings` may have its classes."""
    modules = {name: types.ModuleType(name) for name in ("savings", "savings.steps", "savings.steps.own")}
    exec(OWN, vars(modules["savings.steps.own"]))  # noqa: S102 (the text above)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return modules["savings.steps.own"]


def compiled(step: Any, **options: Any) -> Any:
    frame = loans().fillna(50.0)
    fitted = Pipeline([("own", step), ("last", LinearRegression())]).fit(frame, frame["debt"])
    return compile_pipeline(fitted, like=frame, **options)


def test_a_plan_is_exact_and_a_subclass_inherits_it() -> None:
    class Renamed(Ratio):
        """Only the constructor's default differs."""

        def __init__(self, name: str = "share") -> None:
            super().__init__(name)

    for step, name in ((Ratio(), "ratio"), (Renamed(), "share")):
        model = compiled(step)
        assert model.exact
        assert model.trace_row({"income": 200.0, "debt": 50.0})["own"] == {"income": 200.0, "debt": 50.0, name: 0.25}


def test_an_inherited_plan_that_says_less_than_the_subclass_is_refused() -> None:
    with pytest.raises(InputError, match="step own: "):
        compiled(Flagged())


def test_a_step_that_is_not_recorded_is_refused_or_runs_through_its_library(
    own: types.ModuleType, tmp_path: Path
) -> None:
    with pytest.raises(NoPlanError, match=r"Capped\.transform: .*numpy\.nextafter"):
        compiled(own.Capped())
    model = compiled(own.Capped(), allow_opaque=True, library="savings")
    model.save(tmp_path)
    loaded = load_model(tmp_path, library="savings")
    frame = loans().fillna(50.0) * 2
    assert loaded.predict(frame).tolist() == model.predict(frame).tolist()
    assert loaded.predict_row(frame.iloc[1].to_dict()) == loaded.predict(frame)[1]


def test_skops_keeps_what_fit_learned_and_the_names() -> None:
    rows = pd.DataFrame({"built": [1990.0, 2001.0], "sold": [2010.0, 2008.0]})
    fitted = ElapsedYears(["built"], reference="sold").fit(rows)
    loaded = load_state(dump_state(fitted), "pipeline_lib")
    assert isinstance(loaded, RowwiseTransformer)
    assert list(loaded.get_feature_names_out()) == ["built"]
    pd.testing.assert_frame_equal(loaded.transform(rows), fitted.transform(rows))
    with pytest.raises(InputError, match="found no column 'sold', expected the columns that fit saw"):
        loaded.transform(rows[["built"]])


def test_a_class_of_another_package_is_not_loaded(own: types.ModuleType) -> None:
    state = dump_state(own.Capped().fit(loans()))
    with pytest.raises(InputError, match=r"found savings\.steps\.own\.Capped in an opaque step"):
        load_state(state, "pipeline_lib")


def test_a_changed_method_is_another_code_though_it_is_wrapped() -> None:
    def halved(by: float) -> type:
        class Part(Halved):
            def transform(self, X: pd.DataFrame) -> pd.DataFrame:
                return X * 0.5 if by == 0.5 else X / 3.0

        return Part

    def thirds() -> type:
        class Part(Halved):
            def transform(self, X: pd.DataFrame) -> pd.DataFrame:
                return X * 0.25

        return Part

    assert same_code(halved(0.5), halved(0.5))
    assert not same_code(halved(0.5), thirds())
    assert not same_code(Ratio, Flagged)
