"""All 336,776 flights to one probability each: the compiled pipeline against vectorised pandas + scikit-learn.

    python benchmarks/flights.py

The pipeline is fitted on a sample, then every flight of the year is scored from the raw tables: joined with its
weather and airports, local clocks, distances, waves, logistic regression. What is timed is compared in the same run:
probabilities within rounding of the fitted pipeline and of the same work written by hand in pandas, and one flight
alone and shuffled weather with the bits of the batch.
"""

import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.pipeline import Pipeline

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.pipelines import flights
from pipeline_lib.project.params import read_params
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.model import schema_of
from pipeline_lib.rows.split_tables import as_rows

ROOT = Path(__file__).parent.parent
TURNS = 7
MILES = 3958.8  # radius of the earth, as feature-engine has it
Tables = Mapping[str, pd.DataFrame]


class ByHand:
    """The fitted pipeline's work as one writes it in pandas and NumPy when it must be fast."""

    def __init__(self, fitted: Pipeline, airports: pd.DataFrame) -> None:
        self.airports = airports.set_index("airport")
        self.medians = fitted["medians"].imputer_dict_
        self.dest = fitted["dest"].encoder_dict_["dest"]
        self.unseen = fitted["dest"]._unseen
        self.scaler, self.late = fitted["scale"], fitted["late"]
        self.harmonics = {"here_minute": fitted["day"].harmonics, "there_minute": 2, "here_weekday": 3}

    def predict_proba(self, tables: Tables) -> Any:
        """Probabilities, rows x 2."""
        given = tables["flights"]
        rows = given.merge(tables["weather"], on=["origin", "weather_hour"], how="left", indicator="known")
        made = {name: rows[name].to_numpy() for name in flights.MEASURED}
        made["weather_known"] = (rows["known"] == "both").to_numpy()
        here, there = (self.airports.reindex(given[end]) for end in ("origin", "dest"))
        made["dest_lat"], made["dest_lon"] = there["lat"].to_numpy(), there["lon"].to_numpy()
        moments = given["departure"].dt.tz_localize("UTC")
        clocks = {"here": here["zone"].to_numpy(), "there": there["zone"].to_numpy()}
        for name, zones in clocks.items():
            made |= _clock(name, moments, pd.Series(zones, index=given.index, dtype="category"))
        arrival = given["sched_arr_time"].to_numpy()
        made["block"] = (arrival // 100 * 60 + arrival % 100 - made["there_minute"]) % 1440
        made["wind_gust"] = np.nan_to_num(made["wind_gust"])
        made |= {f"{name}_na": np.isnan(made[name]) for name in ("pressure", "dest_lat")}
        for name, median in self.medians.items():
            made[name] = np.where(np.isnan(made[name]), median, made[name])
        made["wind_speed"] = np.minimum(made["wind_speed"], flights.MOST_WIND)
        made["distance"] = _miles(here["lat"].to_numpy(), here["lon"].to_numpy(), made["dest_lat"], made["dest_lon"])
        made["precip"] = np.log(made["precip"] + 0.01)
        for name, period in (("here_minute", 1440), ("there_minute", 1440), ("here_weekday", 7)):
            for k in range(1, self.harmonics[name] + 1):
                turn = made[name] * (2 * np.pi * k / period)
                made |= {f"{name}_sin_{k}": np.sin(turn), f"{name}_cos_{k}": np.cos(turn)}
        made["dest"] = given["dest"].map(self.dest).fillna(self.unseen).to_numpy()
        for name in self.scaler.feature_names_in_:
            if name not in made:
                column, _, label = name.partition("_")
                made[name] = (given[column] == label).to_numpy()
        matrix = np.column_stack([made[name] for name in self.scaler.feature_names_in_])
        return self.late.predict_proba(
            self.scaler.transform(pd.DataFrame(matrix, columns=self.scaler.feature_names_in_))
        )


def _clock(name: str, moments: pd.Series, zones: pd.Series) -> dict[str, Any]:
    minute, weekday = np.full(len(moments), np.nan), np.full(len(moments), np.nan)
    for place, zone in enumerate(zones.cat.categories):
        rows = zones.cat.codes.to_numpy() == place
        local = moments[rows].dt.tz_convert(zone).dt
        minute[rows], weekday[rows] = local.hour * 60 + local.minute, local.day_of_week
    return {f"{name}_minute": minute, f"{name}_weekday": weekday}


def _miles(lat1: Any, lon1: Any, lat2: Any, lon2: Any) -> Any:
    lat1, lon1, lat2, lon2 = map(np.radians, (lat1, lon1, lat2, lon2))
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * MILES * np.arcsin(np.sqrt(half))


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(name: str, theirs: Callable[[], object], ours: Callable[[], object]) -> None:
    """Print the median ratio of two that take turns, so that a noisy moment meets both."""
    pairs = [(seconds(theirs), seconds(ours)) for _ in range(TURNS)]
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{name}: {ratio:.2f} times as fast ({min(a for a, _ in pairs):.2f} s and {min(b for _, b in pairs):.2f} s)")


def check(model: CompiledPipeline, others: Mapping[str, Any], tables: Tables) -> None:
    """Fails where the timed outputs are not the same."""
    probabilities = model.predict_proba(tables)
    for name, other in others.items():
        apart = np.abs(probabilities - other.predict_proba(tables)).max()
        assert apart < 1e-12, (name, apart)
        print(f"same: {len(probabilities):,} probabilities, {name} within {apart:.1e}")
    shuffled = {**tables, "weather": tables["weather"].sample(frac=1, random_state=0)}
    assert model.predict_proba(shuffled).tobytes() == probabilities.tobytes()
    rows = as_rows(conform(tables, model.row).slice(0, 100), model.row)
    assert np.array([model.predict_proba_row(row) for row in rows]).tobytes() == probabilities[:100].tobytes()
    one = seconds(lambda: [model.predict_proba_row(row) for row in rows]) / len(rows)
    few = {**tables, "flights": tables["flights"].head(1), "weather": tables["weather"].head(1)}
    theirs = min(seconds(lambda: others["the fitted pipeline"].predict_proba(few)) for _ in range(5))
    print(f"one flight with its weather: {1e3 * one:.2f} ms, {1e3 * theirs:.0f} ms by the fitted pipeline")


def peak(folder: Path, which: str) -> float:
    """MiB that scoring adds at its peak to a process that holds the tables."""
    done = subprocess.run(  # noqa: S603 (this very script)
        [sys.executable, "-W", "ignore", __file__, "--peak", which, str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout))


def measure_peak(which: str, folder: Path) -> None:
    """In a process of its own: print the peak above what the tables hold."""
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("flights", "weather")}
    model: Any = load_model(folder / "artifact") if which == "ours" else joblib.load(folder / "fitted")
    few = tables | {"flights": tables["flights"].head(1000)}
    model.predict_proba(few)  # what is loaded on the first call
    gc.collect()
    pa.default_memory_pool().release_unused()  # what reading the files left
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _memory("VmRSS")
    model.predict_proba(tables)
    print(json.dumps(_memory("VmHWM") - before))


