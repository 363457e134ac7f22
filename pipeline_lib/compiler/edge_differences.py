"""What edge rows showed: counts for the report, and the message where own code answers otherwise than its plan."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline_lib.compiler.column_comparison import Comparison
from pipeline_lib.compiler.edge_batches import Edge

_SHOWN = 3  # other edge rows in a message


@dataclass(frozen=True)
class EdgeCounts:
    """How many edge rows a step was asked, how many of them it or its plan refused, and how many differ.

    `example` is the first of those.
    """

    rows: int = 0
    refused: int = 0
    differ: int = 0
    example: str = ""

    def worst(self, other: "EdgeCounts") -> "EdgeCounts":
        """The larger of two counts of the same rows."""
        refused, differ = max(self.refused, other.refused), max(self.differ, other.differ)
        return EdgeCounts(self.rows, refused, differ, self.example or other.example)


def differences(comparisons: Iterable[tuple[str, Comparison]]) -> dict[int, tuple[str, Comparison]]:
    """The rows in which a column is farther from its reference than allowed, each with the first such column."""
    differ: dict[int, tuple[str, Comparison]] = {}
    for label, comparison in comparisons:
        for row in comparison.wrong_rows().tolist():
            differ.setdefault(row, (label, comparison))
    return differ


def message_of(asked: Sequence[Edge], differ: Mapping[int, tuple[str, Comparison]], *, hidden: bool) -> str:
    """What the edge row with the shortest value gives of those that `differ`, and which others differ.

    `asked` are the rows that were asked; `hidden` keeps values of sensitive columns out.
    """
    edges = {row: asked[row] for row in differ}
    row, *rest = sorted(differ, key=lambda each: (len(str(edges[each])), each))
    label, comparison = differ[row]
    found, expected = ("a value", "another (hidden: sensitive columns)") if hidden else map(repr, comparison.first(row))
    others = list(dict.fromkeys(str(edges[each]) for each in rest if str(edges[each]) != str(edges[row])))[:_SHOWN]
    more = f", also with {', '.join(others)}" if others else ""
    return (
        f"column {label}: found {found} from the plan for a row with {edges[row]}, expected {expected} as the step "
        f"gives ({len(differ)} of {len(asked)} edge rows differ{more}); no training row need hold such a value, but "
        "production may: correct the plan, or declare in Row that the raw column never holds it"
    )
