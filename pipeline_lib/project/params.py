"""Parameters: text from a file or the command line, checked by the pipeline's own `Params` model.

All problems are reported at once, each with the place it comes from, before any kernel starts.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, is_typeddict

from pydantic import BaseModel, ConfigDict, Secret, SecretBytes, SecretStr, ValidationError

from pipeline_lib.errors import InputError
from pipeline_lib.project.params_file import Key, Place, dotted, read_file

_AFTER_THE_FILE = 1 << 31
_EXPECTED = {
    "bool_parsing": "true or false",
    "dict_type": "a group of keys",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "list_type": "a list",
    "model_type": "a group of keys",
    "tuple_type": "a list",
}


class BaseParams(BaseModel):
    """Base of a pipeline's `Params` and of every group inside it: closed, frozen, finite numbers.

    Types are lax, because a parameters file holds text: `'0.1'` is a number where a number is expected.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def check_model(model: type, where: str) -> type[BaseParams]:
    """Return `model` if it can hold parameters; raise `InputError` naming every field that cannot.

    `where` is how the model is printed, e.g. `nbs/pipelines/houses.ipynb: Params`.
    """
    if not (isinstance(model, type) and issubclass(model, BaseParams)):
        raise InputError(f"{where}: found {model!r}, expected a subclass of pipeline_lib.BaseParams")
    problems = list(_model_problems(model, where, set()))
    if problems:
        raise InputError("\n".join(problems))
    return model


def read_params(
    path: Path, model: type[BaseParams], *, overrides: Sequence[str] = (), shown: str | None = None
) -> BaseParams:
    """Read the parameters file at `path`, apply `overrides`, and check the result with `model`.

    The file is strictyaml: every value is text that `model` gives a type, except that a plain `null`
    is None. An override is `key=value` with dots between groups (`estimator.alpha=0.01`); a value that
    starts with `[` or `{` is JSON. `shown` is how messages print the path.

    Raises `InputError` with one line per problem: place, key, found, expected.
    """
    shown = shown or str(path)
    values, places = read_file(path, shown)
    problems: list[tuple[Place, str]] = []
    taken: list[Key] = []
    for order, text in enumerate(overrides, _AFTER_THE_FILE):
        place = (order, f"{shown}: --set {_cut(text)}")
        try:
            taken.append(_override(text, model, values, places, taken, place))
        except ValueError as error:
            problems.append((place, str(error)))
    return _validated(model, values, places, problems)


def params_from_values(values: Mapping[str, object], model: type[BaseParams], source: str) -> BaseParams:
    """Check Python values, such as a notebook's parameter variables; `source` stands for file and line."""
    return _validated(model, dict(values), {(): (0, source)}, [])


def params_to_json(params: BaseParams) -> dict[str, Any]:
    """Return `params` as the JSON values that travel to a notebook.

    Raises `InputError` for a field whose value the notebook would not read back equal, type included.
    """
    model = type(params)
    values = {name: _travelling(params, name) for name in model.model_fields}
    again = _validated(model, values, {(): (0, f"{model.__name__} as JSON")}, [])
    lost = [
        f"{dotted(key)}: found {sent!r}, but a notebook would read {read!r}; "
        "expected a field whose values JSON can carry; annotate it with the exact type, or use str"
        for key, sent, read in _differences(params, again, ())
    ]
    if lost:
        raise InputError("\n".join(lost))
    return values


def _types(annotation: object) -> Iterator[object]:
    yield annotation
    for inner in get_args(annotation):
        yield from _types(inner)
    if hasattr(annotation, "__value__"):  # a `type X = ...` alias
        yield from _types(annotation.__value__)


def _models(annotation: object) -> list[type[BaseParams]]:
    return [t for t in _types(annotation) if isinstance(t, type) and issubclass(t, BaseParams)]


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
        for group in _models(field.annotation):
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


def _override(
    text: str,
    model: type[BaseParams],
    values: dict[str, Any],
    places: dict[Key, Place],
    taken: Sequence[Key],
    place: Place,
) -> Key:
    name, sign, value = text.partition("=")
    if not (sign and all(name.split("."))):
        raise ValueError("found no `key=value`, expected for example estimator.alpha=0.01")
    key = tuple(name.split("."))
    if any(key[: len(other)] == other[: len(key)] for other in taken):
        raise ValueError(f"{name}: found a second value for it, expected every key once; remove one")
    new = _override_value(name, value)
    group = values
    for depth in range(1, len(key)):
        if key[depth - 1] not in group:
            group[key[depth - 1]] = _default_group(model, key[:depth])
            places[key[:depth]] = place
        group = group[key[depth - 1]]
        if not isinstance(group, dict):
            raise ValueError(  # noqa: TRY004  the caller collects these
                f"{name}: found {_shown(group)} at {dotted(key[:depth])}, expected a group of keys; "
                "a list is replaced as a whole, with JSON"
            )
    if key in places:  # with the line that it takes the place of
        place = (place[0], place[1].replace(places[()][1].rpartition(":")[0], places[key][1], 1))
    for inside in [other for other in places if other[: len(key)] == key]:
        del places[inside]
    group[key[-1]] = new
    places[key] = place
    return key