def _memory(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def _fit() -> tuple[Pipeline, Tables, dict[str, pd.DataFrame]]:
    params = read_params(ROOT / "params/flights.yml", flights.Params)
    tables = flights.load()
    X_train, _, y_train, _ = flights.split(tables, params)
    fitted = flights.build(params).fit(X_train, y_train)
    return fitted, X_train, tables | {"flights": tables["flights"].drop(columns=flights.TARGET)}


def main() -> None:
    """Fit once, compare, then print ratios."""
    warnings.simplefilter("ignore")
    fitted, X_train, tables = _fit()
    model = compile_pipeline(fitted, like=X_train, row=schema_of(flights.Row))
    others = {"the fitted pipeline": fitted, "pandas by hand": ByHand(fitted, tables.pop("airports"))}
    check(model, others, tables)
    arrow = {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in tables.items()}
    for name, other in others.items():
        theirs = lambda other=other: other.predict_proba(tables)  # noqa: E731
        in_turns(f"tables to probabilities against {name}", theirs, lambda: model.predict_proba(tables))
        in_turns("  from Arrow tables", theirs, lambda: model.predict_proba(arrow))
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in tables.items():
            frame.to_parquet(Path(folder) / f"{name}.parquet")
        model.save(Path(folder) / "artifact")
        joblib.dump(fitted, Path(folder) / "fitted")  # to fit there would leave freed memory, used again unseen
        theirs, ours = (peak(Path(folder), which) for which in ("theirs", "ours"))
    print(
        f"memory above the tables: {ours:,.0f} MiB, {theirs:,.0f} MiB by the fitted pipeline: {ours / theirs:.2f} of it"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        measure_peak(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
