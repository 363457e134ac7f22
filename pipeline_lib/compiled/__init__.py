"""The compiled pipeline: what a fitted pipeline becomes, and what production loads."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline_lib.errors import InputError
from pipeline_lib.rows import RowSchema

if TYPE_CHECKING:
    import pandas as pd

    from pipeline_lib.compiled.opaque import CompiledPipeline

FORMAT = 1
ARTIFACT = "artifact.json"


def compile_pipeline(fitted: Any, *, like: "pd.DataFrame", row: RowSchema, library: str) -> "CompiledPipeline":
    """Compile a fitted scikit-learn pipeline for raw rows of schema `row`.

    `like` is the training frame: its dtypes must be what production will deliver. `library` is the package
    whose `steps` and `pipelines` may appear in the pipeline.
    Raises InputError for a pipeline that could not be loaded again, or trained on other dtypes.
    """
    opaque = _opaque_module()
    compiled: CompiledPipeline = opaque.compile_fitted(fitted, like=like, row=row, library=library)
    return compiled


def load_model(folder: str | Path, *, library: str = "pipeline_lib") -> "CompiledPipeline":
    """Load the artifact that a run left in `folder` (`runs/NAME/ID/artifact`), ready to predict.

    `library` is the package whose exported steps may be loaded; whatever the artifact says, no other
    code than that, scikit-learn's and feature-engine's estimators is.
    Raises InputError when the folder holds no artifact of a known format.
    """
    description = read_description(Path(folder))
    opaque = _opaque_module()
    loaded: CompiledPipeline = opaque.load_folder(Path(folder), description, library=library)
    return loaded


def read_description(folder: Path) -> dict[str, Any]:
    """The artifact's description, checked for its format version."""
    path = folder / ARTIFACT
    try:
        description = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"{folder}: found no {ARTIFACT}, expected the artifact folder of a run; name it as runs/NAME/ID/artifact"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: found a damaged description ({error}), expected JSON") from error
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        found = description.get("format") if isinstance(description, dict) else type(description).__name__
        raise InputError(
            f"{path}: found format {found!r}, expected {FORMAT}; load it with the version of "
            "nb-pipeline-lib that wrote it, or run the notebook again"
        )
    return description


def _opaque_module() -> Any:
    try:
        from pipeline_lib.compiled import opaque
    except ImportError as error:
        raise InputError(
            f"found no package {error.name!r}, expected the libraries that an opaque artifact runs through; "
            "pip install 'nb-pipeline-lib[opaque]'"
        ) from error
    return opaque
