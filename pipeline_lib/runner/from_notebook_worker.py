"""Runs a new pipeline's own functions in a process of its own and keeps what they return.

Started as `python -m pipeline_lib.runner.from_notebook_worker ROOT NAME FOLDER STEPS`.
"""

import pickle
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline_lib.evidence.fitted_state import write_fitted_state
from pipeline_lib.project.from_notebook.captures import PARTS
from pipeline_lib.project.params import read_params
from pipeline_lib.project.project import find_project

OF_ARRAYS = "predictions of a fit on arrays"
OF_ALL_ROWS = "predictions with first steps of all rows"
REPEATED = "predictions of a second fit"
VALUES, STATE = "values.pickle", "learned.parquet"
"""Files in the folder: what the functions return, and the fitted state of the first fit."""


def values_of(root: Path, name: str, before_split: int, folder: Path) -> dict[str, Any]:
    """The frame of `load`, the parts of `split`, predictions and metrics; the error of the first that fails.

    The fitted state is written to the folder.
    """
    import numpy as np

    result: dict[str, Any] = {}
    stage = "import"
    try:
        project = find_project(root)
        module = project.import_pipeline(name)
        params = read_params(project.params / f"{name}.yml", module.Params)
        stage = "load"
        frame = module.load()
        result["frame"], result["target name"] = frame, module.TARGET
        stage = "split"
        parts = module.split(frame, params)
        result |= dict(zip(PARTS, parts, strict=True))
        stage = "build"
        model = module.build(params)
        stage = "fit"
        fitted = model.fit(parts[0], parts[2])
        result["predictions"] = fitted.predict(parts[1])
        stage = "metrics"
        more = [fitted.predict_proba(parts[1])] if "probabilities" in _arguments(module.metrics) else []
        result["metrics"] = module.metrics(parts[3], result["predictions"], params, *more)
    except Exception as error:
        first = next(iter(str(error).splitlines()), "")
        result["error"] = f"{stage}: {type(error).__name__}: {first}"
        return result
    with suppress(Exception):
        write_fitted_state(folder / STATE, fitted)
    with suppress(Exception):
        result[REPEATED] = module.build(params).fit(parts[0], parts[2]).predict(parts[1])
    with suppress(Exception):  # steps that need the names of columns refuse arrays
        arrays = [np.ascontiguousarray(part.to_numpy()) for part in parts[:2]]
        result[OF_ARRAYS] = module.build(params).fit(arrays[0], parts[2].to_numpy()).predict(arrays[1])
    if before_split:
        with suppress(Exception):
            result[OF_ALL_ROWS] = _of_all_rows(module, params, frame, before_split)
    return result


def _of_all_rows(module: Any, params: Any, frame: Any, count: int) -> Any:
    """Predictions where the first steps learn from all rows, and the others from the training rows."""
    import numpy as np
    from sklearn.pipeline import Pipeline

    steps = module.build(params).steps
    numbered = frame.reset_index(drop=True)
    train, test, target, _ = module.split(numbered, params)
    rows = np.asarray(Pipeline(steps[:count]).fit_transform(numbered.drop(columns=module.TARGET)))
    return Pipeline(steps[count:]).fit(rows[train.index], target).predict(rows[test.index])


def _arguments(function: Any) -> list[str]:
    import inspect

    return list(inspect.signature(function).parameters)


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    target = Path(sys.argv[3])
    values = values_of(Path(sys.argv[1]), sys.argv[2], int(sys.argv[4]), target)
    (target / VALUES).write_bytes(pickle.dumps(values))
