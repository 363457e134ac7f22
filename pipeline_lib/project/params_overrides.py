"""Parameters on the command line, `--set estimator.alpha=0.01`: each replaces one value of the file."""

import json
from collections.abc import Sequence
from typing import Any

from pipeline_lib.project.params_errors import describe_value, shorten
from pipeline_lib.project.params_file import Key, Location, dotted
from pipeline_lib.project.params_model import BaseParams, model_at


def apply_override(
    text: str,
    model: type[BaseParams],
    values: dict[str, Any],
    locations: dict[Key, Location],
    earlier: Sequence[Key],
    location: Location,
) -> Key:
    """Put the value of `key=value` into `values`, with `location` in `locations`; the key.

    `earlier` are the keys that other overrides have replaced. Raises ValueError for text that is no `key=value`, for a
    key that was overridden before, and for a key inside a value that is no group.
    """
    name, sign, value = text.partition("=")
    if not (sign and all(name.split("."))):
        raise ValueError("found no `key=value`, expected for example estimator.alpha=0.01")
    key = tuple(name.split("."))
    if any(key[: len(other)] == other[: len(key)] for other in earlier):
        raise ValueError(f"{name}: found a second value for it, expected every key once; remove one")
    new = _parse_value(name, value)
    group = values
    for depth in range(1, len(key)):
        if key[depth - 1] not in group:
            group[key[depth - 1]] = _default_group(model, key[:depth])
            locations[key[:depth]] = location
        group = group[key[depth - 1]]
        if not isinstance(group, dict):
            raise ValueError(  # noqa: TRY004  the caller collects these
                f"{name}: found {describe_value(group)} at {dotted(key[:depth])}, expected a group of keys; "
                "a list is replaced as a whole, with JSON"
            )
    if key in locations:  # name the line whose value is replaced
        location = (location[0], location[1].replace(locations[()][1], locations[key][1], 1))
    for inside in [other for other in locations if other[: len(key)] == key]:
        del locations[inside]
    group[key[-1]] = new
    locations[key] = location
    return key


def _parse_value(name: str, value: str) -> Any:
    """Text as in the file; JSON for a list or a group, which strictyaml writes over several lines."""
    if value[:1] not in ("[", "{"):
        return None if value == "null" else value
    try:
        return json.loads(value, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: found {shorten(value)!r} ({error}), expected JSON") from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key is repeated")
    return dict(pairs)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _default_group(model: type[BaseParams], key: Key) -> dict[str, Any]:
    # A group's default in Params may differ from the defaults of its class: keep what is not overridden.
    parent = model_at(model, key[:-1])
    field = parent.model_fields.get(str(key[-1])) if parent else None
    default = field.get_default(call_default_factory=True, validated_data={}) if field else None
    return default.model_dump(mode="json") if isinstance(default, BaseParams) else {}
