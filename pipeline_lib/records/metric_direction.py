"""Which direction of a metric is better: as its name says."""

import re
from typing import Literal

Direction = Literal["minimize", "maximize"]
_LOWER = re.compile(r"(^|_)(rmse|mse|rmsle|msle|mae|mape|smape|error|loss|logloss|cost|brier|deviance|perplexity)($|_)")
_HIGHER = re.compile(
    r"(^|_)(r2|acc|accuracy|precision|recall|f1|auc|auroc|auprc|roc|ap|mcc|ndcg|score|gain|saving|savings|profit)($|_)"
)


def direction_of(metric: str) -> Direction | None:
    """The direction that is better, None where the name says neither or both. scikit-learn's `neg_` turns it round.

    >>> direction_of("rmse_log"), direction_of("roc_auc"), direction_of("neg_log_loss"), direction_of("lift")
    ('minimize', 'maximize', 'maximize', None)
    """
    if metric.startswith("neg_"):
        return "maximize" if _LOWER.search(metric) else None
    lower, higher = _LOWER.search(metric), _HIGHER.search(metric)
    if bool(lower) == bool(higher):
        return None
    return "minimize" if lower else "maximize"
