"""What a pipeline's parameters may be: the base of its `Params` model, and the check of a model."""

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Literal, get_args, get_origin, is_typeddict

from pydantic import BaseModel, ConfigDict, Secret, SecretBytes, SecretStr

from pipeline_lib.errors import InputError
from pipeline_lib.project.params_file import Key


class BaseParams(BaseModel):
    """Base of a pipeline's `Params` and of every group inside it: closed, frozen, finite numbers.

    A parameters file holds text, so types are lax: `'0.1'` is a number where a number is expected. An unknown name, a
    value outside its bounds, NaN and infinity are refused, and parameters cannot be assigned to.

        >>> from pydantic import Field
        >>> from pipeline_lib import BaseParams
        >>> class Estimator(BaseParams):
        ...     alpha: float = Field(0.001, gt=0)
        >>> class Params(BaseParams):
        ...     seed: int = 0
        ...     estimator: Estimator = Estimator()
        >>> Params(seed="7", estimator={"alpha": "0.1"})
        Params(seed=7, estimator=Estimator(alpha=0.1))
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def check_model(model: object, where: str) -> type[BaseParams]:
    """Return `model` if it can hold parameters; raise `InputError` naming every field that cannot.

    `where` is how messages name the model, e.g. `nbs/pipelines/houses.ipynb: Params`.
    """
    if not (isinstance(model, type) and issubclass(model, BaseParams)):
        raise InputError(f"{where}: found {model!r}, expected a subclass of pipeline_lib.BaseParams")
    problems = list(_model_problems(model, where, set()))
    if problems:
        raise InputError("\n".join(problems))
    return model


def model_at(model: type[BaseParams], key: Key, branches: Key = ()) -> type[BaseParams] | None:
    """The model of the group that a key names; None where there is no group, or more than one in a union.

    `branches` are tags of unions: of several groups, the one whose `kind` is among them is chosen.
    """
    for name in key:
        if isinstance(name, int):  # an item of a list: the annotation was entered with the list
            continue
        field = model.model_fields.get(name)
        groups = _groups(field.annotation) if field else []
        if len(groups) > 1:
            groups = [group for group in groups if set(_kinds(group)) & set(branches)]
        if len(groups) != 1:
            return None
        model = groups[0]
    return model


def _types(annotation: object) -> Iterator[object]:
    """The annotation and every type inside it."""
    yield annotation
    for inner in get_args(annotation):
        yield from _types(inner)
    if hasattr(annotation, "__value__"):  # a `type X = ...` alias
        yield from _types(annotation.__value__)


def _groups(annotation: object) -> list[type[BaseParams]]:
    return [t for t in _types(annotation) if isinstance(t, type) and issubclass(t, BaseParams)]


def _kinds(group: type[BaseParams]) -> tuple[object, ...]:
    """The values of a group's `kind`, by which a union chooses; none where it has no such field."""
    field = group.model_fields.get("kind")
    return get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()


def _model_problems(model: type[BaseParams], where: str, seen: set[type]) -> Iterator[str]:
    if model in seen:
        return
    seen.add(model)
    for option, value in BaseParams.model_config.items():
        if model.model_config.get(option) != value:
            yield f"{where}: found {option}={model.model_config.get(option)!r}, expected {value!r}; remove it"
    for name, field in model.model_fields.items():
        at = f"{where}.{name}"
        if field.alias or field.validation_alias or field.serialization_alias:
            yield f"{at}: found an alias, expected one name for one parameter; remove the alias"
        for annotation in _types(field.annotation):
            problem = _type_problem(annotation)
            if problem:
                yield f"{at}: found {problem}"
        for group in _groups(field.annotation):
            yield from _model_problems(group, at, seen)


def _type_problem(annotation: object) -> str | None:
    kind = get_origin(annotation) or annotation
    if kind is Literal and not all(isinstance(value, str | None) for value in get_args(annotation)):
        return f"{annotation}, expected text in Literal, as in the file; use int with ge and le, or IntEnum"
    if not isinstance(kind, type):
        return None
    if issubclass(kind, SecretStr | SecretBytes | Secret):
        return (
            f"{kind.__name__}, expected no secret among parameters, since they are recorded; "
            "read it from an environment variable where it is used"
        )
    if issubclass(kind, set | frozenset):
        return f"{kind.__name__}, whose order changes between runs, expected list or tuple"
    open_group = issubclass(kind, BaseModel) and not issubclass(kind, BaseParams)
    if open_group or is_dataclass(kind) or is_typeddict(kind):
        return f"{kind.__name__}, expected groups to be subclasses of pipeline_lib.BaseParams"
    return None
