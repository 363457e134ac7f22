"""What own code compares with: numbers, short texts and dates in its source and in the fitted state of its objects.

A step that treats the year 2010 otherwise names it somewhere: as a constant in `transform` or in a function that it
calls, as a global of its module, or in what `fit` has learned. `edge_values` tries each in the columns that go in.
"""

import dis
import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from pipeline_lib.compiler.tracing.own_code.functions import is_own
from pipeline_lib.rule_model import RuleModel

Constant = int | float | str | date
"""A number, text, or date; durations are in a plan's constants alone, as microseconds."""

_LONGEST_TEXT = 40  # characters; longer text is a message or a docstring
_MOST_CONSTANTS = 200  # of one step
_MOST_OBJECTS = 1_000  # that are looked at: the state of a step may hold a whole dictionary
_MOST_ITEMS = 200  # of one array or Series
_LOADS = ("LOAD_CONST", "LOAD_SMALL_INT", "RETURN_CONST")  # a docstring is never loaded
_NO_TRANSFORM = {"fit", "fit_transform", "plan", "plan_outputs", "get_feature_names_out", "__init__"}


@dataclass(frozen=True)
class OwnCode:
    """Own code in a step: the names of its classes and functions, and the constants that it holds."""

    names: tuple[str, ...]
    constants: tuple[Constant, ...]


def own_code(step: Any) -> OwnCode:
    """The own code in a fitted step: the step itself, and steps and functions that a library's step holds."""
    own = list(_own_objects(step, 0, set()))
    names = (each.__name__ if isinstance(each, FunctionType) else type(each).__name__ for each in own)
    constants: dict[tuple[type, Constant], Constant] = {}
    seen: set[int] = set()
    for each in own:
        values = _of_function(each, seen) if isinstance(each, FunctionType) else _of_object(each, seen)
        for value in values:
            constants.setdefault((type(value), value), value)
            if len(constants) == _MOST_CONSTANTS:
                break
    return OwnCode(tuple(dict.fromkeys(names)), tuple(constants.values()))


def _own_objects(thing: Any, depth: int, seen: set[int]) -> Iterator[Any]:
    """Own objects and functions in a step; of a library's step, in what it holds."""
    if id(thing) in seen or len(seen) > _MOST_OBJECTS:
        return
    seen.add(id(thing))
    if isinstance(thing, FunctionType):
        if is_own(thing):
            yield thing
    elif isinstance(thing, list | tuple):
        for item in thing if depth < 6 else ():
            yield from _own_objects(item, depth + 1, seen)
    elif isinstance(thing, dict):
        yield from _own_objects(list(thing.values()), depth, seen)
    elif hasattr(thing, "get_params") or depth == 0:
        if is_own(type(thing)):
            yield thing
        else:
            yield from _own_objects(list(vars(thing).values()), depth + 1, seen)


def _of_object(step: Any, seen: set[int]) -> Iterator[Constant]:
    for kind in type(step).__mro__:
        if is_own(kind) and kind is not RuleModel:
            for name, member in vars(kind).items():
                function = getattr(member, "fget", None) or getattr(member, "__func__", member)
                if name not in _NO_TRANSFORM and isinstance(function, FunctionType):
                    yield from _of_function(function, seen)
    state = [each for name, each in vars(step).items() if _is_read(step, name)]
    for function in map(_function, state):
        yield from _of_function(function, seen) if function is not None else ()
    yield from _of_value(state, seen)


def _is_read(step: Any, name: str) -> bool:
    """Whether own code may compare with an attribute: not with names of columns, nor, in a rule, with its options."""
    if isinstance(step, RuleModel):
        return name in ("rule", "learned_")
    return not name.endswith(("names_in_", "names_out_"))


def _function(held: Any) -> FunctionType | None:
    """The function that a step holds, itself or with some of its arguments; None for another value."""
    function = held.func if isinstance(held, partial) else held
    return function if isinstance(function, FunctionType) else None


def _of_function(function: FunctionType, seen: set[int]) -> Iterator[Constant]:
    """The constants of a function, of the globals that it names, and of own functions that it calls."""
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None or id(code) in seen or not is_own(function):
        return
    seen.add(id(code))
    names: set[str] = set()
    for inner in _codes(code):
        names.update(inner.co_names)
        yield from _of_value([each.argval for each in dis.get_instructions(inner) if each.opname in _LOADS], seen)
    held = [function.__globals__[name] for name in sorted(names) if name in function.__globals__]
    held += [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    held += [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for value in held:
        yield from _of_function(value, seen) if isinstance(value, FunctionType) else _of_value((value,), seen)


def _codes(code: CodeType) -> list[CodeType]:
    """A code object and those of the functions and comprehensions inside it."""
    return [code, *(each for inner in code.co_consts if isinstance(inner, CodeType) for each in _codes(inner))]


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # an empty cell
        return False


def _of_value(values: Iterable[Any], seen: set[int]) -> Iterator[Constant]:
    """The numbers, short texts and dates in values, and in the containers, arrays and Series among them."""
    for value in values:
        plain = value.item() if isinstance(value, np.generic) else value
        if isinstance(plain, bool) or plain is None:
            continue
        if isinstance(plain, int | float):
            if plain == plain and abs(plain) < 2**53:
                yield plain
        elif isinstance(plain, str):
            if len(plain) <= _LONGEST_TEXT:
                yield plain
        elif isinstance(plain, date):
            if plain == plain:  # not NaT
                yield plain
        elif id(value) in seen or len(seen) > _MOST_OBJECTS:
            continue
        else:
            seen.add(id(value))
            yield from _of_value(_items(value), seen)


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, partial):
        return [*value.args, *value.keywords.values()]
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(value, key=repr) if isinstance(value, set | frozenset) else value
    if isinstance(value, np.ndarray):
        return list(value.ravel()[:_MOST_ITEMS])
    if hasattr(value, "iloc") and hasattr(value, "index"):
        part = value.iloc[:_MOST_ITEMS]
        return [*part.index.tolist(), *np.ravel(part.to_numpy()).tolist()]
    return ()
