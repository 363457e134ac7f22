"""Arrow's C interface by hand: a table of one column, whose structures a test may spoil before they are read."""

import ctypes
from collections.abc import Sequence
from typing import Any


class ArrowSchema(ctypes.Structure):
    """As Arrow declares it."""


class ArrowArray(ctypes.Structure):
    """As Arrow declares it."""


class ArrowStream(ctypes.Structure):
    """As Arrow declares it."""


P, LONG = ctypes.c_void_p, ctypes.c_int64
ReleaseSchema = ctypes.CFUNCTYPE(None, ctypes.POINTER(ArrowSchema))
ReleaseArray = ctypes.CFUNCTYPE(None, ctypes.POINTER(ArrowArray))
ReleaseStream = ctypes.CFUNCTYPE(None, ctypes.POINTER(ArrowStream))
GetSchema = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ArrowStream), ctypes.POINTER(ArrowSchema))
GetNext = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ArrowStream), ctypes.POINTER(ArrowArray))
ArrowSchema._fields_ = [
    *(("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", P), ("flags", LONG), ("n_children", LONG)),
    *(("children", ctypes.POINTER(ctypes.POINTER(ArrowSchema))), ("dictionary", ctypes.POINTER(ArrowSchema))),
    *(("release", ReleaseSchema), ("private", P)),
]
ArrowArray._fields_ = [
    *(("length", LONG), ("null_count", LONG), ("offset", LONG), ("n_buffers", LONG), ("n_children", LONG)),
    *(("buffers", ctypes.POINTER(P)), ("children", ctypes.POINTER(ctypes.POINTER(ArrowArray)))),
    *(("dictionary", ctypes.POINTER(ArrowArray)), ("release", ReleaseArray), ("private", P)),
]
ArrowStream._fields_ = [
    *(("get_schema", GetSchema), ("get_next", GetNext), ("last_error", P), ("release", ReleaseStream), ("private", P)),
]


@ReleaseSchema
def release_schema(schema: Any) -> None:
    """Mark a schema as released."""
    schema.contents.release = ReleaseSchema()


@ReleaseArray
def release_array(array: Any) -> None:
    """Mark an array as released."""
    array.contents.release = ReleaseArray()


@ReleaseStream
def release_stream(stream: Any) -> None:
    """Mark a stream as released."""
    stream.contents.release = ReleaseStream()


class Hostile:
    """A record batch of one column "x", whose structures a test spoils before it is read; or its column as a stream."""

    def __init__(self, kind: bytes, buffers: Sequence[bytes | None], rows: int, words: "Hostile | None" = None) -> None:
        self.memory = [None if each is None else ctypes.create_string_buffer(each, len(each)) for each in buffers]
        places = [None if each is None else ctypes.addressof(each) for each in self.memory]
        self.places = (P * len(places))(*places)
        self.column = ArrowArray(rows, 0, 0, len(places), 0, self.places, None, None, release_array, None)
        self.type = ArrowSchema(kind, b"x", None, 2, 0, None, None, release_schema, None)
        self.words = words
        if words is not None:
            self.column.dictionary = ctypes.pointer(words.column)
            self.type.dictionary = ctypes.pointer(words.type)
        self.arrays = (ctypes.POINTER(ArrowArray) * 1)(ctypes.pointer(self.column))
        self.types = (ctypes.POINTER(ArrowSchema) * 1)(ctypes.pointer(self.type))
        self.no_bits = (P * 1)(None)
        self.table = ArrowArray(rows, 0, 0, 1, 1, self.no_bits, self.arrays, None, release_array, None)
        self.schema = ArrowSchema(b"+s", b"", None, 0, 1, self.types, None, release_schema, None)
        self.given, self.failing = 0, 0
        self.names: list[bytes] = []
        self.functions = (GetSchema(self.give_schema), GetNext(self.give_next))
        self.stream = ArrowStream(*self.functions, None, release_stream, None)

    def give_schema(self, _: Any, out: Any) -> int:
        """The stream's schema: that of the column."""
        ctypes.pointer(out.contents)[0] = self.type
        return self.failing

    def give_next(self, _: Any, out: Any) -> int:
        """The column, then the end."""
        if not self.given:
            ctypes.pointer(out.contents)[0] = self.column
        self.given += 1
        return 0

    def _export_to_c(self, place: int) -> None:
        """The record batch, as pyarrow gives it."""
        if self.failing:
            raise OSError(self.failing)
        ctypes.memmove(place, ctypes.addressof(self.table), ctypes.sizeof(ArrowArray))

    def capsule(self, name: bytes = b"arrow_array_stream") -> Any:
        """The stream as a capsule of Python."""
        return self._capsule(self.stream, name)

    def schema_capsule(self) -> Any:
        """The record batch's schema as a capsule of Python."""
        return self._capsule(self.schema, b"arrow_schema")

    def _capsule(self, structure: ctypes.Structure, name: bytes) -> Any:
        make = ctypes.pythonapi.PyCapsule_New
        make.restype, make.argtypes = ctypes.py_object, [P, ctypes.c_char_p, P]
        self.names.append(name)  # the capsule does not copy it
        return make(ctypes.addressof(structure), name, None)
