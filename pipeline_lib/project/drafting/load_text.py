"""The cells of a draft's pipeline notebook about parameters, `load` and `split`."""

from pipeline_lib.project.drafting.columns import MISSING_WORDS
from pipeline_lib.project.drafting.draft import Draft
from pipeline_lib.project.drafting.row_text import list_columns, split_constant
from pipeline_lib.project.drafting.source_text import WIDTH, assigned, code_span, comments, literal
from pipeline_lib.project.params_cell import cell_text
from pipeline_lib.system.field_names import quoted

_PARAMS = {
    "data": ("str", "raw file, by its path from the project's root"),
    "test_share": ("float = Field(gt=0, lt=1)", "share of the rows kept apart to test on"),
    "seed": ("int = Field(ge=0, lt=2**32)", "seed of the split"),
    "rare_share": ("float = Field(gt=0, lt=1)", "labels with a smaller share of the training rows count as one: rare"),
    "max_words": ("int = Field(gt=0)", "number of words, the commonest, that are weighed"),
    "alpha": ("float = Field(gt=0)", "strength of the ridge penalty"),
    "strength": ("float = Field(gt=0)", "inverse strength of the penalty: smaller is stronger"),
}
_LIST_DTYPES = {"INTEGERS": "int64", "NUMBERS": "float64", "FLAGS": "bool", "CATEGORIES": "str", "WORDS": "str"}


_SOURCES = {
    "file": "Nothing besides the file that `load` names by `data_path`: a run is repeated when that file changes.",
    "sql": "No file: each run asks the database, and its record keeps the rows.",
}


def params_yml(draft: Draft, *, sample: bool) -> str:
    """The text of a parameters file, for the raw file or for the sample."""
    title = f"# Parameters of {draft.name}" + (": on the sample for tests" if sample else "")
    values = {**draft.params, "data": draft.sample} if sample else draft.params
    lines = [f"{title}; their types are Params in the pipeline notebook.", ""]
    for name, value in values.items():
        shown = quoted(value) if isinstance(value, str) else str(value)
        lines += [f"# {_PARAMS[name][1]}", f"{name}: {shown}", ""]
    return "\n".join(lines)


def params_values(draft: Draft) -> dict[str, str]:
    """The placeholders of the cells about parameters."""
    return {
        "params_fields": "\n".join(f"    {name}: {_PARAMS[name][0]}" for name in draft.params),
        "parameters": cell_text(draft.params),
    }


def load_values(draft: Draft) -> dict[str, str]:
    """The placeholders of the cells about `load`."""
    return {
        "sources_doc": _SOURCES["sql" if draft.raw.query and draft.data.isidentifier() else "file"],
        "load_constants": "\n".join(_constants(draft)),
        "load_body": "\n".join(f"    {line}" if line else line for line in _load(draft)),
    }


def split_values(draft: Draft) -> dict[str, str]:
    """The placeholders of the cells about `split`."""
    kind = draft.split.kind
    lines = comments(draft.split.notes, 4)
    body = {"time": _time_split, "group": _group_split}.get(kind, _random_split)(draft)
    checks = {
        "time": "assert frame.loc[X_train.index, TIME].max() < frame.loc[X_test.index, TIME].min()",
        "group": "assert set(frame.loc[X_train.index, GROUP]).isdisjoint(frame.loc[X_test.index, GROUP])",
    }
    column = code_span(draft.split.column)
    texts = {
        "time": f"By {column}: the model learns from earlier rows and is tested on later ones, as in production.",
        "group": f"At random by {column}: all rows with the same value are on the same side.",
        "stratified": f"At random, with the same shares of each class of {code_span(draft.target.name)} on both sides.",
        "random": "At random. The same seed gives the same rows.",
    }
    return {
        "split_body": "\n".join([body[0], *lines, *body[1:]]),
        "split_check": checks.get(kind, ""),
        "split_text": texts[kind],
    }


def _constants(draft: Draft) -> list[str]:
    lines = []
    if draft.target.task != "regression":
        lines += comments(draft.target.notes)
        lines.append(assigned("CLASSES", draft.target.classes))
    if draft.target.positive is not None:
        lines += comments([f"{draft.target.positive} is the class that is looked for; its probability is reported"])
        lines.append(f"POSITIVE = {literal(draft.target.positive)}")
    if draft.raw.query:
        lines += _query_constants(draft)
    if draft.raw.kind in ("csv", "excel"):
        lines += comments(_missing_notes(draft))
        lines.append(assigned("MISSING", draft.profile.missing))
    return [*lines, *_dtypes(draft)]


