"""The row schema and the outputs of a compiled pipeline as MLflow's signature of a model."""

from typing import Any

from pipeline_lib.compiled.pipeline import PREDICTION, CompiledPipeline
from pipeline_lib.scoring.mlflow_model import OUTPUTS

_INPUTS = {"number": "double", "string": "string"}
"""Kinds of raw columns that MLflow passes on unchanged or refuses. Of the others it changes values without a word: its
server makes the integer 1 of 1.5, True of any text, and 1970 of a small number. They get its type `Any`."""
_OUTPUTS = {"float64": "double", "int64": "long", "bool": "boolean", "str": "string", "datetime": "datetime"}


def signature_of(model: CompiledPipeline) -> Any:
    """MLflow's signature: the raw columns that reach an output, the outputs, and the parameter that chooses outputs.

    A column is required as `Row` requires it. A child's column holds a list for each main row.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import DataType, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import AnyType, Array, ColSpec

    def of(names: dict[str, str], kind: str) -> Any:
        return DataType[names[kind]] if kind in names else AnyType()

    row = model.row.keep(model.reads)
    inputs = [ColSpec(of(_INPUTS, column.kind), column.name, column.required) for column in row.columns]
    inputs += [
        ColSpec(Array(AnyType()), f"{child.name}.{column.name}") for child in row.children for column in child.own
    ]
    dtypes = {name: model.plan.nodes[node].dtype for name, node in model.plan.outputs.items()}
    outputs = [
        ColSpec(of(_OUTPUTS, dtype), name) for name, dtype in dtypes.items() if name.partition("[")[0] == PREDICTION
    ]
    params = ParamSchema([ParamSpec(OUTPUTS, DataType.string, [PREDICTION], shape=(-1,))])
    return ModelSignature(Schema(inputs), Schema(outputs), params)
