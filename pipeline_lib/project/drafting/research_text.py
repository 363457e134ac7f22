"""The placeholders of a draft's research notebook: sentences and code that depend on the task and the columns."""

from pipeline_lib.project.drafting.draft import Draft
from pipeline_lib.project.drafting.source_text import code_span

_NAMED = 6


def facts(draft: Draft) -> set[str]:
    """The conditions of template cells that hold for a draft."""
    shown = [c for c in draft.features if c.name not in draft.roles.sensitive]
    numbers = any(c.name in draft.roles.numbers for c in shown)
    categories = any(c.name in draft.roles.categories for c in shown)
    found = {draft.target.task, draft.split.kind}
    found |= {"numbers"} if numbers else set()
    found |= {"categories"} if categories else set()
    return found | ({"nullable"} if any(c.nullable for c in draft.features) else set())


def research_values(draft: Draft) -> dict[str, str]:
    """The placeholders of the research notebook that the pipeline notebook does not have."""
    target = code_span(draft.target.name)
    by_task = _by_task(draft, target)
    return {
        **by_task,
        "target_span": target,
        "data_span": f"a query of {code_span(draft.data)}" if draft.raw.query else code_span(draft.data),
        "data_text": f"the query of {code_span(draft.data)}" if draft.raw.query else code_span(draft.data),
        "or_connection": ", or `CONNECTION`" if draft.raw.query else "",
        "sample_span": code_span(draft.sample),
        "feature_count": f"{len(draft.features)} columns of {code_span(draft.data)}",
        "feature_text": _named(draft),
        "profiled_text": "" if draft.raw.whole else f"; this draft knows its first {len(draft.raw.frame):,} rows",
        "import_numpy": "import numpy as np",
        "fit_text": "A linear model on the columns as the pipeline notebook prepares them.",
        "sensitive_text": _sensitive(draft),
        "sample_text": _sample_text(draft),
        "time_text": "The test rows are later than the training rows, so the numbers above include a part of this."
        if draft.split.kind == "time"
        else "The rows were divided without regard to time. Where the world changes, later rows are harder than these.",
    }


def _named(draft: Draft) -> str:
    names = [code_span(column.name) for column in draft.features]
    more = len(names) - _NAMED
    listed = names[:_NAMED] + ([f"{more} more column{'s' * (more > 1)}"] if more > 0 else [])
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"


def _sensitive(draft: Draft) -> str:
    used = [code_span(name) for name in draft.roles.sensitive if name in draft.roles.features]
    if not used:
        return ""
    return f"The model uses personal data ({', '.join(used)}): is that allowed, and does it treat groups alike? "


def _sample_text(draft: Draft) -> str:
    used = [code_span(name) for name in draft.roles.sensitive if name in draft.read]
    replaced = f"; the values of {', '.join(used)} are replaced by invented ones" if used else ""
    return f"at most 500 rows of the file and only the columns used{replaced}"


def _by_task(draft: Draft, target: str) -> dict[str, str]:
    task = draft.target.task
    values = {"regression": _regression(target), "binary": _binary(draft, target), "multiclass": _multiclass(target)}
    return _COMMON | values[task]


_COMMON = {
    "relations_label": '"strength of the relation (0 to 1)"',
    "baseline_text": "every row gets the shares of the training rows",
}


def _regression(target: str) -> dict[str, str]:
    return {
        "target_why": "A long tail suggests a model of the logarithm (`TransformedTargetRegressor`); values that "
        "cannot be suggest rows to leave out in `load`.",
        "time_outcome": "outcome = frame[TARGET]",
        "time_label": 'f"mean {TARGET}"',
        "relations_why": f"Rank correlation with {target}, without its sign, on the training rows.",
        "categories_why": f"Mean {target} by label, for the columns whose labels differ most.",
        "categories_outcome": "outcome = y_train",
        "categories_label": 'f"mean {TARGET}"',
        "baseline_text": f"every row gets the mean {target} of the training rows",
        "diagnostics_text": "How far off the predictions are, which columns matter, and where the errors are large.",
        "worth_text": "What does an error cost? Replace the two numbers below.",
    }


def _binary(draft: Draft, target: str) -> dict[str, str]:
    positive = code_span(str(draft.target.positive))
    return {
        "target_why": f"The class that is looked for is {positive}. Where it is rare, accuracy says little.",
        "time_outcome": "outcome = (frame[TARGET] == pipeline.POSITIVE).astype(float)",
        "time_label": 'f"share of {pipeline.POSITIVE}"',
        "relations_why": f"Rank correlation with {target} being {positive}, without its sign, on the training rows.",
        "categories_why": f"Share of {positive} by label, for the columns whose labels differ most.",
        "categories_outcome": "outcome = (y_train == pipeline.POSITIVE).astype(float)",
        "categories_label": 'f"share of {pipeline.POSITIVE}"',
        "diagnostics_text": "Can the probabilities be believed, what is found at how many false alarms, and where are "
        "the mistakes?",
        "worth_text": "What do the two kinds of mistake cost? Replace the two numbers below; the curve says "
        "above which probability acting pays.",
    }


def _multiclass(target: str) -> dict[str, str]:
    return {
        "target_why": "Where classes differ much in size, macro F1 says more than accuracy.",
        "time_outcome": "outcome = (frame[TARGET] == y_train.mode()[0]).astype(float)",
        "time_label": 'f"share of {y_train.mode()[0]}"',
        "relations_why": f"Share of each number's variance that lies between the classes of {target}, training rows.",
        "categories_why": "Share of the commonest class by label, for the columns whose labels differ most.",
        "categories_outcome": "outcome = (y_train == y_train.mode()[0]).astype(float)",
        "categories_label": 'f"share of {y_train.mode()[0]}"',
        "diagnostics_text": "Which classes are taken for which.",
        "worth_text": "What does a wrong class cost? Often some mistakes cost more than others: write a table of "
        "costs then.",
    }
