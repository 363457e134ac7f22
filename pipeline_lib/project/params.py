"""Parameters: text from a file or the command line, checked by the pipeline's own `Params` model.

All problems are reported at once, each with its location, before any kernel starts.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline_lib.errors import InputError
from pipeline_lib.project.params_errors import describe_value, shorten, validation_problems
from pipeline_lib.project.params_file import Key, Location, dotted, read_file
from pipeline_lib.project.params_model import BaseParams
from pipeline_lib.project.params_overrides import apply_override

ParamsT = TypeVar("ParamsT", bound=BaseParams)
_AFTER_THE_FILE = 1 << 31  # locations sort by line number: overrides come after every line


def read_params(
    path: Path, model: type[ParamsT], *, overrides: Sequence[str] = (), shown: str | None = None
) -> ParamsT:
    """Read the parameters file at `path`, apply `overrides`, and check the result with `model`.

    The file is strictyaml: every value is text that `model` gives a type, except that a plain `null`
    is None. An override is `key=value` with dots between groups (`estimator.alpha=0.01`); a value that
    starts with `[` or `{` is JSON. `shown` is how messages print the path.

    Raises `InputError` with one line per problem: location, key, found, expected.
    """
    shown = shown or str(path)
    values, locations = read_file(path, shown)
    problems: list[tuple[Location, str]] = []
    overridden: list[Key] = []
    for order, text in enumerate(overrides, _AFTER_THE_FILE):
        location = (order, f"{shown}: --set {shorten(text)}")
        try:
            overridden.append(apply_override(text, model, values, locations, overridden, location))
        except ValueError as error:
            problems.append((location, str(error)))
    return _validate(model, values, locations, problems)


def params_from_values(values: Mapping[str, object], model: type[ParamsT], source: str) -> ParamsT:
    """Check Python values, such as a notebook's parameter variables; messages name `source` as the location."""
    return _validate(model, dict(values), {(): (0, source)}, [])


def params_to_json(params: BaseParams) -> dict[str, Any]:
    """Return `params` as the JSON values that are sent to a notebook.

    Raises `InputError` for a field whose value the notebook would not read back equal, type included.
    """
    model = type(params)
    values = {name: _to_json_value(params, name) for name in model.model_fields}
    again = _validate(model, values, {(): (0, f"{model.__name__} as JSON")}, [])
    lost = [
        f"{dotted(key)}: found {sent!r}, but a notebook would read {read!r}; "
        "expected a field whose values JSON can carry; annotate it with the exact type, or use str"
        for key, sent, read in _differences(params, again, ())
    ]
    if lost:
        raise InputError("\n".join(lost))
    return values


def _validate(
    model: type[ParamsT],
    values: dict[str, Any],
    locations: dict[Key, Location],
    problems: list[tuple[Location, str]],
) -> ParamsT:
    try:
        params = model.model_validate(values)
    except ValidationError as error:
        problems = problems + validation_problems(error, model, values, locations)
    except Exception as error:
        raise InputError(
            f"{locations[()][1]}: found {type(error).__name__}: {error} in a validator of {model.__name__}, "
            "expected ValueError with a message; correct the validator"
        ) from error
    if problems:
        lines = (f"{location}: {text}" for (_, location), text in sorted(problems, key=lambda problem: problem[0]))
        raise InputError("\n".join(lines))
    return params


def _to_json_value(params: BaseParams, name: str) -> Any:
    try:
        value = params.model_dump(mode="json", include={name})[name]
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
        if json.loads(text) == value:
            return value
        problem = "it changes in JSON"
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        problem = f"{type(error).__name__}: {error}"
    found = f"{describe_value(getattr(params, name))} ({problem})"
    raise InputError(f"{name}: found {found}, expected a value that JSON can carry; change the field's type")


def _differences(sent: Any, read: Any, key: Key) -> Iterator[tuple[Key, Any, Any]]:
    """Where two values differ, in a type, too: the key and both."""
    inner: list[tuple[Any, Any, Any]] = []
    if type(sent) is not type(read):
        yield key, sent, read
    elif isinstance(sent, BaseModel):
        inner = [(name, getattr(sent, name), getattr(read, name)) for name in type(sent).model_fields]
    elif isinstance(sent, dict) and list(map(repr, sent)) == list(map(repr, read)):
        inner = [(name, sent[name], read[name]) for name in sent]
    elif isinstance(sent, list | tuple) and len(sent) == len(read):
        inner = [(i, *pair) for i, pair in enumerate(zip(sent, read, strict=True))]
    elif sent != read or repr(sent) != repr(read):  # repr: -0.0 equals 0.0
        yield key, sent, read
    for name, one, other in inner:
        yield from _differences(one, other, (*key, name))
