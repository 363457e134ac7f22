"""The cells of a draft's pipeline notebook about `build` and `metrics`, and its imports."""

from pipeline_lib.project.drafting.draft import Draft
from pipeline_lib.project.drafting.source_text import code_span, comments, imports, literal


def build_values(draft: Draft) -> dict[str, str]:
    """The placeholders of the cells about `build`."""
    return {"build_body": "\n".join([*_prepare(draft), *_steps(draft)]), "build_text": _build_text(draft)}


def metrics_values(draft: Draft) -> dict[str, str]:
    """The placeholder of the cells about `metrics`."""
    return {"metrics_text": _METRICS_TEXT[draft.target.task]}


def import_values(draft: Draft) -> dict[str, str]:
    """The placeholder of the imports cell."""
    roles, split, task = draft.roles, draft.split.kind, draft.target.task
    regression = task == "regression"
    names: dict[str, list[str]] = {
        "numpy.typing": ["ArrayLike"],
        "sklearn.compose": ["ColumnTransformer"],
        "sklearn.pipeline": ["Pipeline"],
        "sklearn.linear_model": ["Ridge" if regression else "LogisticRegression"],
        "sklearn.metrics": _METRIC_IMPORTS[task],
    }
    if roles.dates:
        names["feature_engine.datetime"] = ["DatetimeFeatures"]
    if roles.words:
        names["feature_engine.imputation"] = ["CategoricalImputer"]
        names["sklearn.feature_extraction.text"] = ["TfidfVectorizer"]
    if roles.numbers or roles.dates or roles.categories:
        names["sklearn.impute"] = ["SimpleImputer"]
    scalers = ["StandardScaler"] if roles.numbers or roles.dates else []
    if scalers or roles.categories:
        names["sklearn.preprocessing"] = scalers + (["OneHotEncoder"] if roles.categories else [])
    if split != "time":
        names["sklearn.model_selection"] = ["GroupShuffleSplit" if split == "group" else "train_test_split"]
    modules = ["import pandas as pd"]
    modules += ["import pyarrow.parquet as pq"] if draft.raw.kind in ("parquet", "sql") else []
    if draft.raw.kind == "arrow":
        names["pyarrow"] = ["feather"]
    own = ["BaseParams", "check_regression" if regression else "check_classification"]
    own += ["checked_load", "data_path"]
    own += ["sql"] if draft.raw.query else []
    own += ["InputError"] if split in ("time", "group") and not regression else []
    return {"imports": f"{imports(names, modules)}\n\n{imports({'pipeline_lib': own})}"}


def _prepare(draft: Draft) -> list[str]:
    roles = draft.roles
    lines = []
    if roles.numbers or roles.dates:
        lines += [
            "    numbers = Pipeline(",
            "        [",
            '            ("fill", SimpleImputer(strategy="median", keep_empty_features=True)),',
            '            ("scale", StandardScaler()),',
            "        ]",
            "    )",
        ]
    if roles.categories:
        lines += [
            "    rare = OneHotEncoder("
            'handle_unknown="infrequent_if_exist", min_frequency=params.rare_share, sparse_output=False)',
            '    fill = SimpleImputer(strategy="constant", fill_value="missing")',
            '    labels = Pipeline([("fill", fill), ("encode", rare)])',
        ]
    if roles.words:
        lines.append("    words = TfidfVectorizer(max_features=params.max_words, sublinear_tf=True)")
    return lines


def _steps(draft: Draft) -> list[str]:
    roles = draft.roles
    parts = []
    if roles.numbers or roles.dates:
        names = (["*NUMERIC"] if roles.numbers else []) + (["*DATE_PARTS"] if roles.dates else [])
        parts.append(f'("numbers", numbers, [{", ".join(names)}])')
    if roles.flags:
        parts.append('("flags", "passthrough", FLAGS)')
    if roles.categories:
        parts.append('("labels", labels, CATEGORIES)')
    if len(roles.words) == 1:
        parts.append('("words", words, WORDS[0])')
    elif roles.words:
        parts.append('*((f"words_{number}", words, name) for number, name in enumerate(WORDS))')
    regression = draft.target.task == "regression"
    estimator = "Ridge(alpha=params.alpha)" if regression else "LogisticRegression(C=params.strength, max_iter=2000)"
    steps = []
    if roles.dates:
        dates = 'DatetimeFeatures(variables=[*DATES], features_to_extract=PARTS, missing_values="ignore")'
        steps.append(f'("dates", {dates}),')
    if roles.words:
        fill = 'CategoricalImputer(imputation_method="missing", fill_value="", variables=[*WORDS])'
        steps.append(f'("gaps", {fill}),')
    columns = ["    columns = ColumnTransformer(", "        [", *(f"            {part}," for part in parts)]
    note = comments(["a linear model is a start; boosted trees often do better"], 12)
    return [
        *columns, "        ]", "    )", "    return Pipeline(", "        [", *(f"            {step}" for step in steps),
        '            ("columns", columns),', *note, f'            ("estimator", {estimator}),', "        ]", "    )",
    ]  # fmt: skip


def date_parts(draft: Draft) -> list[str]:
    """Source lines of the parts of dates that the model sees; empty without dates."""
    if not draft.roles.dates:
        return []
    known = [draft.profile.columns[name].known for name in draft.roles.dates]
    parts = ["month", "day_of_week"]
    parts += ["hour"] if any((values != values.dt.normalize()).any() for values in known) else []
    parts += ["year"] if draft.split.kind != "time" else []
    listed = ", ".join(map(literal, parts))
    return [
        *comments(["the parts of a date that may matter"]),
        f"PARTS = [{listed}]",
        'DATE_PARTS = [f"{name}_{part}" for name in DATES for part in PARTS]',
    ]


def _build_text(draft: Draft) -> str:
    roles = draft.roles
    sentences = []
    if roles.dates:
        sentences.append("Dates become numbers: their parts.")
    if roles.numbers or roles.dates:
        sentences.append("Gaps in numbers are filled with the median; numbers are scaled.")
    if roles.flags:
        sentences.append("Flags are 0 or 1.")
    if roles.categories:
        sentences.append("Text columns become one column for each label; rare and unknown labels share one.")
    if roles.words:
        sentences.append("Texts become weights of their words (TF-IDF).")
    kind = "ridge regression" if draft.target.task == "regression" else "logistic regression"
    return " ".join([*sentences, f"A {kind} predicts {code_span(draft.target.name)}."])


_METRIC_IMPORTS = {
    "regression": ["mean_absolute_error", "r2_score", "root_mean_squared_error"],
    "binary": ["average_precision_score", "brier_score_loss", "log_loss", "roc_auc_score"],
    "multiclass": ["f1_score", "log_loss"],
}
_METRICS_TEXT = {
    "regression": "RMSE and mean absolute error in the target's unit, and the share of the variance that is explained.",
    "binary": "ROC AUC and average precision for the order of the rows, log loss and Brier score for probabilities, "
    "accuracy for the yes or no.",
    "multiclass": "Log loss for probabilities, accuracy and macro F1 (every class counts the same) for the classes.",
}
