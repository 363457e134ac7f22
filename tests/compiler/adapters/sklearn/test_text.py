"""Text vectorizers of scikit-learn: their own counts, the same bits everywhere."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matrices import slow
from plans import check_transformer, same_bits
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline

from pipeline_lib import compile_pipeline
from pipeline_lib.compiled.operations import token_counts
from pipeline_lib.compiled.operations.kept_results import kept_results
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.operations.token_counts import murmurhash3
from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError
from pipeline_lib.compiler.adapters.sklearn import text as sklearn_text
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

DOCUMENTS = [
    "The quick brown fox jumps over the lazy dog",
    "the the THE fox  fox\t\n dog's _under_score 12 3",
    "",
    "   ",
    "a b c",
    "Ünïcödé naïve café CAFÉ İstanbul ΣΊΣΥΦΟΣ straße Straße",
    "한국어 각하 ﬁne ½ Ⅷ x²y e\u0301te\u0301 ﷺ",
    "word\u00a0word\u2003word\u200bword",
    "\U0001f600 smile \U00010400",
    "the and of fox",
]
OWN, SHORT, FLAGGED, WITHIN = r"[a-z]+", r"\w+", r"(?i)[a-z]+", r"\w\B\w"
ROWS = pd.DataFrame({"t": DOCUMENTS, "n": np.arange(10.0)})
UNSEEN = pd.DataFrame({"t": ["unseen words only", "fox fox fox dog", "Ä\u0308ä ǅ", "한"], "n": 1.0})


def selected(vectorizer):
    """The vectorizer of the column `t`, as a step over frames."""
    return ColumnTransformer([("t", vectorizer, "t")], sparse_threshold=1.0)


def written(step, rows):
    """The plan's columns for `rows`, without the library."""
    return same_bits(lambda columns, build: transform(step, dict(columns), build), rows)


@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb"])
@pytest.mark.parametrize("ngram_range", [slow((1, 1)), (1, 3), slow((2, 2)), slow((3, 5))])
@pytest.mark.parametrize(
    "options", [{}, {"lowercase": False, "binary": True}, {"strip_accents": "unicode"}, {"strip_accents": "ascii"}]
)
def test_counts(analyzer, ngram_range, options):
    step = selected(CountVectorizer(analyzer=analyzer, ngram_range=ngram_range, **options)).fit(ROWS)
    check_transformer(step, ROWS)
    check_transformer(step, UNSEEN)


@pytest.mark.parametrize(
    "options",
    [
        {"stop_words": "english", "ngram_range": (1, 2)},
        {"stop_words": ["fox", "dog"]},
        {"token_pattern": r"(?u)\b\w+\b"},
        {"token_pattern": r"\b\w{3,}\b"},
        {"vocabulary": ["fox", "dog", "zebra"]},
        {"vocabulary": {"fox": 1, "dog": 0}},
        {"max_df": 0.5, "min_df": 2, "max_features": 4},
        {"dtype": np.float32},
    ],
    ids=str,
)
def test_count_options(options):
    step = selected(CountVectorizer(**options)).fit(ROWS)
    check_transformer(step, ROWS)
    check_transformer(step, UNSEEN)


@pytest.mark.parametrize("norm", ["l1", "l2", None])
@pytest.mark.parametrize("sublinear_tf", [slow(False), True])
@pytest.mark.parametrize("idf", [{}, {"use_idf": False}, {"smooth_idf": False}])
def test_tfidf(norm, sublinear_tf, idf):
    options = {"norm": norm, "sublinear_tf": sublinear_tf, **idf}
    step = selected(TfidfVectorizer(**options)).fit(ROWS)
    check_transformer(step, ROWS)
    check_transformer(step, UNSEEN)
    two = Pipeline([("count", selected(CountVectorizer())), ("weigh", TfidfTransformer(**options))]).fit(ROWS)
    check_transformer(two, UNSEEN)


def test_tfidf_of_dense_counts():
    counts = pd.DataFrame({"a": [1, 0, 3], "b": [0.0, 0.0, 2.5]})
    check_transformer(TfidfTransformer().fit(counts), counts)


@pytest.mark.parametrize("norm", ["l1", "l2", None])
@pytest.mark.parametrize(
    "options", [{}, {"binary": True}, {"alternate_sign": False}, {"analyzer": "char", "ngram_range": (1, 3)}]
)
@pytest.mark.parametrize("n_features", [3, 2**11])
def test_hashed_counts(norm, options, n_features):
    step = selected(HashingVectorizer(n_features=n_features, norm=norm, **options)).fit(ROWS)
    check_transformer(step, pd.concat([ROWS, UNSEEN]))


def test_the_usual_width_of_hashes():
    step = selected(HashingVectorizer()).fit(ROWS)
    check_transformer(step, ROWS.head(1))


def test_murmurhash():
    from sklearn.utils import murmurhash3_32

    random = np.random.default_rng(0)
    for length in range(40):
        data = random.integers(0, 256, length, dtype=np.uint8).tobytes()
        assert murmurhash3(data) == murmurhash3_32(data, 0)


def test_a_classifier_of_words_and_numbers():
    from plans import check_estimator

    features = ColumnTransformer([("t", TfidfVectorizer(), "t"), ("n", "passthrough", ["n"])], sparse_threshold=1.0)
    model = Pipeline([("features", features), ("classify", LogisticRegression())]).fit(ROWS, ROWS.index % 2)
    check_estimator(model, pd.concat([ROWS, UNSEEN]))


