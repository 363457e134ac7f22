"""A comparison as JSON values: what is kept beside the challenger's record, and what `--json` prints."""

from typing import Any

from pipeline_lib.comparison.answer import Answer, Compared, Measured
from pipeline_lib.comparison.proportions import known
from pipeline_lib.comparison.scored import Side, mean_of

FORMAT = 1


def comparison_json(comparison: Compared) -> dict[str, Any]:
    """JSON values of a comparison; every number as float64, null where it is not finite."""
    scored = comparison.scored
    return {
        "format": FORMAT,
        "champion": comparison.champion,
        "champion_digest": _digest(scored.champion),
        "created": comparison.created,
        "data": comparison.data,
        "rows": len(scored.target),
        "given_rows": comparison.seen.rows,
        "seen": dict(comparison.seen.by_model),
        "margin": comparison.margin,
        "volume": comparison.volume,
        "unit": scored.unit,
        "kind": scored.kind,
        "notes": list(scored.notes),
        "answers": [_answer(answer, side) for answer, side in zip(comparison.answers, scored.challengers, strict=True)],
        "baselines": [
            {"name": side.reference} | {name: _known_mean(side, name) for name in ("value", *side.losses)}
            for side in scored.baselines
        ],
        "differences": [answer.differences.to_json() for answer in comparison.answers],
    }


def _digest(side: Side) -> str | None:
    return str(side.record.manifest()["digest"]) if side.record else None


def _answer(answer: Answer, side: Side) -> dict[str, Any]:
    return {
        "challenger": answer.challenger,
        "challenger_digest": _digest(side),
        "criterion": answer.criterion,
        "verdict": answer.verdict,
        "sentence": answer.sentence,
        "not_worse": answer.not_worse,
        "rows_needed": answer.rows_needed,
        "metrics": [_measured(each) for each in answer.metrics],
    }


def _known_mean(side: Side, measure: str) -> float | None:
    mean = mean_of(side, measure)
    return None if mean is None else known(mean)


def _measured(each: Measured) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": each.name,
        "direction": each.direction,
        "unit": each.unit,
        "champion": known(each.champion),
        "challenger": known(each.challenger),
        "p": None if each.p is None else known(each.p),
    }
    difference = each.difference
    if difference is not None:
        values |= {
            "difference": known(difference.estimate),
            "low": known(difference.low),
            "high": known(difference.high),
            "test": difference.test,
            "beside": {name: known(p) for name, p in difference.beside},
            "method": difference.method,
            "clusters": difference.clusters,
            "reliable": difference.reliable,
            "unreliable": difference.unreliable,
        }
    return values
