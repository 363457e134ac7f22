"""What a parity check found: a verdict for each variation, and the first divergence of each that differs."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pipeline_lib.evidence.bits import Difference
from pipeline_lib.parity.divergence import OUTPUTS, Divergence

Verdict = Literal["exact", "different", "lossy", "absent"]
FRESH = "fresh process"
EDGES = "edge rows"
ARTIFACT = "artifact"
"""The outcome that there is only where the artifact is not the one that made the evidence."""


@dataclass(frozen=True)
class Outcome:
    """What became of one variation: `exact`, `different`, `lossy` (a loss that its name announces) or `absent`.

    `rows` were predicted, the outputs of `differing` of them changed; `detail` says why a variation is absent, what
    was refused or lost; `proof` is what a process showed of its setting; `causes` explain a difference that no
    divergence tells.
    """

    variation: str
    group: str
    verdict: Verdict
    rows: int = 0
    differing: int = 0
    detail: str = ""
    seconds: float = 0.0
    proof: dict[str, Any] = field(default_factory=dict)
    divergence: Divergence | None = None
    causes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Outcome":
        """Read what `to_json` gave."""
        divergence = values["divergence"] and Divergence.from_json(values["divergence"])
        return cls(**{**values, "divergence": divergence, "causes": tuple(values.get("causes", ()))})


@dataclass(frozen=True)
class Parity:
    """What a parity check found. `exact` is True when every output and intermediate bit was repeated.

    `outputs` and `steps` are the first differences of the fresh process; `outcomes` has all variations, that
    one too.
    """

    reference: str
    rows: int
    outputs: Difference | None
    steps: dict[str, Difference | None]
    outcomes: tuple[Outcome, ...] = ()

    @classmethod
    def of(cls, reference: str, rows: int, steps: list[str], outcomes: list[Outcome]) -> "Parity":
        """The parity of a record by the outcomes of its variations."""
        fresh = next((outcome.divergence for outcome in outcomes if outcome.variation == FRESH), None)
        found = fresh.differs if fresh else {}
        return cls(reference, rows, found.get(OUTPUTS), {name: found.get(name) for name in steps}, tuple(outcomes))

    @property
    def exact(self) -> bool:
        """Whether outputs and all intermediate columns agree bit for bit, under every variation that ran."""
        ran = not self.outcomes or any(outcome.verdict == "exact" for outcome in self.outcomes)
        return ran and self.outputs is None and not any(self.steps.values()) and not self.of_verdict("different")

    def of_verdict(self, verdict: Verdict) -> list[Outcome]:
        """The outcomes of one verdict."""
        return [outcome for outcome in self.outcomes if outcome.verdict == verdict]

    def to_json(self) -> dict[str, Any]:
        """What is kept beside the record."""
        return {
            "reference": self.reference,
            "exact": self.exact,
            "rows": self.rows,
            "text": str(self),
            "variations": [outcome.to_json() for outcome in self.outcomes],
        }

    def __str__(self) -> str:
        from pipeline_lib.parity.page import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from pipeline_lib.parity.page import as_html

        return as_html(self)
