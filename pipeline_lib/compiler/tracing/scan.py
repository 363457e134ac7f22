"""What the code of own functions shows before it runs: globals written, `is` on a row's value, sets of constants."""

import dis
from collections.abc import Collection
from types import CodeType, FrameType
from typing import Any

from pipeline_lib.compiler.tracing.guards import STATE
from pipeline_lib.compiler.tracing.refusals import line_of, located

_NONE_TESTS = {"POP_JUMP_IF_NONE", "POP_JUMP_IF_NOT_NONE"} | {
    f"POP_JUMP_{way}_IF_{test}" for way in ("FORWARD", "BACKWARD") for test in ("NONE", "NOT_NONE")
}


def check_code(recording: Any, code: CodeType, captured: Collection[str] | None = None) -> None:
    """Refuse code that writes variables that outlive a call: globals, and those that it captured."""
    captured = set(code.co_freevars) if captured is None else set(captured) & set(code.co_freevars)
    line = code.co_firstlineno
    for instruction in dis.get_instructions(code):
        line = (instruction.positions and instruction.positions.lineno) or line
        written = instruction.opname in ("STORE_DEREF", "DELETE_DEREF") and instruction.argval in captured
        if written or instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            kind = "captured" if written else "global"
            found = f"found a {kind} variable {instruction.argval!r} that `{code.co_name}` writes"
            recording.refused(located(line_of(code, line), f"{found}: {STATE[0]}; {STATE[1]}"))
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            check_code(recording, inner, captured)


def identity_tests(code: CodeType, *, with_none: bool = False) -> list[int]:
    """The lines in which a local variable, or a part of one, is compared by `is`, with None only if asked for.

    `value is None` is no other thing for a recorded value: it is false, unless the column holds None.
    """
    lines, before, line, right = [], "", 0, False
    for instruction in dis.get_instructions(code):
        line = instruction.positions.lineno or line if instruction.positions else line
        name = instruction.opname
        tests_none = name in _NONE_TESTS or (name == "IS_OP" and right)
        if (name == "IS_OP" or tests_none) and before in _LOCALS and (with_none or not tests_none):
            lines.append(line)
        right = name == "LOAD_CONST" and instruction.argval is None
        if name == "LOAD_CONST" and before in _LOCALS:
            continue  # the right side: `value is None`
        before = name
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
_LOCALS = {"LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW", "LOAD_DEREF", "BINARY_SUBSCR", "BINARY_OP", "CALL"}


def only_raised(frame: FrameType | None) -> bool:
    """Whether what a frame computes now goes into a `raise` and nowhere else: the text of an error's message."""
    while frame is not None and frame.f_code.co_name in ("<genexpr>", "<listcomp>"):
        frame = frame.f_back
    if frame is None:
        return False
    for instruction in dis.get_instructions(frame.f_code):
        if instruction.offset <= frame.f_lasti:
            continue
        if instruction.opname == "RAISE_VARARGS":
            return True
        if instruction.opname.startswith(_USES):
            return False
    return False


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
