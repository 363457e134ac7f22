"""How many rows get other bits from scikit-learn when nothing but the surroundings change, and from the compiled plan.

Each pipeline is fitted once on invented rows and pickled. Fresh processes predict the same 1,000 rows whole, one row at
a time, in batches of 7, and whole with another number of threads or another BLAS kernel; rows whose bits differ from
those of the first process are counted. docs/reproducibility.md shows the table.

    python benchmarks/moving_bits.py
"""

import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROWS, COLUMNS = 1_000, 40
SETTINGS: dict[str, tuple[str, dict[str, str]]] = {
    "one row at a time": ("1", {}),
    "batches of 7": ("7", {}),
    "1 thread": ("0", {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}),
    "Haswell": ("0", {"OPENBLAS_CORETYPE": "Haswell"}),
    "Prescott": ("0", {"OPENBLAS_CORETYPE": "Prescott"}),
    "no AVX": ("0", {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"}),
}
"""Each column of the table: the rows of a batch (0 for all), and environment variables."""


def models() -> dict[str, Any]:
    """The unfitted estimators, by the names of the table."""
    from sklearn.decomposition import PCA
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    last = {
        "Ridge": Ridge(),
        "LogisticRegression, probabilities": LogisticRegression(),
        "PCA, Ridge": make_pipeline(PCA(10), Ridge()),
        "SVR": SVR(),
        "MLPRegressor": MLPRegressor(hidden_layer_sizes=(20,), max_iter=50, random_state=0),
        "KNeighborsRegressor": KNeighborsRegressor(weights="distance"),
        "GaussianProcessRegressor": GaussianProcessRegressor(random_state=0),
        "RandomForestRegressor": RandomForestRegressor(30, random_state=0),
        "HistGradientBoostingRegressor": HistGradientBoostingRegressor(random_state=0),
    }
    return {name: make_pipeline(StandardScaler(), model) for name, model in last.items()}


def answers(model: Any, rows: "np.ndarray[Any, Any]", size: int) -> "np.ndarray[Any, Any]":
    """The numbers of a model for all rows, in batches of a size: (rows,), float64."""
    ask = (
        model.predict_proba
        if hasattr(model, "predict_proba") and len(getattr(model, "classes_", ()))
        else model.predict
    )
    parts = [ask(rows[start : start + size]) for start in range(0, len(rows), size)]
    whole = np.concatenate(parts)
    return whole[:, -1] if whole.ndim == 2 else whole


def fit(folder: Path) -> None:
    """Fit and compile each model, and keep them with the rows."""
    import warnings

    from pipeline_lib import compile_pipeline

    warnings.simplefilter("ignore")
    random = np.random.default_rng(0)
    rows = random.normal(size=(2 * ROWS, COLUMNS))
    target = rows @ random.normal(size=COLUMNS) + random.normal(size=2 * ROWS)
    np.save(folder / "rows.npy", rows[ROWS:])
    for name, model in models().items():
        labels = target > 0 if "Logistic" in name else target
        model.fit(rows[:ROWS], labels[:ROWS])
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(model))
        compile_pipeline(model, like=rows[:ROWS]).save(folder / name)


def predict(folder: Path, size: int, output: Path) -> None:
    """Predict by each model and by its plan, in this process."""
    import warnings

    from pipeline_lib import load_model

    warnings.simplefilter("ignore")
    rows = np.load(folder / "rows.npy")
    result = {}
    for path in sorted(folder.glob("*.pkl")):
        model = pickle.loads(path.read_bytes())  # noqa: S301 (written a moment ago)
        result[path.stem] = answers(model, rows, size or ROWS)
        plan = load_model(path.with_suffix(""))
        ask = plan.predict_proba if "Logistic" in path.stem else plan.predict
        parts = [ask(rows[start : start + (size or ROWS)]) for start in range(0, ROWS, size or ROWS)]
        whole = np.concatenate(parts)
        result[f"{path.stem} (plan)"] = whole[:, -1] if whole.ndim == 2 else whole
    np.savez(output, **result)


def main() -> None:
    """Print the table as Markdown."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        fit(folder)
        found = {}
        for name, (size, variables) in {"first": ("0", {}), **SETTINGS}.items():
            output = folder / f"{name}.npz"
            command = [sys.executable, __file__, str(folder), size, str(output)]
            subprocess.run(command, env=os.environ | variables, check=True)  # noqa: S603 (this script)
            found[name] = dict(np.load(output))
    print(f"| pipeline | {' | '.join(SETTINGS)} | the plan, in all |\n|---|{'---|' * (len(SETTINGS) + 1)}")
    plans = 0
    for name in models():
        cells = [differing(found["first"][name], found[setting][name]) for setting in SETTINGS]
        plan = sum(differing(found["first"][f"{name} (plan)"], found[each][f"{name} (plan)"]) for each in SETTINGS)
        plans += plan
        print(f"| {name} | {' | '.join(map(str, cells))} | {plan} |")
    assert plans == 0


def differing(one: "np.ndarray[Any, Any]", other: "np.ndarray[Any, Any]") -> int:
    """The number of rows whose bits differ."""
    return int((one.astype(float).view(np.int64) != other.astype(float).view(np.int64)).sum())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        predict(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
