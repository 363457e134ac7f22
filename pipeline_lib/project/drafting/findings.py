"""What was found in raw data, as the command prints it."""

from pipeline_lib.project.drafting.draft import Draft

AGAIN = "remove the files below and run this again with"
"""In a finding whose remedy is another option of the command."""


def findings(draft: Draft) -> list[str]:
    """What was found in the raw data, a sentence each."""
    raw, target, roles = draft.raw, draft.target, draft.roles
    rows = len(raw.frame)
    read = f"{rows:,} rows" if raw.whole else f"the first {rows:,} rows alone: later ones may differ"
    found = [f"data: {draft.data}, {read}, {len(draft.profile.columns) + len(raw.unreadable)} columns"]
    if target.task == "regression":
        found.append(f"target: {target.name}, numbers (regression)")
    else:
        classes = ", ".join(map(str, target.classes[:6])) + (", …" if len(target.classes) > 6 else "")
        found.append(f"target: {target.name}, {len(target.classes)} classes ({classes})")
    if target.gaps:
        found.append(f"{target.gaps} rows without a target are left out by `load`, which counts them")
    if target.rare:
        found.append(f"rows of {len(target.rare)} rare classes are left out by `load`, which counts them")
    column = f" by {draft.split.column}" if draft.split.column else ""
    found.append(f"split: {draft.split.kind}{column}{_split_role(draft)}")
    used = {"numbers": roles.numbers, "flags": roles.flags, "categories": roles.categories, "texts": roles.words}
    used["dates"] = roles.dates
    found.append("columns: " + ", ".join(f"{use} {len(names)}" for use, names in used.items() if names))
    found += _not_numbers(draft)
    for title, names in (("left out", roles.left_out), ("sensitive", roles.sensitive)):
        if names:
            listed = [f"{name} ({why})" for name, why in list(names.items())[:8]]
            more = f" and {len(names) - 8} more" if len(names) > 8 else ""
            found.append(f"{title}: {', '.join(listed)}{more}")
    return found


def _split_role(draft: Draft) -> str:
    """What else the column is by which rows are divided."""
    if not draft.split.column:
        return ""
    mark = {"group": "entity", "time": "time"}[draft.split.kind]
    return f", which is the {mark} of Row{' and no feature' if draft.extra else ''}"


def _not_numbers(draft: Draft) -> list[str]:
    """Columns of numbers that a few values make text: which values, what was done, what to do."""
    lines = []
    for name, column in draft.profile.columns.items():
        if column.odd is not None:
            use = "left out" if name in draft.roles.left_out else "text"
            hidden, no = name in draft.roles.sensitive, column.odd.what.partition(" ")[0]
            remedy = column.odd.remedy(hidden=hidden, again=AGAIN)
            lines.append(f"not {no}: {name}, {column.odd.found(hidden=hidden)}, so it is {use}; {remedy}")
    return lines
