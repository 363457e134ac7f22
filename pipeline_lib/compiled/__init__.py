"""The compiled pipeline: what a fitted pipeline becomes, and what production loads."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline_lib.compiled import artifact
from pipeline_lib.compiled.artifact import read_description
from pipeline_lib.compiled.pipeline import CompiledPipeline, Evaluation
from pipeline_lib.errors import InputError
from pipeline_lib.rows.context import Context
from pipeline_lib.rows.schema import RowSchema

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CompiledPipeline", "Evaluation", "compile_pipeline", "load_model", "read_description"]


def compile_pipeline(
    fitted: Any,
    *,
    like: "pd.DataFrame | Mapping[str, pd.DataFrame]",
    row: RowSchema | None = None,
    library: str = "pipeline_lib",
    allow_opaque: bool = False,
    context: Context | int = 0,
) -> CompiledPipeline:
    """Compile a fitted scikit-learn or feature-engine pipeline, from raw rows to prediction.

    `like` is the training frame: its dtypes must be what production will deliver, and on each of its rows every
    step's plan is checked against the library's own result. `row` is the schema of raw rows, by default what
    `like` holds; a pipeline over several raw tables needs it, and `like` then maps their names to frames. A step
    without an exact plan is refused, or with `allow_opaque` runs through its library; then `library` is the package
    whose exported steps may be loaded. `context` declares how many earlier rows, in order of
    time, production will have for each row, and may say how time passes: lags and windows need them.
    Raises InputError for a step that cannot be compiled faithfully, saying which and what to do.
    """
    from pipeline_lib.compiled.compiler import Settings, compile_fitted
    from pipeline_lib.compiled.history import declared
    from pipeline_lib.rows.frames import schema_like

    if row is None and isinstance(like, Mapping):
        raise InputError(
            "found several training tables without a schema, expected row=schema_of(Tables(...)), which names their key"
        )
    row = row or schema_like(like)  # type: ignore[arg-type]  # no mapping: see above
    settings = Settings(row, library, allow_opaque, declared(context, row))
    return compile_fitted(fitted, like=like, settings=settings)


def load_model(folder: str | Path, *, library: str = "pipeline_lib") -> CompiledPipeline:
    """Load the artifact that a run left in `folder` (`runs/NAME/ID/artifact`), ready to predict.

    Loading an exact artifact executes nothing and imports neither scikit-learn nor pandas. For opaque steps,
    `library` is the package whose exported steps may be loaded besides scikit-learn's and feature-engine's.
    Raises InputError when the folder holds no artifact of a known format.
    """
    plan, row, opaque = artifact.load(Path(folder))
    return CompiledPipeline(plan, row, opaque, library)