def _missing_notes(draft: Draft) -> list[str]:
    """Text columns in which a word is taken as a missing value."""
    words = [mark for mark in draft.profile.missing if mark in MISSING_WORDS]
    hit = [
        name
        for name in draft.roles.categories
        if words and draft.raw.frame[name].isin(words).any() and name not in draft.roles.sensitive
    ]
    return [f"{' and '.join(words)} means missing, in text, too: {', '.join(hit[:6])}"] if hit else []


def _dtypes(draft: Draft) -> list[str]:
    lists = list_columns(draft)
    lines = [f'    **dict.fromkeys({name}, "{dtype}"),' for name, dtype in _LIST_DTYPES.items() if lists[name]]
    dates = lists["DATES"] and draft.raw.kind == "csv"
    lines += ['    **dict.fromkeys(DATES, "str"),'] if dates else []
    if draft.extra and not (draft.profile.columns[draft.extra].kind == "date" and draft.raw.kind != "csv"):
        lines.append(f'    {split_constant(draft)}: "{draft.profile.columns[draft.extra].dtype}",')
    lines.append(f'    TARGET: "{"str" if draft.target.kind == "text" else "float64"}",')
    return ["DTYPES = {", *lines, "}"]


def _load(draft: Draft) -> list[str]:
    readers = {"csv": _read_csv, "excel": _read_excel, "parquet": _read_parquet, "arrow": _read_arrow, "sql": _query}
    lines = readers[draft.raw.kind](draft)
    dates = [name for name in draft.read if draft.profile.columns[name].kind == "date"]
    for name in dates:
        lines.append(_date_line(draft, name))
    task = draft.target.task
    condition = "notna()" if task == "regression" else "isin(CLASSES)"
    without = "without" if task == "regression" else "without one of CLASSES in"
    lines += [
        f"known = frame[TARGET].{condition}",
        "if not known.all():",
        f'    print(f"left out {{(~known).sum()}} of {{len(frame)}} rows {without} {{TARGET}}")',
        "frame = frame.loc[known, [*COLUMNS, TARGET]]",
    ]
    whole = task != "regression" and draft.target.kind == "integer"
    cast = '.astype({TARGET: "int64"})' if whole else ""
    return [*lines, f"return frame.reset_index(drop=True){cast}"]


def _date_line(draft: Draft, name: str) -> str:
    date = draft.profile.columns[name].date
    key = quoted(name)
    form = f", format={quoted(date.format)}" if date and date.format else ""
    zone = (", utc=True", ".dt.tz_localize(None)") if date and date.zoned else ("", "")
    if draft.profile.columns[name].unit != "us":
        zone = (zone[0], zone[1] + '.dt.as_unit("us")')
    return f"frame[{key}] = pd.to_datetime(frame[{key}]{form}{zone[0]}){zone[1]}"


def _read_csv(draft: Draft) -> list[str]:
    text = draft.raw.text
    options = [f"sep={quoted(text.sep)}", f"decimal={quoted(text.decimal)}"]
    options = [option.replace("'\\t'", '"\\t"') for option in options]
    options += [f"thousands={quoted(text.thousands)}"] if text.thousands else []
    options += [f"encoding={quoted(text.encoding)}"]
    options += ["skipinitialspace=True"] if text.skipinitialspace else []
    # all columns are read: with `usecols` pandas cuts off, without a word, what a row has beyond the header
    options += ["dtype=DTYPES", "keep_default_na=False", "na_values=MISSING"]
    options += ["index_col=False", "low_memory=False"]
    return ["frame = pd.read_csv(", "    data_path(params.data),", *(f"    {option}," for option in options), ")"]


def _read_excel(draft: Draft) -> list[str]:
    others = draft.raw.other_sheets
    note = comments([f"the first sheet of {len(others) + 1}; others are {', '.join(others[:5])}"]) if others else []
    return [
        *note,
        "frame = pd.read_excel(",
        "    data_path(params.data),",
        f"    sheet_name={quoted(draft.raw.sheet)},",
        "    dtype=object,",
        "    keep_default_na=False,",
        "    na_values=MISSING,",
        ")",
        "frame = frame.rename(columns=str).astype(DTYPES)",
    ]


