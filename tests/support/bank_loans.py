"""A project `bank` with the pipeline `loans`, and records of it made in this process: for tests of comparisons."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.layout import PARAMETERS, PARITY
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.runner.research_run import Run
from pipeline_lib.system.files import canonical_json

KEY = "0123456789abcdef"
SETTINGS = "[project]\nlib_name = bank\nnbs_path = nbs\nparams_path = params\nruns_path = runs\nrow_key = {}\n"
MODULE = """
import numpy as np
import pandas as pd
from pydantic import BaseModel, Field
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from feature_engine.selection import DropFeatures

from pipeline_lib import BaseParams

TARGET = "paid"
METRIC = ("log_loss", "minimize")
VALUE_UNIT = "euros"


class Row(BaseModel):
    customer_id: int = Field(json_schema_extra={"entity": True})
    income: float = Field(allow_inf_nan=False)
    debt: float = Field(allow_inf_nan=False)
    region: str


class Params(BaseParams):
    strength: float
    gain: float
    loss: float


def load():
    raise AssertionError("the tests pass the rows")


def split(frame, params):
    raise AssertionError("the tests pass the rows")


def build(params):
    return Pipeline(
        [
            ("drop", DropFeatures(["customer_id", "region"])),
            ("scale", StandardScaler()),
            ("model", LogisticRegression(C=params.strength)),
        ]
    )


def metrics(target, predictions, params, probabilities):
    return {
        "log_loss": float(log_loss(target, probabilities)),
        "accuracy": float((np.asarray(predictions) == np.asarray(target)).mean()),
        "roc_auc": float(roc_auc_score(target, probabilities[:, 1])),
    }


def value(target, predictions, rows, params, probabilities=None):
    lent = np.asarray(predictions) == 1
    return np.where(lent, np.where(np.asarray(target) == 1, params.gain, -params.loss), 0.0)
"""
PARAMS = {"strength": 1.0, "gain": 10.0, "loss": 30.0}


@contextmanager
def bank(folder: Path, module: str = MODULE) -> Iterator[Project]:
    """The project, importable inside the block."""
    package = folder / "bank" / "pipelines"
    package.mkdir(parents=True)
    for name in (package.parent / "__init__.py", package / "__init__.py"):
        name.write_text("")
    (package / "loans.py").write_text(module)
    (folder / "settings.ini").write_text(SETTINGS.format(KEY))
    path = list(sys.path)
    sys.path.insert(0, str(folder))
    try:
        yield find_project(folder)
    finally:
        sys.path[:] = path
        for name in [name for name in sys.modules if name.partition(".")[0] == "bank"]:
            del sys.modules[name]


def loans(rows: int, seed: int = 0, first: int = 0, customers: int | None = None) -> pd.DataFrame:
    """Loans with the column `paid`; each of a customer of its own, or of so many customers."""
    draw = np.random.default_rng(seed)
    income, debt = draw.normal(30, 8, rows).round(2), draw.exponential(10, rows).round(2)
    score = (income - 30) / 8 - (debt - 10) / 10 + 0.8
    names = first + np.arange(rows) if customers is None else first + draw.integers(0, customers, rows)
    return pd.DataFrame(
        {
            "customer_id": names,
            "income": income,
            "debt": debt,
            "region": draw.choice(["north", "south"], rows),
            "paid": (draw.random(rows) < 1 / (1 + np.exp(-1.5 * score))).astype(np.int64),
        }
    )


def run_of(
    project: Project,
    train: pd.DataFrame,
    test: pd.DataFrame,
    *,
    fitted: Any = None,
    exact: bool = True,
    **params: float,
) -> Record:
    """A finished record of `loans`, fitted on some rows and tested on others, as a run leaves it."""
    module = project.import_pipeline("loans")
    chosen = module.Params(**{**PARAMS, **params})
    record = create_record(project.runs, "loans")
    (record.folder / PARAMETERS).write_bytes(canonical_json(chosen.model_dump()))
    run = Run(module, chosen, record, project)
    X_train, X_test = train.drop(columns="paid"), test.drop(columns="paid")
    fitted = fitted or module.build(chosen).fit(X_train, train["paid"])
    model = run.compile(fitted, like=X_train, target=train["paid"])
    predictions = run.evidence(X_test, test["paid"])
    run.metrics(module.metrics(test["paid"], predictions, chosen, model.predict_proba(X_test)))
    seal(record, {"status": "finished", "reference": record.reference})
    checks_folder(record).mkdir(parents=True)
    parity = {"exact": exact, "full": True, "text": "parity: exact" if exact else "parity: DIFFERENT", "variations": []}
    (checks_folder(record) / PARITY).write_bytes(canonical_json(parity))
    return record
