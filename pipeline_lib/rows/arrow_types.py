"""The Arrow type of each kind of raw value; a module of its own because one row needs no Arrow."""

import pyarrow as pa

ARROW = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "datetime": pa.timestamp("us"),
    "date": pa.date32(),
}
