"""A small record of a real pipeline, exact or with a step that runs through its library, for the tests of parity."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.evidence.evidence import write_evidence
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.system.environment import describe_environment
from pipeline_lib.system.files import canonical_json, write_atomic

ROWS = 40
STEP = """
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin


class Ages(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.columns_ = list(X.columns)
        return self

    def transform(self, X):
        rooms = X["rooms"] * 1.0
        return X.assign(age=YEAR - X["built"], rooms=np.nextafter(rooms, rooms))  # which no recording knows

    def get_feature_names_out(self, names=None):
        return [*self.columns_, "age"]
"""


def rows() -> pd.DataFrame:
    """Houses with sizes of full precision, whole rooms, and years."""
    draw = np.random.default_rng(0)
    sizes, rooms = draw.normal(100.0, 30.0, ROWS), draw.integers(1, 9, ROWS)
    return pd.DataFrame({"size": sizes, "rooms": rooms, "built": draw.integers(1900, 2020, ROWS).astype(float)})


def small_record(
    runs: Path,
    *steps: tuple[str, Any],
    library: str = "pipeline_lib",
    trust: tuple[str, ...] = (),
    sensitive: str = "",
) -> Record:
    """A sealed record of steps, a scaler and a linear model."""
    frame = rows()
    target = frame["size"] * 3.0 + frame["rooms"]
    fitted = Pipeline([*steps, ("scale", StandardScaler()), ("model", LinearRegression())]).fit(frame, target)
    kinds = {"size": "number", "rooms": "integer", "built": "number"}
    row = RowSchema(
        tuple(
            Column(name, kind, nullable=kind == "number", sensitive=name == sensitive) for name, kind in kinds.items()
        )
    )
    model = compile_pipeline(fitted, like=frame, row=row, library=library, trust=trust, allow_opaque=bool(steps))
    record = create_record(runs, "tiny")
    model.save(record.artifact)
    write_evidence(record.evidence, model, frame, target, artifact=record.artifact)
    write_atomic(record.folder / "environment.json", canonical_json(describe_environment()))
    seal(record, {"status": "finished", "reference": record.reference})
    return record


@contextmanager
def library(folder: Path, step: str) -> Iterator[Any]:
    """A package `cottages` whose exported step `Ages` has this code, and the step itself."""
    steps = folder / "cottages" / "steps"
    steps.mkdir(parents=True)
    (steps.parent / "__init__.py").touch()
    (steps / "__init__.py").touch()
    (steps / "ages.py").write_text(step)
    sys.path.insert(0, str(folder))
    try:
        from cottages.steps.ages import Ages  # type: ignore[import-not-found,unused-ignore]

        yield Ages()
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "cottages"]:
            del sys.modules[name]
