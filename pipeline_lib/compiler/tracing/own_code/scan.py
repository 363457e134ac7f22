"""What the code of own functions shows before it runs: globals written, `is` on a row's value, sets of constants."""

import dis
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

from pipeline_lib.compiler.tracing.own_code.guards import STATE
from pipeline_lib.compiler.tracing.refusals import line_of, located

_NONE_TESTS = {"POP_JUMP_IF_NONE", "POP_JUMP_IF_NOT_NONE"} | {
    f"POP_JUMP_{way}_IF_{test}" for way in ("FORWARD", "BACKWARD") for test in ("NONE", "NOT_NONE")
}


def check_code(recording: Any, code: CodeType) -> None:
    """Refuse code that writes variables that outlive a call: globals, and those that it captured."""
    for kind, name, writer, line in _outliving(code, frozenset(code.co_freevars)):
        found = f"found a {kind} variable {name!r} that `{writer.co_name}` writes"
        recording.refused(located(line_of(writer, line), f"{found}: {STATE[0]}; {STATE[1]}"))


@lru_cache(maxsize=1000)
def _outliving(code: CodeType, captured: frozenset[str]) -> list[tuple[str, str, CodeType, int]]:
    """The variables that outlive a call and that code, or a function inside it, writes: kind, name, code and line."""
    captured &= set(code.co_freevars)
    found, line = [], code.co_firstlineno
    for instruction in dis.get_instructions(code):
        line = (instruction.positions and instruction.positions.lineno) or line
        written = instruction.opname in ("STORE_DEREF", "DELETE_DEREF") and instruction.argval in captured
        if written or instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            found.append(("captured" if written else "global", instruction.argval, code, line))
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return [*found, *(each for function in inner for each in _outliving(function, captured))]


def identity_tests(code: CodeType, *, with_none: bool = False) -> list[int]:
    """The lines in which something is compared by `is`, with None only if asked for.

    `value is None` is no other thing for a recorded value: it is false, unless the column holds None.
    """
    lines, line, right_is_none = [], 0, False
    for instruction in dis.get_instructions(code):
        line = instruction.positions.lineno or line if instruction.positions else line
        tests_none = instruction.opname in _NONE_TESTS or (instruction.opname == "IS_OP" and right_is_none)
        if (tests_none and with_none) or (instruction.opname == "IS_OP" and not right_is_none):
            lines.append(line)
        right_is_none = instruction.opname == "LOAD_CONST" and instruction.argval is None
    return lines


def kept_between_rows(code: CodeType) -> list[str]:
    """The variables of an outer function that code, or a function inside it, writes (`nonlocal`)."""
    return [
        instruction.argval
        for instruction in dis.get_instructions(code)
        if instruction.opname == "STORE_DEREF" and instruction.argval in code.co_freevars
    ]


NAME_LOADS = ("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW", "LOAD_DEREF", "LOAD_GLOBAL", "LOAD_NAME")
"""Instructions that load a variable."""


def only_shown(frame: FrameType | None) -> bool:
    """Whether what a frame computes now is the text of an error, or goes to `print`, a logger or a warning, alone."""
    while frame is not None and frame.f_code.co_name in ("<genexpr>", "<listcomp>"):
        frame = frame.f_back
    if frame is None:
        return False
    code = [each for each in dis.get_instructions(frame.f_code) if each.opname != "CACHE"]
    after = [index for index, each in enumerate(code) if each.offset > frame.f_lasti]
    for index in after:
        if code[index].opname == "RAISE_VARARGS":
            return True
        if code[index].opname == "POP_TOP" and code[index - 1].opname.startswith("CALL"):
            return _is_silent_call(frame, code, index - 1)
        if code[index].opname.startswith(_USES):
            return False
    return False


def only_raised(frame: FrameType) -> bool:
    """Whether what a frame computes now goes into the text of an error that it raises, and nowhere else."""
    code = [each for each in dis.get_instructions(frame.f_code) if each.offset >= frame.f_lasti]
    uses = (each for each in code if each.opname == "RAISE_VARARGS" or each.opname.startswith(_USES))
    first = next(uses, None)
    return first is not None and first.opname == "RAISE_VARARGS"


def _is_silent_call(frame: FrameType, code: list[dis.Instruction], call: int) -> bool:
    """Whether the function of a call is `print`, or belongs to a logger or to warnings: what a line begins with."""
    start = _start(code[call])
    named = [each for each in code[:call] if _start(each) == start and each.opname.startswith(("LOAD_", "PUSH_NULL"))]
    loads = [each for each in named if each.opname != "PUSH_NULL"]
    if start is None or not loads:
        return False
    name = loads[0].argval
    thing = next((space[name] for space in (frame.f_locals, frame.f_globals, frame.f_builtins) if name in space), None)
    for each in loads[1:]:
        if getattr(thing, "_is_silent", False):
            break
        if each.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
            return False
        thing = getattr(thing, each.argval, None)
    return bool(getattr(thing, "_is_silent", False))


def _start(instruction: dis.Instruction) -> tuple[int | None, int | None] | None:
    place = instruction.positions
    return None if place is None or place.col_offset is None else (place.lineno, place.col_offset)


def only_returned(frame: FrameType) -> bool:
    """Whether the text that a frame formats now is returned as it is: `return f"{a}_{b}"`."""
    code = [each for each in dis.get_instructions(frame.f_code) if each.opname != "CACHE"]
    at = next((index for index, each in enumerate(code) if each.offset == frame.f_lasti), len(code))
    if code[at].opname not in ("FORMAT_VALUE", "FORMAT_SIMPLE", "FORMAT_WITH_SPEC"):
        return False
    if code[at + 1].opname == "RETURN_VALUE":
        return True
    if not code[at + 1].opname.startswith(("LOAD_CONST", "LOAD_FAST", "LOAD_DEREF", "LOAD_GLOBAL", "BUILD_STRING")):
        return False
    for index in range(at + 1, len(code) - 1):
        if code[index].opname == "BUILD_STRING":
            return code[index + 1].opname == "RETURN_VALUE"
        if code[index].opname.startswith(_USES):
            return False
    return False


_USES = ("STORE", "RETURN", "JUMP", "POP_JUMP", "COMPARE", "CONTAINS", "YIELD", "IS_OP", "POP_TOP", "FOR_ITER")
"""Instructions by which a text is kept, returned or branched on."""


class ConstantSet(frozenset[Any]):
    """A set of constants in which a recorded value can be looked up: `value in {"a", "b"}`."""

    def __contains__(self, item: object) -> bool:
        test = getattr(type(item), "_is_in", None)
        return bool(test(item, self)) if test else super().__contains__(item)


class LookupSet(set[Any]):
    """A set of own code in which a recorded value can be looked up."""

    _original = property(set)

    def __contains__(self, item: object) -> bool:
        test = getattr(type(item), "_is_in", None)
        return bool(test(item, self)) if test else super().__contains__(item)


def frozen_constants(code: CodeType) -> CodeType:
    """A copy of a code object, with ConstantSet in place of the frozen sets among its constants."""
    constants = tuple(
        ConstantSet(each) if type(each) is frozenset else frozen_constants(each) if isinstance(each, CodeType) else each
        for each in code.co_consts
    )
    return code.replace(co_consts=constants)
