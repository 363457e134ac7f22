"""Single rows on the page of a comparison: those on which the models disagree most."""

from pipeline_lib.comparison.disagreements import Disagreements
from pipeline_lib.comparison.figures import count, unbroken
from pipeline_lib.system.html_page import Kind, Markup, element, folded, joined, table

_MOST_COLUMNS = 4
"""Raw columns in the open table."""
_KINDS: dict[str, Kind] = {"champion": "bad", "challenger": "good", "equal": ""}


def disagreements_section(found: Disagreements) -> Markup:
    """How often the answers differ, and the rows that are farthest apart."""
    head = element("h2", "Where they disagree most")
    if not found.differ:
        same = element("p", f"They give the same answer on all {count(found.rows, 'row')}.")
        return joined(head, same, _rows(found)) if found.largest else joined(head, same)
    neither = found.differ - found.champion - found.challenger
    told = (
        f"They answer differently on {found.differ:,} of {count(found.rows, 'row')}. There the challenger is nearer to "
        f"the true value on {found.challenger:,}, the champion on {found.champion:,}"
        f"{f', neither on {neither:,}' if neither else ''}."
    )
    return joined(head, element("p", told), _rows(found))


def _rows(found: Disagreements) -> Markup:
    names = [name for name, _ in found.largest[0].values] if found.largest else []
    telling = [name for name in names if name in found.telling]
    others = [name for name in names if name not in found.hidden and name not in telling]
    shown = [*telling, *others][:_MOST_COLUMNS]
    columns = ("row", "champion", "challenger", "true value", "nearer", *shown)
    values = [dict(each.values) for each in found.largest]
    lines = [
        (
            each.row,
            unbroken(each.champion),
            unbroken(each.challenger),
            unbroken(each.target),
            each.nearer,
            *(row[name] for name in shown),
        )
        for each, row in zip(found.largest, values, strict=True)
    ]
    numeric = [name for name in shown if all(_is_number(row[name]) for row in values)]
    numbers = ("row", "champion", "challenger", "true value", *numeric)
    kinds = [_KINDS[each.nearer] for each in found.largest]
    every = [(name, *(row[name] for row in values)) for name in names]
    rows = ("column", *(f"row {each.row}" for each in found.largest))
    hidden = f" Sensitive columns are hidden: {', '.join(found.hidden)}." if found.hidden else ""
    note = element(
        "small", f"The {count(len(lines), 'row')} farthest apart, counted from 0 among those compared.{hidden}"
    )
    everything = folded("All columns of these rows", table(rows, every)) if len(names) > len(shown) else Markup()
    return joined(table(columns, lines, numbers=numbers, kinds=kinds), element("p", note), everything)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return text == "missing"
    return True