def _override_value(name: str, value: str) -> Any:
    if value[:1] not in ("[", "{"):
        return None if value == "null" else value
    try:
        return json.loads(value, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: found {_cut(value)!r} ({error}), expected JSON") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _default_group(model: type[BaseParams], key: Key) -> dict[str, Any]:
    # A group's default in Params may differ from the defaults of its class: keep what is not overridden.
    holder = _model_at(model, key[:-1])
    field = holder.model_fields.get(str(key[-1])) if holder else None
    default = field.get_default(call_default_factory=True, validated_data={}) if field else None
    return default.model_dump(mode="json") if isinstance(default, BaseParams) else {}


def _model_at(model: type[BaseParams], key: Key) -> type[BaseParams] | None:
    for name in key:
        if isinstance(name, int):  # an item of a list: the annotation was entered with the list
            continue
        field = model.model_fields.get(name)
        models = _models(field.annotation) if field else []
        if len(models) != 1:
            return None
        model = models[0]
    return model


def _validated(
    model: type[BaseParams],
    values: dict[str, Any],
    places: dict[Key, Place],
    problems: list[tuple[Place, str]],
) -> BaseParams:
    try:
        params = model.model_validate(values)
    except ValidationError as error:
        problems = problems + _problems(error, model, values, places)
    except Exception as error:
        raise InputError(
            f"{places[()][1]}: found {type(error).__name__}: {error} in a validator of {model.__name__}, "
            "expected ValueError with a message; correct the validator"
        ) from error
    if problems:
        lines = (f"{place}: {text}" for (_, place), text in sorted(problems, key=lambda problem: problem[0]))
        raise InputError("\n".join(lines))
    return params


def _problems(
    error: ValidationError, model: type[BaseParams], values: dict[str, Any], places: dict[Key, Place]
) -> list[tuple[Place, str]]:
    found: dict[Key, tuple[str, list[str]]] = {}
    for one in error.errors(include_url=False):
        key = _key_in(values, one["loc"])
        if one["type"] == "missing":
            key = (*key, one["loc"][-1])
            found[key] = ("missing key, expected a value; add it", [])
        elif one["type"] == "extra_forbidden":
            found[key] = (_unknown(key, _model_at(model, key[:-1])), [])
        else:  # a union reports once for each of its branches
            _, expected = found.setdefault(key, (f"found {_shown(one['input'])}, expected ", []))
            expected.append(_expected(one["type"], one["msg"]))
    lines: list[tuple[Place, str]] = []
    for key, (text, expected) in found.items():
        text += " or ".join(dict.fromkeys(expected))
        lines.append((_place(places, key), f"{dotted(key)}: {text}" if key else text))
    return lines


def _key_in(values: Any, loc: Key) -> Key:
    key: Key = ()
    for item in loc:  # what is not in the values is the name of a union's branch, or a missing key
        is_item = isinstance(values, list | tuple) and isinstance(item, int) and item < len(values)
        if is_item or (isinstance(values, dict) and item in values):
            values, key = values[item], (*key, item)
    return key


def _place(places: dict[Key, Place], key: Key) -> Place:
    while key not in places:
        key = key[:-1]
    return places[key]


def _unknown(key: Key, model: type[BaseParams] | None) -> str:
    known = list(model.model_fields) if model else []
    near = difflib.get_close_matches(str(key[-1]), known, n=1)
    if near:
        return f"unknown key, did you mean {near[0]}? rename or remove it"
    return f"unknown key, expected one of: {', '.join(known) or 'none'}; rename or remove it"


def _expected(kind: str, message: str) -> str:
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    message = re.split(r", (?:unable|got) ", message)[0].removeprefix("Value error, ")
    noun, should, rest = message.partition(" should ")
    verb, _, what = rest.partition(" ")
    if not should or verb not in ("be", "have", "match"):
        return message
    if verb == "be":
        return f"a value {what}" if re.match("greater|less|a multiple", what) else what
    return f"a {noun.lower()} {'of' if verb == 'have' else 'that matches'} {what}"


def _travelling(params: BaseParams, name: str) -> Any:
    try:
        value = params.model_dump(mode="json", include={name})[name]
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
        if json.loads(text) == value:
            return value
        problem = "it changes in JSON"
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        problem = f"{type(error).__name__}: {error}"
    found = f"{_shown(getattr(params, name))} ({problem})"
    raise InputError(f"{name}: found {found}, expected a value that JSON can carry; change the field's type")


def _differences(sent: Any, read: Any, key: Key) -> Iterator[tuple[Key, Any, Any]]:
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


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a group of keys"
    return "null" if value is None else _cut(repr(value))


def _cut(text: str, limit: int = 60) -> str:
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
