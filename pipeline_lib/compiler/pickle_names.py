"""What a pickle would import and call, read from its opcodes: nothing of it is imported, made or called.

The opcodes (`pickletools.genops`) are carried out on a stack of descriptions: a name stands for what would be imported,
`Made` for what a call would return. joblib puts the bytes of arrays between the opcodes; their length follows from the
description of the array, and they are skipped.
"""

import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from pipeline_lib.errors import InputError

_MARK = object()
_ARRAY = "joblib.numpy_pickle.NumpyArrayWrapper"
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_SET": list}
_DROPPED = {"APPEND": 1, "SETITEM": 2, "POP": 1}  # so many values of the stack
_DROPPED_TO_MARK = ("APPENDS", "ADDITEMS", "POP_MARK")
_NOTHING = ("PROTO", "FRAME", "NEXT_BUFFER", "READONLY_BUFFER")


@dataclass(frozen=True)
class Name:
    """What would be imported."""

    module: str
    name: str

    @property
    def full_name(self) -> str:
        """The module and name with a dot between."""
        return f"{self.module}.{self.name}"


@dataclass
class Made:
    """What a call of something imported would return, with the state that it would get."""

    by: Any
    arguments: Any
    state: Any = None


@dataclass
class PickleNames:
    """What a pickle holds: `top` is the outermost object, `names` what would be imported, `states` those of objects."""

    protocol: int = 0
    top: Any = None
    names: list[Name] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)


def read_pickle_names(stream: BinaryIO) -> PickleNames:
    """What the pickle in a stream of bytes would import and call. Raises InputError for other bytes."""
    reader = _Reader(stream, PickleNames())
    try:
        reader.run()
    except InputError:
        raise
    except Exception as error:  # damaged opcodes can make anything fail
        reason = f" ({error})" if isinstance(error, ValueError) else ""
        raise InputError(f"found no pickle{reason}, expected one, whole") from error
    return reader.found


class _Reader:
    """Carries out opcodes on descriptions."""

    def __init__(self, stream: BinaryIO, found: PickleNames) -> None:
        self._stream = stream
        self.found = found
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> None:
        """Read until the opcode STOP."""
        for opcode, argument, _ in pickletools.genops(self._stream):
            self._step(opcode.name, argument)
        self.found.top = self._stack[-1]

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name == "PROTO":
            self.found.protocol = argument
        elif name in _NOTHING or name == "STOP":
            return
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "MARK":
            stack.append(_MARK)
        elif name in _DROPPED or name in _DROPPED_TO_MARK or name == "SETITEMS":
            self._fill(name)
        elif name == "DUP":
            stack.append(stack[-1])
        elif name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[len(self._memo) if name == "MEMOIZE" else argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        else:
            self._make(name, argument)

    def _fill(self, name: str) -> None:
        """Put values into a container; only dicts with text as keys are described further."""
        if name in _DROPPED_TO_MARK:
            self._to_mark()
            return
        values = self._to_mark() if name == "SETITEMS" else [self._stack.pop() for _ in range(_DROPPED[name])][::-1]
        if name in ("SETITEM", "SETITEMS") and isinstance(self._stack[-1], dict):
            self._stack[-1].update(_described(values))

    def _make(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in ("TUPLE", "LIST", "FROZENSET"):
            stack.append(tuple(self._to_mark()))
        elif name == "DICT":
            stack.append(_described(self._to_mark()))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(name[-1])
            stack[-count:] = [tuple(stack[-count:])]
        elif name == "GLOBAL":
            self._import(*argument.split(" ", 1))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            self._import(str(module), str(attribute))
        elif name in ("REDUCE", "NEWOBJ", "NEWOBJ_EX", "INST", "OBJ"):
            self._call(name, argument)
        elif name == "BUILD":
            self._build()
        elif name in ("PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4"):
            raise InputError(f"found the opcode {name}, which refers to something outside the file, expected none")
        else:
            stack.append(argument)  # numbers, text and bytes

    def _import(self, module: str, name: str) -> None:
        named = Name(module, name)
        self._stack.append(named)
        self.found.names.append(named)

    def _call(self, name: str, argument: Any) -> None:
        if name == "INST":
            arguments = self._to_mark()
            self._import(*argument.split(" ", 1))
            by = self._stack.pop()
        elif name == "OBJ":
            by, *arguments = self._to_mark()
        else:
            count = 3 if name == "NEWOBJ_EX" else 2
            by, *arguments = self._stack[-count:]
            del self._stack[-count:]
        made = Made(by, arguments[0] if len(arguments) == 1 else arguments)
        self._stack.append(made)
        self.found.made.append(made)

    def _build(self) -> None:
        state = self._stack.pop()
        made = self._stack[-1]
        if isinstance(made, Made):
            made.state = state
            if isinstance(made.by, Name) and made.by.full_name == _ARRAY:
                self._skip_array(state)

    def _skip_array(self, state: dict[str, Any]) -> None:
        """Skip the bytes of an array; one of objects is a pickle of its own."""
        import numpy as np

        dtype = np.dtype(state["dtype"].arguments[0])
        if dtype.hasobject:
            inner = _Reader(self._stream, self.found)
            protocol = self.found.protocol
            inner.run()
            self.found.protocol = protocol
            return
        if state.get("numpy_array_alignment_bytes") is not None:
            self._read(self._read(1)[0])
        count = 1
        for length in state["shape"]:
            count *= length
        for part in _parts(count * dtype.itemsize):
            self._read(part)

    def _read(self, count: int) -> bytes:
        data = self._stream.read(count)
        if len(data) != count:
            raise InputError("found a file that ends inside an array, expected a whole one; copy it again")
        return data

    def _to_mark(self) -> list[Any]:
        values: list[Any] = []
        while (value := self._stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]


def _described(values: list[Any]) -> dict[str, Any]:
    """The pairs of a dict whose keys are text."""
    return {key: value for key, value in zip(values[::2], values[1::2], strict=True) if isinstance(key, str)}


def _parts(count: int, most: int = 1 << 20) -> Iterator[int]:
    while count > 0:
        yield min(count, most)
        count -= most
