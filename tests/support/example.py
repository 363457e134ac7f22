"""The houses example of this checkout, as tests name it."""

import ast
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOUSES = ROOT / "params" / "houses.yml"
PARAMETERS = """test_share = 0.1
seed = 0
imputation = {"numbers": "mean"}
encoding = {"rare_share": 0.01}
estimator = {"kind": "lasso", "alpha": 0.001, "max_iter": 10000}
business = {"over_cost": 0.2, "under_cost": 0.5}
"""
"""The parameters cell of the research notebook."""
VALUES: dict[str, Any] = {
    line.partition(" = ")[0]: ast.literal_eval(line.partition(" = ")[2]) for line in PARAMETERS.splitlines()
}
SMALL_MODEL = """
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
scaled = make_column_transformer((StandardScaler(), ["Lot.Area"]))
model = run.compile(make_pipeline(scaled, LinearRegression()).fit(X_train, y_train), like=X_train, target=y_train)
"""
"""Code of a notebook that compiles a model of one column, in a moment; for tests of what a run does with a model."""
