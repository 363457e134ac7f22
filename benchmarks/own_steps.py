"""Compiling recorded steps against the same steps with a plan by hand: time, as ratios measured side by side.

    python benchmarks/own_steps.py [--repeats 5]

The predictions of both must have the same bits. Recording happens twice, the second time in another process beside the
compilation, so two free processors are assumed.
"""

import argparse
import statistics
import sys
import time
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.project.params import read_params
from pipeline_lib.rows.model import schema_of

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "tests" / "support"))
from hand_written_plans import PLANNED, with_plan  # noqa: E402

PIPELINES = ("houses", "titanic", "digits")


def by_hand(thing: Any) -> Any:
    """A fitted pipeline whose own steps have plans by hand; the parts are shared with the original."""
    if isinstance(thing, list | tuple):
        return type(thing)(by_hand(each) for each in thing)
    if type(thing) in PLANNED:
        return with_plan(thing)
    if isinstance(thing, BaseEstimator) and (hasattr(thing, "steps") or hasattr(thing, "transformer_list")):
        changed = object.__new__(type(thing))
        vars(changed).update({name: by_hand(value) for name, value in vars(thing).items()})
        return changed
    return thing


def main() -> None:
    """Print the ratio for each pipeline."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore")
    for name in PIPELINES:
        module = import_module(f"pipeline_lib.pipelines.{name}")
        params = read_params(ROOT / "params" / f"{name}.yml", module.Params)
        X_train, X_test, y_train, _ = module.split(module.load(), params)
        recorded = module.build(params).fit(X_train, y_train)
        times: dict[str, list[float]] = {"recorded": [], "by hand": []}
        models = {}
        for _ in range(repeats + 1):  # the first one starts processes and fills caches
            for kind, fitted in (("recorded", recorded), ("by hand", by_hand(recorded))):
                start = time.perf_counter()
                models[kind] = compile_pipeline(fitted, like=X_train, row=schema_of(module.Row))
                times[kind].append(time.perf_counter() - start)
        left, right = (models[kind].predict(X_test) for kind in times)
        assert np.asarray(left).tobytes() == np.asarray(right).tobytes(), "the predictions differ"
        first, second = (statistics.median(values[1:]) for values in times.values())
        print(f"{name:10} recorded {first / second:.2f} of the time by hand")


if __name__ == "__main__":
    main()
