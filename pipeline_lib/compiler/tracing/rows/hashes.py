"""A row's value looked up in a dict or set that own code builds itself: `{"a": 1, "b": 2}.get(value, 0)`.

Python asks the value for its hash, and compares it with the keys that have the same one. So the look-up is a branch for
each key: on a key's own path the value has the hash of that key, on the last path that of none. Which dict it is, is
read from the instruction that runs; what cannot be read is refused.
"""

import dis
import sys
from collections.abc import Collection, Sequence
from types import CodeType, FrameType
from typing import Any

from pipeline_lib.compiler.tracing.own_code.scan import NAME_LOADS

_METHODS = ("get", "pop")
_DISPLAYS = ("BUILD_CONST_KEY_MAP", "BUILD_MAP", "BUILD_SET")


def calling_frame(codes: Collection[CodeType], depth: int = 2) -> FrameType | None:
    """The frame of own code whose instruction asks for a hash, or compares; None where a library does."""
    frame = sys._getframe(depth)
    return frame if frame.f_code in codes else None


def keys_looked_up(frame: FrameType) -> list[Any] | None:
    """The keys of the dict or set that a frame's instruction looks a value up in; None where it cannot be read."""
    code, end = _container(frame)
    if end is None:
        return None
    found = _object(frame, code, end)
    if isinstance(found, dict | set | frozenset):
        return list(found)
    return _keys_of_display(code, end) if code[end].opname in _DISPLAYS else None


def items_looked_up(frame: FrameType) -> list[Any] | None:
    """The items of the list or tuple that a frame's `in` looks a value up in; None where it cannot be read."""
    if frame.f_code.co_code[frame.f_lasti] != dis.opmap["CONTAINS_OP"]:
        return None
    code, end = _container(frame)
    found = None if end is None else _object(frame, code, end)
    return list(found) if isinstance(found, list | tuple) else None


def _container(frame: FrameType) -> tuple[list[dis.Instruction], int | None]:
    code = list(dis.get_instructions(frame.f_code))
    at = next((index for index, each in enumerate(code) if each.offset == frame.f_lasti), 0)
    return code, _container_end(code, at)


def _object(frame: FrameType, code: Sequence[dis.Instruction], end: int) -> Any:
    """The object that a variable, an attribute of one, or a constant holds; None for other expressions."""
    instruction = code[end]
    if instruction.opname == "LOAD_CONST":
        return instruction.argval
    if instruction.opname == "LOAD_ATTR" and code[end - 1].opname in NAME_LOADS:
        return getattr(_object(frame, code, end - 1), instruction.argval, None)
    if instruction.opname not in NAME_LOADS:
        return None
    return frame.f_locals.get(instruction.argval, frame.f_globals.get(instruction.argval))


def _container_end(code: Sequence[dis.Instruction], at: int) -> int | None:
    """The last instruction of the expression that gives the container."""
    name = code[at].opname
    if name == "CONTAINS_OP":  # item, container
        return at - 1
    if name == "BINARY_SUBSCR":  # container, key
        start = _start(code, at - 1)
        return None if start is None else start - 1
    if name not in ("CALL", "PRECALL"):  # Python 3.11 runs some calls at PRECALL
        return None
    place: int | None = at - 1
    while place is not None and place >= 0 and code[place].opname in ("PRECALL", "KW_NAMES", "CACHE"):
        place -= 1
    for _ in range(code[at].arg or 0):  # the arguments, from the last to the first
        start = None if place is None else _start(code, place)
        place = None if start is None else start - 1
    if place is None or code[place].opname not in ("LOAD_METHOD", "LOAD_ATTR") or code[place].argval not in _METHODS:
        return None
    return place - 1


def _start(code: Sequence[dis.Instruction], end: int) -> int | None:
    """The first instruction of the expression whose last one is `end`; None where it branches."""
    need = 1
    for place in range(end, -1, -1):
        instruction = code[place]
        if instruction.is_jump_target or "JUMP" in instruction.opname:
            return None
        need -= dis.stack_effect(instruction.opcode, instruction.arg)
        if need == 0:
            return place
        if need < 0:
            return None
    return None


def _keys_of_display(code: Sequence[dis.Instruction], end: int) -> list[Any] | None:
    """The constant keys of a dict or set that is written where it is used."""
    if code[end].opname == "BUILD_CONST_KEY_MAP":
        return list(code[end - 1].argval)
    if code[end].opname == "BUILD_MAP" and code[end].arg == 1:
        start = _start(code, end - 1)
        key = None if start is None else code[start - 1]
        return [key.argval] if key is not None and key.opname == "LOAD_CONST" else None
    return None
