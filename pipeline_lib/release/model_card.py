"""The card of a packaged model: what it is, on what data, how good, within which limits, how it was proven."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema


def model_card(facts: Mapping[str, Any], row: RowSchema, profile: Mapping[str, Any]) -> str:
    """The card in Markdown. `profile` has each column's range or categories in training, none of sensitive ones."""
    training = facts["training"]
    lines = [
        f"# {facts['pipeline']}",
        "",
        f"The compiled pipeline of the record `{facts['record']}`, from raw row to prediction.",
        "",
        "## Data",
        "",
        f"Fitted on {training['rows']:,} raw rows; the digest of the rows is `{str(training['digest'])[:16]}`.",
        *_data(facts),
        "",
        "## Quality",
        "",
        f"On {facts['evidence_rows']:,} rows that the fit did not see:",
        "",
        *_quality(facts),
        "",
        *_worth(facts.get("worth") or ()),
        "## Limits",
        "",
        "Rows outside this table are refused. Within it, values that training did not have are answered.",
        "",
        *_table(["column", "kind", "may be missing", "allowed", "in training"], _limits(row, profile)),
        "",
        "## Proof",
        "",
        "Production repeats the research run bit for bit under these variations:",
        "",
        *_table(["group", "exact", "not available here"], _parity(facts["parity"])),
        "",
        f"`python -m {facts['package']} self-test` repeats generated rows where the package is installed.",
        "",
    ]
    return "\n".join(lines)


def _data(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["sources"]:
        yield f"Raw data: {', '.join(facts['sources'])}."
    if facts["sensitive"]:
        yield f"Sensitive columns, of which no value is in this package's texts: {', '.join(facts['sensitive'])}."


def _worth(lines: Sequence[str]) -> Iterator[str]:
    """The model against its best baseline, its value, and its decision threshold."""
    if lines:
        yield from ("## Business value", "", *(f"- {line}" for line in lines), "")


def _quality(facts: Mapping[str, Any]) -> Iterator[str]:
    """Each metric, and the value of a row, of the model and of its baselines."""
    baselines = facts.get("baselines") or ()
    rows = [
        [name, _number(value), *(_number(baseline["metrics"].get(name, "")) for baseline in baselines)]
        for name, value in facts["metrics"].items()
    ]
    if facts.get("value"):
        values = [facts["value"]["mean"], *(baseline["value"] for baseline in baselines)]
        shown = ["" if value is None else _number(value) for value in values]
        rows.append([f"value ({facts['value']['unit']} a row)", *shown])
    yield from _table(["metric", "model", *(baseline["name"] for baseline in baselines)], rows)


def _limits(row: RowSchema, profile: Mapping[str, Any]) -> Iterator[list[str]]:
    known = profile.get("columns", {})
    for name, column in row.by_name.items():
        seen = "not told: sensitive" if column.sensitive else _seen(known.get(name, {}))
        yield [name, column.kind, "yes" if column.nullable else "no", _allowed(column), seen]


def _allowed(column: Column) -> str:
    if column.allowed is not None:
        return _listed(list(map(str, column.allowed)))
    symbols = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [
        f"{symbol} {getattr(column, option)}"
        for option, symbol in symbols.items()
        if getattr(column, option) is not None
    ]
    return ", ".join(bounds) or "any"


def _seen(facts: Mapping[str, Any]) -> str:
    if "smallest" in facts:
        return f"{_number(facts['smallest'])} to {_number(facts['largest'])}"
    if "categories" in facts:
        return _listed(list(facts["categories"]))
    return f"{facts['distinct']:,} texts" if "distinct" in facts else ""


def _listed(names: Sequence[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _parity(parity: Mapping[str, Any]) -> Iterator[list[str]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for outcome in parity["variations"]:
        groups.setdefault(str(outcome["group"]), []).append(outcome)
    for group, outcomes in groups.items():
        exact = [str(outcome["variation"]) for outcome in outcomes if outcome["verdict"] == "exact"]
        absent = [str(outcome["variation"]) for outcome in outcomes if outcome["verdict"] != "exact"]
        yield [group, ", ".join(exact), ", ".join(absent)]


def _number(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _table(head: Sequence[str], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for cells in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
