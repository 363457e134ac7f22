"""What the checks of a step found, for its line in the compile report."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.compile_report import StepReport
from pipeline_lib.compiler.adapters.registry import qualified_name
from pipeline_lib.compiler.column_comparison import Distance
from pipeline_lib.compiler.edge_differences import EdgeCounts


@dataclass(frozen=True)
class Checks:
    """The distance of an exact step's plan from its library, and its answers on edge rows.

    `rows` are the rows that were checked, None for all; `float32` says that the bounds are those of float32.
    """

    distance: Distance
    edges: EdgeCounts
    rows: NDArray[np.intp] | None
    float32: bool

    def report(self, name: str, step: Any, columns_in: int, columns_out: int) -> StepReport:
        """The report of the step."""
        return StepReport(
            name,
            qualified_name(type(step)),
            columns_in,
            columns_out,
            exact=True,
            ulps=self.distance.ulps,
            share=self.distance.share,
            flips=self.distance.flips,
            edge_rows=self.edges.rows,
            edge_refused=self.edges.refused,
            edge_differs=self.edges.differ,
            edge_example=self.edges.example,
            unsure=self.distance.unsure,
            doubt=self.distance.doubt,
            checked=0 if self.rows is None else len(self.rows),
            float32=self.float32,
        )
