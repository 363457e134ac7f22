"""What the code of own functions shows before it runs: globals written, `is` on a row's value, sets of constants."""

import dis
from types import CodeType, FrameType
from typing import Any

_IDENTITY_TESTS = {"IS_OP", "POP_JUMP_IF_NONE", "POP_JUMP_IF_NOT_NONE"} | {
    f"POP_JUMP_{way}_IF_{test}" for way in ("FORWARD", "BACKWARD") for test in ("NONE", "NOT_NONE")
}


def check_code(substitution: Any, code: CodeType) -> None:
    """Refuse code that writes globals: what it leaves there is seen by no replay."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            substitution.refuse(
                f"a global variable {instruction.argval!r} written by {code.co_qualname}",
                "the result of a row would depend on the calls before",
                "keep it in a local variable, or learn it in `fit`",
            )
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            check_code(substitution, inner)


def identity_tests(code: CodeType) -> list[int]:
    """The lines in which a local variable, or a part of one, is compared by `is`."""
    lines, before, line = [], "", 0
    for instruction in dis.get_instructions(code):
        line = instruction.positions.lineno or line if instruction.positions else line
        name = instruction.opname
        if name in _IDENTITY_TESTS and before in _LOCALS:
            lines.append(line)
        if name == "LOAD_CONST" and before in _LOCALS:
            continue  # the right side: `value is None`
        before = name
    return lines


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


_USES = ("STORE", "RETURN", "JUMP", "POP_JUMP", "COMPARE", "CONTAINS", "YIELD", "IS_OP", "POP_TOP", "FOR_ITER")
"""Instructions by which a text is kept, returned or branched on."""


class ConstantSet(frozenset[Any]):
    """A set of constants in which a recorded value can be looked up: `value in {"a", "b"}`."""

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
