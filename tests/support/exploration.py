"""Small exploration notebooks with planted habits, their data, and a project to bring them into."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from example import ROOT

from pipeline_lib.project.project import Project, find_project

LIBRARY = "cottage_lab"
HEAD = "import numpy as np\nimport pandas as pd\nfrom sklearn.model_selection import train_test_split"
FIT_BEFORE_SPLIT = [
    HEAD + "\nfrom sklearn.preprocessing import LabelEncoder, StandardScaler\nfrom sklearn.linear_model import Ridge",
    'flats = pd.read_csv("flats.csv")',
    'flats["area"] = flats["area"].fillna(flats["area"].mean())',
    'flats["heating"] = LabelEncoder().fit_transform(flats["heating"])',
    'flats = pd.get_dummies(flats, columns=["district"], dtype=float)',
    'X = flats.drop(columns="price")\ny = flats["price"]',
    "scaler = StandardScaler()\nX_scaled = scaler.fit_transform(X)",
    "X_train, X_test, y_train, y_test = train_test_split(X_scaled, y, test_size=0.25, random_state=3)",
    "model = Ridge(alpha=2.0)\nmodel.fit(X_train, y_train)",
    "from sklearn.metrics import r2_score\npredicted = model.predict(X_test)\nr2_score(y_test, predicted)",
]
OUT_OF_ORDER = [
    HEAD + "\nfrom sklearn.linear_model import LinearRegression",
    'X = flats[["area", "rooms"]]\ny = flats["price"]',
    'flats = pd.read_csv("flats.csv").dropna()',
    "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=SHARE, random_state=0)",
    "SHARE = 0.2",
    "model = LinearRegression()\nmodel.fit(X_train, y_train)\nmodel.score(X_test, y_test)",
]
OUT_OF_ORDER_COUNTS = [1, 3, 2, 5, 4, 6]
DROPPED_ROWS = [
    HEAD + "\nfrom sklearn.tree import DecisionTreeRegressor\nfrom sklearn.metrics import mean_absolute_error",
    'flats = pd.read_csv("flats.csv")\nflats.shape',
    "flats.dropna(inplace=True)",
    'flats = flats[flats["price"] > 60]',
    'flats["per_room"] = flats["area"] / flats["rooms"]',
    'features = ["area", "rooms", "per_room"]\nX, y = flats[features], flats["price"]',
    "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=1)",
    "tree = DecisionTreeRegressor(max_depth=3, random_state=0)\ntree.fit(X_train, y_train)",
    "mean_absolute_error(y_test, tree.predict(X_test))",
]
MAGICS = [
    "%matplotlib inline\n!pip install no-such-package-of-anyone\n" + HEAD,
    "from sklearn.ensemble import RandomForestRegressor\nfiles = !ls",
    '%%time\nflats = pd.read_csv("flats.csv").dropna()',
    "%%bash\necho hello",
    'X = flats[["area", "rooms"]]\ny = flats["price"]\nX_train, X_test, y_train, y_test = train_test_split(X, y)',
    "%timeit -n1 -r1 1 + 1\nforest = RandomForestRegressor(n_estimators=5)\nforest.fit(X_train, y_train)",
    "forest.score(X_test, y_test)",
]
FUNCTIONS = [
    "# Flats\n\nWhat is a flat worth?",
    HEAD + "\nfrom sklearn.base import BaseEstimator, TransformerMixin\nfrom sklearn.linear_model import Ridge\n"
    "from sklearn.metrics import mean_squared_error, r2_score\nfrom sklearn.pipeline import Pipeline\n"
    "from sklearn.preprocessing import StandardScaler\nimport matplotlib.pyplot as plt",
    'FLOOR = 0\nALPHA = 0.5\nPATH = "flats.csv"',
    "def read(path):\n    frame = pd.read_csv(path)\n    return frame.dropna().reset_index(drop=True)\n\n\n"
    'def draw(frame):\n    frame["price"].hist()',
    "class PerRoom(TransformerMixin, BaseEstimator):\n"
    '    """Area of one room."""\n\n'
    "    def fit(self, X, y=None):\n        self.columns_ = list(X.columns)\n        return self\n\n"
    "    def transform(self, X):\n"
    '        return X.assign(per_room=(X["area"] / X["rooms"]).clip(lower=FLOOR))\n\n'
    "    def get_feature_names_out(self, names=None):\n"
    '        return np.array([*self.columns_, "per_room"], dtype=object)',
    "flats = read(PATH)\ndraw(flats)\nplt.show()",
    'X = flats[["area", "rooms"]]\ny = flats["price"]',
    "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=7)",
    'pipe = Pipeline([("per_room", PerRoom()), ("scale", StandardScaler()), ("ridge", Ridge(alpha=ALPHA))])\n'
    "pipe.fit(X_train, y_train)",
    "y_pred = pipe.predict(X_test)\nmse = mean_squared_error(y_test, y_pred)\nrmse = np.sqrt(mse)\nprint(rmse)",
    'plt.scatter(y_test, y_pred)\nplt.title("r2 %.2f" % r2_score(y_test, y_pred));',
]
TWO_MODELS = [
    HEAD + "\nfrom sklearn.linear_model import LogisticRegression\nfrom sklearn.neighbors import KNeighborsClassifier\n"
    "from sklearn.preprocessing import StandardScaler\nfrom sklearn.metrics import accuracy_score, roc_auc_score",
    'flats = pd.read_csv("flats.csv").dropna()\ndear = (flats["price"] > 200).astype(int)',
    'by_district = flats.groupby("district")["price"].mean()',
    'X_train, X_test, y_train, y_test = train_test_split(flats[["area", "rooms"]], dear, test_size=0.3, '
    "random_state=0, stratify=dear)",
    "scaler = StandardScaler().fit(X_train)\nA_train = scaler.transform(X_train)\nA_test = scaler.transform(X_test)",
    "near = KNeighborsClassifier(n_neighbors=3)\nnear.fit(A_train, y_train)\nprint(near.score(A_test, y_test))",
    "clf = LogisticRegression(C=0.7)\nclf.fit(A_train, y_train)",
    "chance = clf.predict_proba(A_test)[:, 1]\nprint(roc_auc_score(y_test, chance))\n"
    "print(accuracy_score(y_test, clf.predict(A_test)))",
]
_MODELS = (
    "\nfrom sklearn.linear_model import Ridge\nfrom sklearn.preprocessing import StandardScaler\n"
    "from sklearn.metrics import mean_absolute_error"
)
TABLES = [
    HEAD + _MODELS,
    'flats = pd.read_csv("flats.csv").dropna()',
    "train, test = train_test_split(flats, test_size=0.2, random_state=4)",
    'features = ["area", "rooms"]\nX_train, y_train = train[features], train["price"]\nX_test = test[features]',
    'train["price"].hist()',
    "model = Ridge()\nmodel.fit(X_train, y_train)",
    "mean_absolute_error(test.price, model.predict(X_test))",
]
"""Whole tables are split; columns are chosen afterwards."""
SOME_COLUMNS = [
    HEAD + _MODELS,
    'flats = pd.read_csv("flats.csv").dropna().drop(columns=["district", "heating"])\ny = flats.pop("price")',
    "def add(frame):\n    return frame.assign(per_room=frame.area / frame.rooms)",
    "X_train, X_test, y_train, y_test = train_test_split(flats, y, test_size=0.2, random_state=4)",
    'some = ["area"]\nscaler = StandardScaler()\nX_train[some] = scaler.fit_transform(X_train[some])\n'
    "X_test[some] = scaler.transform(X_test[some])",
    "X_train, X_test = X_train[['rooms', 'area']], X_test[['rooms', 'area']]",
    "A_train = add(X_train)\nA_test = add(X_test)",
    "model = Ridge(alpha=1e-3).fit(A_train, y_train)\nmodel.score(A_test, y_test)",
]
"""Some columns are scaled, then an own function makes one; columns are chosen between the two."""
ALL = {
    "fit_before_split": FIT_BEFORE_SPLIT,
    "out_of_order": OUT_OF_ORDER,
    "dropped_rows": DROPPED_ROWS,
    "magics": MAGICS,
    "functions": FUNCTIONS,
    "two_models": TWO_MODELS,
}


def exploration(cells: Sequence[str], counts: Sequence[int | None] | None = None) -> dict[str, Any]:
    """A notebook of these cells; one that begins with `# ` and a capital letter is prose."""
    result = []
    for place, source in enumerate(cells):
        if source.startswith("# Flats"):
            result.append({"cell_type": "markdown", "metadata": {}, "source": source})
            continue
        count = counts[place] if counts else place + 1
        result.append({"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": count, "source": source})
    return {"cells": result, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}


def planted(name: str) -> dict[str, Any]:
    """One of the six notebooks."""
    return exploration(ALL[name], OUT_OF_ORDER_COUNTS if name == "out_of_order" else None)


def write_exploration(folder: Path, notebook: dict[str, Any], name: str = "exploration") -> Path:
    """Write a notebook, and the flats beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    flats().to_csv(folder / "flats.csv", index=False)
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def flats() -> pd.DataFrame:
    """160 flats, some without area, some very cheap."""
    draw = np.random.default_rng(5)
    rooms = draw.integers(1, 7, 160)
    area = rooms * draw.normal(25.0, 4.0, 160) + 10
    price = np.round(area * 2.5 + rooms * 10 + draw.normal(0, 15, 160), 1)
    frame = pd.DataFrame({"area": np.round(area, 2), "rooms": rooms, "price": price})
    frame["district"] = draw.choice(["north", "south", "harbour"], 160)
    frame["heating"] = draw.choice(["gas", "wood"], 160)
    frame.loc[frame.index % 16 == 3, "area"] = np.nan
    return frame


def empty_project(root: Path) -> Project:
    """A project without pipelines."""
    root.mkdir(parents=True, exist_ok=True)
    settings = f"[project]\nlib_name = {LIBRARY}\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    (root / "settings.ini").write_text(settings)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (root / "pyproject.toml").write_text(text.replace('"pipeline_lib"', f'"{LIBRARY}"'), encoding="utf-8")
    for folder in ("steps", "pipelines"):
        (root / "nbs" / folder).mkdir(parents=True)
        (root / LIBRARY / folder).mkdir(parents=True)
        (root / LIBRARY / folder / "__init__.py").touch()
    shutil.copy(ROOT / "pipeline_lib" / "__init__.py", root / LIBRARY / "__init__.py")
    return find_project(root)
