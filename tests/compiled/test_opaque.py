"""Steps without a plan run through their library, from state that only the allow-list admits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler
from sklearn.random_projection import GaussianRandomProjection
from small_houses import Drop, Logged, as_dicts, compiled, fit_pipeline, houses

from pipeline_lib.compiled import opaque
from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.compiler.adapters.registry import RefusedStepError
from pipeline_lib.errors import InputError


class Centered(Drop):
    """Subtracts the batch's own mean, so that rows affect each other."""

    def transform(self, X: Any) -> Any:
        return X.assign(size=X["size"] - X["size"].mean())

    plan = None


def test_opaque_steps_run_through_their_library(tmp_path: Path) -> None:
    frame, _ = houses()
    own = [("bounds", MinMaxScaler()), ("components", GaussianRandomProjection(3, random_state=0))]
    pipeline = fit_pipeline(*own)
    model = compiled(*own, library="tests_of_opaque", allow_opaque=True)
    assert not model.exact
    assert [step.name for step in model.report.steps if not step.exact] == ["components"]
    assert "opaque in part" in str(model.report)
    model.save(tmp_path)
    loaded = load_model(tmp_path, library="tests_of_opaque")
    whole = loaded.predict(frame)
    assert np.allclose(whole, pipeline.predict(frame))
    assert whole[:1].tobytes() == loaded.predict(frame.head(1)).tobytes()
    assert loaded.predict_row(as_dicts(frame)[0]) == whole[0]


def test_rows_that_affect_each_other_are_refused_even_as_opaque(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opaque, "_is_allowed", lambda name, library: True)
    with pytest.raises(RefusedStepError, match=r"step own, column size: found other values .* in a smaller batch"):
        compiled(("own", Centered()), allow_opaque=True)


def test_the_state_of_a_class_outside_the_allow_list_is_not_loaded() -> None:
    with pytest.raises(InputError, match=r"found .*Logged in an opaque step, expected only estimators"):
        compiled(("own", Logged()), allow_opaque=True)