def test_missing_documents_are_refused():
    step = selected(CountVectorizer()).fit(ROWS)
    rows = pd.DataFrame({"t": ["fox", None], "n": 1.0})
    with pytest.raises(ValueError, match="invalid document"):
        step.transform(rows)
    with pytest.raises(InputError, match="row 1: CountVectorizer: found a missing document in column 't'"):
        written(step, rows)


@pytest.mark.parametrize(
    ("vectorizer", "message"),
    [
        (CountVectorizer(tokenizer=str.split, token_pattern=None), "found tokenizer="),
        (CountVectorizer(preprocessor=str.lower), "found preprocessor="),
        (CountVectorizer(analyzer=str.split), "found analyzer="),
        (CountVectorizer(strip_accents=str.lower), "found strip_accents="),
        (CountVectorizer(token_pattern=FLAGGED), "found token_pattern=.*, expected one without flags"),
        (CountVectorizer(token_pattern=WITHIN), r"found token_pattern=.*, expected a pattern without \\B"),
        (CountVectorizer(dtype=np.int8), "found dtype=.*, expected one of int32"),
        (TfidfVectorizer(dtype=np.float32), "found dtype=.*, expected float64"),
        (HashingVectorizer(dtype=np.float32), "found dtype=.*, expected float64"),
    ],
    ids=str,
)
def test_own_code_and_patterns_without_a_frozen_form_are_refused(vectorizer, message):
    build = Builder()
    with pytest.raises(NoPlanError, match=message):
        transform(vectorizer.fit(DOCUMENTS), {"t": build.input("t", "str")}, build)


PATTERNS = [
    OWN,
    r"[A-Za-z']+",
    r"(?u)\b[\w'-]+\b",
    r"\d+",
    r"\S+",
    r"[^\W_]+",
    r"[^\s,;.]+",
    r"(\w)\w*",
    r"(?:the|fox)\b",
    r"\b\w{2,5}\b",
    r"(?<!\w)[a-z]\w*(?=\s)",
    r"[]a-c_]+|\D\D",
    r"\w*",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_words_by_another_pattern(pattern):
    step = selected(CountVectorizer(token_pattern=pattern)).fit(ROWS)
    check_transformer(step, ROWS)
    check_transformer(step, UNSEEN)
    hashed = selected(HashingVectorizer(token_pattern=pattern, n_features=64, ngram_range=(1, 2))).fit(ROWS)
    check_transformer(hashed, ROWS)


def test_several_columns_and_numbers_are_refused():
    build, vectorizer = Builder(), CountVectorizer().fit(DOCUMENTS)
    with pytest.raises(NoPlanError, match="found 2 columns, expected one text column; name it by a string"):
        transform(vectorizer, {"a": build.input("a", "str"), "b": build.input("b", "str")}, build)
    with pytest.raises(NoPlanError, match="found float64 column 'a', expected text"):
        transform(vectorizer, {"a": build.input("a", "float64")}, build)


@pytest.mark.parametrize("step", [DictVectorizer().fit([{"a": 1}]), FeatureHasher()], ids=str)
def test_rows_that_are_mappings_are_refused(step):
    with pytest.raises(RefusedStepError, match="rows are mappings or lists"):
        transform(step, {}, Builder())


def test_an_adapter_that_ignores_an_option_is_refused(monkeypatch):
    step = selected(CountVectorizer(token_pattern=SHORT)).fit(ROWS)
    monkeypatch.setattr(sklearn_text, "_words", lambda step: {"shortest": 2})
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(step, ROWS)


def test_one_ulp_in_one_weight_of_a_word_is_seen():
    step = selected(TfidfVectorizer(norm=None)).fit(ROWS)
    expected = step.transform(ROWS)
    inner = step.named_transformers_["t"]._tfidf
    inner.idf_ = inner.idf_ * np.where(np.arange(len(inner.idf_)) == 4, 1 + 2**-52, 1.0)
    step.transform = lambda rows: expected
    assert math.isfinite(inner.idf_[4])
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(step, ROWS)


def test_documents_that_are_kept_have_the_same_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = next(
        node.settings
        for node in compile_pipeline(
            make_pipeline(CountVectorizer(), Ridge()).fit(["a bc d", "bc É", "x"], [1.0, 2.0, 3.0]), like=["a"]
        ).plan.nodes
        if node.operation == "document_counts"
    )
    counts = token_counts._bind_counts(settings)
    documents = TextColumn.of(["bc É bc", "x", "bc É bc", "unseen"])
    fresh = counts(documents)
    asked: list[str] = []
    analyzer = token_counts.analyzer

    def noted(given: Any) -> Any:
        analyze = analyzer(given)
        return lambda text: asked.append(text) or analyze(text)  # type: ignore[func-returns-value]

    monkeypatch.setattr(token_counts, "analyzer", noted)
    counts = token_counts._bind_counts(settings)
    with kept_results():
        for _ in range(3):
            again = counts(documents)
            assert again.indices.tolist() == fresh.indices.tolist()
            assert again.values.tolist() == fresh.values.tolist()
    assert sorted(asked) == ["bc É bc", "unseen", "x"]
    counts(documents)
    assert len(asked) == 6
