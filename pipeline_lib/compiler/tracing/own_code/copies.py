"""Copies of recorded objects by Python's module `copy`."""

from typing import Any

from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.registry import function


@function("copy.copy", "copy.deepcopy", raw=True)
def copied(call: Call, x: Any) -> Any:
    """As the object's own `copy()`."""
    if not isinstance(x, Recorded) or x._kind not in ("frame", "series", "array"):
        refuse("a copy of what holds columns", "the recorder has no rule for it", "copy each: X.copy()")
    return x.copy()
