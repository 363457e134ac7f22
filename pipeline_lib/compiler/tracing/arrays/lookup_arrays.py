"""Fitted arrays in which recorded positions can be looked up: `self.classes_[np.argmax(scores, axis=1)]`."""

from typing import Any

import numpy as np

from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.recorded import Recorded, call_function, recorded_in


class LookupArray(np.ndarray[Any, Any]):
    """An array of own code's state, or one that it has made: a recorded array of positions may be its index."""

    @classmethod
    def of(cls, array: Any) -> "LookupArray":
        """The same memory as an array of this class."""
        made: LookupArray = array.view(cls)
        return made

    @property
    def _original(self) -> Any:
        return self.view(np.ndarray)

    def __getitem__(self, key: Any) -> Any:
        key = unwrap(key)
        found = recorded_in(key)
        if not found:
            return super().__getitem__(key)
        table = self._original
        if isinstance(key, tuple) and len(key) == 2 and len(found) == 1:  # table[positions, 0], table[0, positions]
            table = table[tuple(slice(None) if isinstance(each, Recorded) else each for each in key)]
            key = found[0]
        return call_function(found[0]._recording, np.take, "numpy.take", (table, key), {"axis": 0})
