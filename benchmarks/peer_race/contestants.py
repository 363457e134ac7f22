"""Who is timed: ours, the fitted pipeline, its converted graph, and a booster's own library."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.pipeline import Pipeline

from peer_race.families import COLUMNS, Family
from pipeline_lib.compiled import output_columns
from pipeline_lib.compiled.native import core
from pipeline_lib.compiled.native.executor import CoreExecutor
from pipeline_lib.compiled.pipeline import CompiledPipeline

VERSIONS = {
    "lightgbm": "4.7.0",
    "onnx": "1.23.2",
    "onnxmltools": "1.16.0",
    "onnxruntime": "1.32.0",
    "protobuf": "6.33.6",
    "scikit-learn": "1.9.1",
    "skl2onnx": "1.20.0",
    "xgboost-cpu": "3.2.0",
}
"""The peers' versions; the extra `peers` of settings.ini pins the same. With protobuf 7 skl2onnx 1.20 does not convert
HistGradientBoosting."""
PEERS = {
    "scikit-learn": ("scikit-learn",),
    "ONNX Runtime": ("onnx", "onnxmltools", "onnxruntime", "protobuf", "skl2onnx"),
    "LightGBM": ("lightgbm",),
    "XGBoost": ("xgboost-cpu",),
}
INSTALL = "uv pip install -e '.[opaque,peers]'"
ORT = "ONNX Runtime, f32"
FLOAT32 = 1e-5  # how far predictions in float32 may be off, relative to the largest


@dataclass(frozen=True)
class Contestant:
    """Who is timed: how it takes a frame, what it does with that, and how far off its predictions may be."""

    name: str
    feed: Callable[[pd.DataFrame], Any]
    predict: Callable[[Any], Any]
    tolerance: float = 1e-9


def executor_of(model: CompiledPipeline) -> str:
    """What carries out a compiled pipeline: the native core at a level, or NumPy where it carries nothing of it."""
    roots = list(output_columns.output_nodes(model.plan, "prediction").values())
    _, executor = model.evaluators.batches.executor(roots)
    return core.name() if isinstance(executor, CoreExecutor) else core.NUMPY


def ours(model: CompiledPipeline, rows: int, threads: int, door: str) -> Contestant:
    """The compiled pipeline; it takes a dict for one row, an Arrow table for more."""
    model = CompiledPipeline(model.plan, model.row, threads=threads)
    if door == "frame":
        return Contestant("ours", lambda frame: frame, model.predict)
    if rows == 1:
        return Contestant("ours", lambda frame: table_of(frame).to_pylist()[0], model.predict_row)
    return Contestant("ours", table_of, model.predict)


def table_of(frame: pd.DataFrame) -> pa.Table:
    """An Arrow table with nulls where values are missing."""
    return pa.Table.from_pandas(frame, preserve_index=False)


def library(family: Family, fitted: Pipeline, rows: int, threads: int, door: str) -> Contestant:
    """The fitted pipeline, or for a ready array the booster inside."""
    if hasattr(fitted[-1], "n_jobs"):
        fitted[-1].n_jobs = threads if rows >= 1000 else 1  # starting jobs costs more than few rows
    if family.booster == "XGBoost":
        fitted[-1].get_booster().set_param({"nthread": threads})
    if door == "frame" or family.text:
        return Contestant(family.booster or "scikit-learn", lambda frame: frame, fitted.predict)
    if family.booster == "LightGBM":
        booster = fitted[-1].booster_
        return Contestant("LightGBM", pd.DataFrame.to_numpy, lambda x: booster.predict(x, num_threads=threads))
    if family.booster == "XGBoost":
        booster = fitted[-1].get_booster()
        return Contestant(
            "XGBoost",
            lambda frame: frame.to_numpy(dtype=np.float32),
            lambda x: booster.inplace_predict(x, validate_features=False),
        )
    return Contestant("scikit-learn", pd.DataFrame.to_numpy, fitted.predict)


def onnx_feed(family: Family, frame: pd.DataFrame) -> dict[str, Any]:
    """What ONNX Runtime takes: numbers as float32, text as objects."""
    feed = {"numbers": frame.iloc[:, : family.numbers].to_numpy(dtype=np.float32)}
    if family.text:
        feed["text"] = frame.iloc[:, family.numbers :].fillna("").to_numpy(dtype=object)
    return feed


def converted(family: Family, fitted: Pipeline) -> bytes:
    """The pipeline as an ONNX model in float32."""
    if family.booster:
        import onnxmltools
        from onnxmltools.convert.common.data_types import FloatTensorType as BoosterFloats

        booster = copy.deepcopy(fitted[-1])
        if family.booster == "XGBoost":
            booster.get_booster().feature_names = None  # the converter knows no other names than f0, f1, ...
        convert = getattr(onnxmltools, f"convert_{family.booster.lower()}")
        types = [("numbers", BoosterFloats([None, COLUMNS]))]
        return bytes(convert(booster, initial_types=types).SerializeToString())
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    types: list[tuple[str, Any]] = [("numbers", FloatTensorType([None, family.numbers]))]
    types += [("text", StringTensorType([None, family.text]))] if family.text else []
    options = {"zipmap": False} if family.labels else {}
    model = to_onnx(
        without_filled_text(fitted), initial_types=types, options={id(fitted[-1]): options | dict(family.options)}
    )
    return bytes(model.SerializeToString())


def without_filled_text(fitted: Pipeline) -> Pipeline:
    """The pipeline without the step that fills missing text: it cannot be converted, and the feed has "" already."""
    parts = copy.deepcopy(fitted[0])
    parts.transformers_ = [
        (name, part[-1] if name == "text" else part, columns) for name, part, columns in parts.transformers_
    ]
    return Pipeline([("parts", parts), ("model", fitted[-1])])


def onnx(family: Family, model: bytes, threads: int, door: str) -> Contestant:
    """A session of ONNX Runtime; from a frame it makes its feed at every call."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    output = session.get_outputs()[0].name

    def run(feed: dict[str, Any]) -> Any:
        return session.run([output], feed)[0]

    if door == "frame":
        return Contestant(ORT, lambda frame: frame, lambda frame: run(onnx_feed(family, frame)), FLOAT32)
    return Contestant(ORT, lambda frame: onnx_feed(family, frame), run, FLOAT32)


def installed_versions() -> dict[str, str]:
    """The versions of the peers' packages that are installed."""
    found = {}
    for package in VERSIONS:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def remarks(found: Mapping[str, str]) -> Iterator[str]:
    """A line for each peer that is missing, and for each package of another version."""
    for peer, packages in PEERS.items():
        missing = [package for package in packages if package not in found]
        if missing:
            yield f"without {peer}: found no {', '.join(missing)}; in an environment of its own: {INSTALL}"
    for package, version in found.items():
        if version != VERSIONS[package]:
            yield f"found {package} {version}, expected {VERSIONS[package]}: these ratios are of another peer"


def has(peer: str, found: Mapping[str, str]) -> bool:
    """Whether every package of a peer is installed."""
    return found.keys() >= set(PEERS[peer])