def _columns_argument(draft: Draft) -> str:
    extra = draft.extra
    own = extra and draft.profile.columns[extra].kind == "date"
    dates = ", *DATES" if draft.roles.dates else ""
    return f"columns=[*DTYPES{dates}{f', {split_constant(draft)}' if own else ''}]"


def _read_parquet(draft: Draft) -> list[str]:
    return [
        f"table = pq.read_table(data_path(params.data), {_columns_argument(draft)})",
        "frame: pd.DataFrame = table.to_pandas(ignore_metadata=True).astype(DTYPES)",
    ]


def _query(draft: Draft) -> list[str]:
    source = "CONNECTION" if draft.data.isidentifier() else "data_path(CONNECTION)"
    return [
        "if params.data == CONNECTION:",
        f"    frame = sql({source}, QUERY)",
        "else:",
        f"    table = pq.read_table(data_path(params.data), {_columns_argument(draft)})",
        "    frame = table.to_pandas(ignore_metadata=True)",
        "frame = frame.astype(DTYPES)",
    ]


def _query_constants(draft: Draft) -> list[str]:
    """The source and the text of the query."""
    ordered = "order by" in draft.raw.query.lower()
    note = "the query has no order by: rows may come in another order each time, and the split then differs"
    line = f"QUERY = {quoted(draft.raw.query)}"
    long = "  # noqa: E501" if len(line) > WIDTH else ""
    return [f"CONNECTION = {quoted(draft.data)}", *([] if ordered else comments([note])), line + long]


def _read_arrow(draft: Draft) -> list[str]:
    return [
        f"table = feather.read_table(str(data_path(params.data)), {_columns_argument(draft)})",
        "frame: pd.DataFrame = table.to_pandas(ignore_metadata=True).astype(DTYPES)",
    ]


def _random_split(draft: Draft) -> list[str]:
    lines = [
        '    """X_train, X_test, y_train, y_test: raw columns of `Row`, and the target, at random."""',
        "    parts = train_test_split(",
        "        frame[COLUMNS],",
        "        frame[TARGET],",
        "        test_size=params.test_share,",
        "        random_state=params.seed,",
        "        stratify=frame[TARGET],",
        "    )",
        "    return parts[0], parts[1], parts[2], parts[3]",
    ]
    return lines if draft.split.kind == "stratified" else [line for line in lines if "stratify" not in line]


def _time_split(draft: Draft) -> list[str]:
    return [
        '    """X_train, X_test, y_train, y_test: the latest rows, about `params.test_share`, are test rows."""',
        "    times, X, y = frame[TIME], frame[COLUMNS], frame[TARGET]",
        "    boundary = times.sort_values(ignore_index=True).iloc[-max(round(params.test_share * len(times)), 1)]",
        "    later = times >= boundary",
        *_class_check(draft, "y[~later]", "y[later]"),
        "    return X[~later], X[later], y[~later], y[later]",
    ]


def _group_split(draft: Draft) -> list[str]:
    return [
        '    """X_train, X_test, y_train, y_test: `params.test_share` of the groups are test groups, at random."""',
        "    chosen = GroupShuffleSplit(n_splits=1, test_size=params.test_share, random_state=params.seed)",
        "    train, test = next(chosen.split(frame, groups=frame[GROUP]))",
        "    X, y = frame[COLUMNS], frame[TARGET]",
        *_class_check(draft, "y.iloc[train]", "y.iloc[test]"),
        "    return X.iloc[train], X.iloc[test], y.iloc[train], y.iloc[test]",
    ]


def _class_check(draft: Draft, train: str, test: str) -> list[str]:
    """A refusal of parts that lack a class: no probability, or no ROC curve, would be defined."""
    if draft.target.task == "regression":
        return []
    parts = f'("training", {train}), ("test", {test})' if draft.target.task == "binary" else f'("training", {train}),'
    return [
        f"    for part, labels in ({parts}):",
        "        if absent := [label for label in CLASSES if label not in set(labels)]:",
        '            raise InputError(f"found no {part} row of class {absent[0]!r}, expected all; change the split")',
    ]
