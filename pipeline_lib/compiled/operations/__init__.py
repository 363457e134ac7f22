"""The operations of compiled pipelines."""

from importlib import import_module

from pipeline_lib.compiled.operations.lists import LIST, Lists, SharedLists, over_lists
from pipeline_lib.compiled.operations.refusals import RefusedRowsError
from pipeline_lib.compiled.operations.rowcode import Code
from pipeline_lib.compiled.operations.table import NAT, OPERATIONS, Operation
from pipeline_lib.compiled.operations.text import Text, Words

MODULES = (
    "arithmetic",
    "bags",
    "bagsums",
    "bagvalues",
    "calendar",
    "combinations",
    "curves",
    "documents",
    "donors",
    "elementary",
    "groups",
    "extraction",
    "kernels",
    "lookups",
    "medians",
    "neighbours",
    "opaque",
    "refusals",
    "similarity",
    "strings",
    "trees",
    "vectors",
    "zones",
)
for _name in MODULES:  # importing a module enters its operations
    import_module(f"{__name__}.{_name}")

__all__ = [
    "LIST",
    "MODULES",
    "NAT",
    "OPERATIONS",
    "Code",
    "Lists",
    "Operation",
    "RefusedRowsError",
    "SharedLists",
    "Text",
    "Words",
    "over_lists",
]
