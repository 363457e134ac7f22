"""Raw rows in any container and of any dtype: the pipeline sees them as it was fitted on them."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from feature_engine.datetime import DatetimeFeatures
from feature_engine.imputation import MeanMedianImputer
from feature_engine.selection import DropFeatures
from scipy.sparse import csr_matrix
from sklearn.cluster import FeatureAgglomeration
from sklearn.compose import make_column_transformer
from sklearn.decomposition import NMF
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, RandomTreesEmbedding
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

from pipeline_lib.authoring import RowwiseTransformer
from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.compiler.compile import compile_fitted, compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

ROWS = 80
_RNG = np.random.default_rng(3)
NUMBERS = pd.DataFrame(
    {
        "a": _RNG.normal(size=ROWS).round(3),
        "b": _RNG.normal(size=ROWS).round(3) * 10,
        "k": _RNG.integers(0, 5, size=ROWS),
    }
)
WORDS = _RNG.choice(["red", "green", "Łódź"], ROWS)
GAPS = _RNG.random(ROWS) < 0.2
CLASSES = (NUMBERS["a"] + NUMBERS["b"] / 10 > 0).astype(int)
TEXTS = pd.Series([f"{word} {mood} film" for word, mood in zip(WORDS, _RNG.choice(["good", "bad"], ROWS), strict=True)])
SCALED = make_pipeline(StandardScaler(), LogisticRegression())
OWN_COLUMNS = make_pipeline(make_column_transformer((StandardScaler(), ["a", "b"])), LogisticRegression())


def check(fitted: Any, like: Any) -> CompiledPipeline:
    """Compile, and compare with the library: labels, numbers, one row and batch, the same rows in their container."""
    model = compile_pipeline(fitted, like=like)
    expected, found = np.asarray(fitted.predict(like)), model.predict(like)
    assert found.shape == expected.shape
    assert np.array_equal(found, expected) if found.dtype.kind != "f" else found == pytest.approx(expected, rel=1e-9)
    return model


def as_integers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(a=(frame["a"].abs() * 9).round(), b=(frame["b"].abs() * 2).round())


@pytest.mark.parametrize("dtype", ["int8", "uint64", "Int16", "UInt8", "Float64", "int32[pyarrow]", "double[pyarrow]"])
def test_numbers_of_any_width(dtype: str) -> None:
    frame = (as_integers(NUMBERS) if "int" in dtype.lower() else NUMBERS).astype(dtype)
    model = check(SCALED.fit(frame, CLASSES), frame)
    assert model.predict(frame.astype("float64")).tolist() == model.predict(frame).tolist()


def test_numbers_of_float32_are_rounded_as_the_library_sees_them() -> None:
    frame = NUMBERS.astype("float32")
    model = check(RandomForestClassifier(5, random_state=0).fit(frame, CLASSES), frame)
    near = NUMBERS * (1 + 1e-9)  # no float32, but rounded to those of the frame
    assert model.predict_proba(near).tolist() == model.predict_proba(frame).tolist()


def test_integers_that_the_training_dtype_does_not_hold_are_refused_in_the_check_of_other_rows() -> None:
    frame = as_integers(NUMBERS).astype("int8")
    compiled = compile_fitted(SCALED.fit(frame, CLASSES), like=frame)
    with pytest.raises(InputError, match="a: found integers that int8 does not hold"):
        compiled.check_rows(frame.astype("int64") + 200)
    compiled.check_rows(frame.astype("int64"))


class Half(RowwiseTransformer):
    """Own arithmetic, which a plan has in float64 alone."""

    def fit(self, X: Any, y: Any = None) -> "Half":
        return self

    def transform(self, X: Any) -> Any:
        return X.assign(a=X["a"] * 0.3)


def test_own_arithmetic_of_float32_is_refused_with_the_way_that_works() -> None:
    frame, own = NUMBERS.astype("float32"), make_pipeline(Half(), SCALED)
    with pytest.raises(InputError, match=r"found raw columns of float32 \('a', 'b', 'k'\).*X.astype\(\"float64\"\)"):
        compile_pipeline(own.fit(frame, CLASSES), like=frame)
    check(own.fit(frame.astype("float64"), CLASSES), frame.astype("float64"))


def test_a_refusal_for_another_reason_does_not_blame_float32() -> None:
    frame = NUMBERS.astype("float32").abs()
    with pytest.raises(InputError, match="NMF: found tol=") as refused:
        compile_pipeline(make_pipeline(NMF(2), LogisticRegression()).fit(frame, CLASSES), like=frame)
    assert "float32" not in str(refused.value)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean", "int64[pyarrow]", "bool[pyarrow]"])
def test_missing_values_of_nullable_dtypes(dtype: str) -> None:
    values = NUMBERS["k"] > 2 if dtype.startswith("bool") else NUMBERS["k"]
    frame = NUMBERS.assign(k=values.astype(dtype).mask(GAPS))
    assert frame["k"].isna().any()
    check(make_pipeline(SimpleImputer(), Ridge()).fit(frame, NUMBERS["a"]), frame)
    check(HistGradientBoostingClassifier(max_iter=5).fit(frame, CLASSES), frame)


TEXT_DTYPES = {
    "str": pd.Series(WORDS),
    "object": pd.Series(WORDS, dtype=object),
    "object with None": pd.Series(WORDS, dtype=object).where(~GAPS, None),
    "object with NaN": pd.Series(WORDS, dtype=object).where(~GAPS, np.nan),
    "category": pd.Series(WORDS, dtype="category"),
    "category with gaps": pd.Series(WORDS).where(~GAPS, None).astype("category"),
    "category of integers": NUMBERS["k"].astype("category"),
    "string": pd.Series(WORDS, dtype="string"),
    "string[pyarrow]": pd.Series(WORDS, dtype="string[pyarrow]"),
}


@pytest.mark.parametrize("words", TEXT_DTYPES.values(), ids=TEXT_DTYPES)
def test_text_of_any_dtype(words: pd.Series) -> None:
    frame = NUMBERS.assign(word=words)
    one_hot = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["word"]), remainder="passthrough")
    check(make_pipeline(one_hot, Ridge()).fit(frame, NUMBERS["a"]), frame)
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    ordinal = make_column_transformer((codes, ["word"]), remainder="passthrough")
    fitted = make_pipeline(ordinal, HistGradientBoostingClassifier(max_iter=5)).fit(frame, CLASSES)
    check(fitted, frame)
    compile_fitted(fitted, like=frame).check_rows(frame.head(20))


def test_missing_values_of_two_types_are_refused_where_a_prediction_depends_on_it() -> None:
    words = TEXT_DTYPES["object with None"].copy()
    words[np.flatnonzero(GAPS)[:5]] = np.nan
    frame = NUMBERS.assign(word=words)
    one_hot = make_column_transformer((OneHotEncoder(), ["word"]), remainder="passthrough")
    unfitted = make_pipeline(one_hot, Ridge())
    with pytest.raises(InputError, match=r"word: found values of several types.*X\[\"word\"\].fillna\(np.nan\)"):
        compile_pipeline(unfitted.fit(frame, NUMBERS["a"]), like=frame)
    with pytest.raises(InputError, match=r"on which \d+ probabilities depend"):  # labels are equal
        compile_pipeline(make_pipeline(one_hot, LogisticRegression(C=1e-3)).fit(frame, CLASSES), like=frame)
    frame["word"] = frame["word"].fillna(np.nan)
    check(unfitted.fit(frame, NUMBERS["a"]), frame)
    check(OWN_COLUMNS.fit(frame.assign(word=words), CLASSES), frame.assign(word=words))  # not read


def test_a_polars_frame_that_the_library_reads_otherwise_than_pandas_is_refused() -> None:
    frame = pl.from_pandas(NUMBERS).with_columns(pl.col("a").cast(pl.Float32), pl.col("k") > 2)
    scaled = make_pipeline(make_column_transformer((StandardScaler(), ["a", "k"])), LogisticRegression())
    with pytest.raises(InputError, match=r"found a polars frame .* cast its columns of Float32 to Float64"):
        compile_pipeline(scaled.fit(frame, CLASSES), like=frame)
    wide = frame.with_columns(pl.col("a").cast(pl.Float64))
    check(scaled.fit(wide, CLASSES), wide)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_steps_may_give_frames(container: str) -> None:
    """Each step gets a frame of this container from the one before, also inside a union."""
    columns = make_column_transformer(
        (StandardScaler(), ["a", "b"]), (OneHotEncoder(sparse_output=False), ["word"]), remainder="passthrough"
    )
    union = make_union(MaxAbsScaler(), SimpleImputer())
    fitted = make_pipeline(columns, union, LogisticRegression()).set_output(transform=container)
    frame = NUMBERS.assign(word=WORDS)
    model = check(fitted.fit(frame, CLASSES), frame)
    assert [step.exact for step in model.report.steps] == [True] * 3


def test_opaque_steps_may_give_polars_frames() -> None:
    noted = make_union(MaxAbsScaler(), FeatureAgglomeration(2), RandomTreesEmbedding(2, sparse_output=False))
    fitted = make_pipeline(StandardScaler(), noted, StandardScaler(), LogisticRegression())
    fitted.set_output(transform="polars").fit(NUMBERS, CLASSES)
    model = compile_pipeline(fitted, like=NUMBERS, allow_opaque=True)
    assert np.array_equal(model.predict(NUMBERS), fitted.predict(NUMBERS))
    assert model.predict(NUMBERS).tolist() == [model.predict_row(row) for row in NUMBERS.to_dict("records")]


UNREAD = {
    "duration": pd.to_timedelta(_RNG.integers(0, 99, ROWS), unit="D"),
    "zone": pd.date_range("2020-01-01", periods=ROWS, tz="Europe/Berlin"),
    "period": pd.period_range("2020-01-01", periods=ROWS, freq="D"),
    "list": [[1]] * ROWS,
    "mixed": [1, "a"] * (ROWS // 2),
    "complex": np.ones(ROWS) * 1j,
    "interval": pd.cut(NUMBERS["a"], 3),
    "decimal": [Decimal("1.5")] * ROWS,
    "sparse": pd.arrays.SparseArray(np.r_[np.zeros(ROWS - 1), 1.0]),
    "float16": np.ones(ROWS, "float16"),
    "missing": [None] * ROWS,
    "date": [date(2020, 1, 1)] * ROWS,
    "nanoseconds": pd.date_range("2020-01-01", periods=ROWS).astype("datetime64[ns]"),
}


@pytest.mark.parametrize("values", UNREAD.values(), ids=UNREAD)
def test_a_column_that_no_step_reads_stops_nothing(values: Any, tmp_path: Path) -> None:
    frame = NUMBERS.assign(when=values)
    model = check(OWN_COLUMNS.fit(frame, CLASSES), frame)
    assert "when" not in model.reads
    model.save(tmp_path / "artifact")
    assert load_model(tmp_path / "artifact").predict(NUMBERS).tolist() == model.predict(frame).tolist()
    dropped = make_pipeline(DropFeatures(["when"]), LogisticRegression())
    model = check(dropped.fit(frame, CLASSES), frame)
    model.save(tmp_path / "dropped")
    row = NUMBERS.iloc[0].to_dict()
    assert load_model(tmp_path / "dropped").predict_row(row) == model.predict(frame)[0]


class Ratio(RowwiseTransformer):
    """Own code over a frame that holds a duration and nullable integers."""

    def fit(self, X: Any, y: Any = None) -> "Ratio":
        return self

    def transform(self, X: Any) -> Any:
        X = X.drop(columns="when")
        X["ratio"] = X["a"] / (X["whole"] + 1)
        X["red"] = X["word"] == "red"
        return X.drop(columns=["word", "whole"])


def test_own_code_takes_frames_of_other_dtypes() -> None:
    frame = NUMBERS.assign(when=UNREAD["duration"], whole=NUMBERS["k"], word=TEXT_DTYPES["category"])
    model = check(make_pipeline(Ratio(), Ridge()).fit(frame, NUMBERS["b"]), frame)
    assert set(model.reads) == {"a", "b", "k", "whole", "word"}
    nullable = frame.astype({"k": "Int64"})
    check(make_pipeline(Ratio(), Ridge()).fit(nullable, NUMBERS["b"]), nullable)


def test_a_column_without_a_kind_that_a_step_reads_is_refused_with_the_way_to_convert_it() -> None:
    frame = NUMBERS[["k"]].assign(half=NUMBERS["a"].astype("float16"))
    with pytest.raises(InputError, match=r"half: found dtype float16, .*X\['half'\].astype\(float\) is a number"):
        compile_pipeline(HistGradientBoostingClassifier(max_iter=5).fit(frame, CLASSES), like=frame)
    whole = frame.assign(half=frame["half"].astype(float))
    check(HistGradientBoostingClassifier(max_iter=5).fit(whole, CLASSES), whole)


class LocalHour(RowwiseTransformer):
    """The hour that Berlin's clocks show, of a column with a zone or of one in UTC."""

    def __init__(self, zoned: bool = False) -> None:
        self.zoned = zoned

    def fit(self, X: Any, y: Any = None) -> "LocalHour":
        return self

    def transform(self, X: Any) -> Any:
        when = X["when"] if self.zoned else X["when"].dt.tz_localize("UTC")
        return X.assign(hour=when.dt.tz_convert("Europe/Berlin").dt.hour).drop(columns="when")


ZONED = NUMBERS.assign(when=pd.date_range("2023-01-01", periods=ROWS, freq="37h", tz="UTC", unit="us"))


def test_local_time_is_read_of_a_column_without_a_zone() -> None:
    with pytest.raises(
        InputError, match=r"found a raw column of datetime64\[us, UTC\].*tz_localize\(\"UTC\"\) here"
    ) as no:
        compile_pipeline(make_pipeline(LocalHour(zoned=True), Ridge()).fit(ZONED, NUMBERS["a"]), like=ZONED)
    assert "X['when'].dt.tz_convert(\"UTC\").dt.tz_localize(None) is a datetime in UTC without a zone" in str(no.value)
    naive = ZONED.assign(when=ZONED["when"].dt.tz_convert("UTC").dt.tz_localize(None))
    model = check(make_pipeline(LocalHour(), Ridge()).fit(naive, NUMBERS["a"]), naive)
    row = naive.iloc[70].to_dict()
    assert model.trace_row(row)["localhour"]["hour"] == ZONED["when"].dt.tz_convert("Europe/Berlin").dt.hour[70]


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
def test_fields_of_a_zone_are_those_that_its_clocks_show() -> None:
    zoned = ZONED.assign(when=ZONED["when"].dt.tz_convert("Europe/Berlin"))
    fields = DatetimeFeatures(features_to_extract=["hour", "month"])
    with pytest.raises(InputError, match=r"X\['when'\].dt.tz_localize\(None\) is what the zone's clocks show"):
        compile_pipeline(make_pipeline(fields, Ridge()).fit(zoned, NUMBERS["a"]), like=zoned)
    answers = make_pipeline(fields, Ridge()).fit(zoned, NUMBERS["a"]).predict(zoned)
    shown = zoned.assign(when=zoned["when"].dt.tz_localize(None))
    model = check(make_pipeline(fields, Ridge()).fit(shown, NUMBERS["a"]), shown)
    assert model.predict(shown) == pytest.approx(answers, rel=1e-9)


class Seconds(RowwiseTransformer):
    """The length of a duration."""

    def fit(self, X: Any, y: Any = None) -> "Seconds":
        return self

    def transform(self, X: Any) -> Any:
        return X.assign(long=X["long"].dt.total_seconds())


def test_a_duration_that_own_code_reads_is_refused_with_the_way_that_works() -> None:
    frame = NUMBERS.assign(long=UNREAD["duration"])
    with pytest.raises(
        InputError, match=r"found a raw column of timedelta64.*make it a number of seconds in `load`"
    ) as no:
        compile_pipeline(make_pipeline(Seconds(), Ridge()).fit(frame, NUMBERS["a"]), like=frame)
    assert "X['long'].dt.total_seconds() is a number" in str(no.value)
    seconds = frame.assign(long=frame["long"].dt.total_seconds())
    check(Ridge().fit(seconds, NUMBERS["a"]), seconds)


CONTAINERS = {
    "array": NUMBERS.to_numpy(),
    "array by columns": np.asfortranarray(NUMBERS.to_numpy()),
    "array of int32": as_integers(NUMBERS).to_numpy(np.int32),
    "list of lists": NUMBERS.to_numpy().tolist(),
    "polars": pl.from_pandas(NUMBERS),
}


@pytest.mark.parametrize("like", CONTAINERS.values(), ids=CONTAINERS)
def test_rows_in_other_containers(like: Any) -> None:
    fitted = SCALED.fit(like, CLASSES)
    model = check(fitted, like)
    names = ("a", "b", "k") if isinstance(like, pl.DataFrame) else ("x0", "x1", "x2")
    assert model.row.names == names
    rows = [dict(zip(names, row, strict=True)) for row in np.asarray(like).tolist()]
    assert [model.predict_row(row) for row in rows] == model.predict(like).tolist()
    assert model.predict(rows).tobytes() == model.predict(like).tobytes()


def test_an_arrow_table_is_taken_for_the_frame() -> None:
    fitted = SCALED.fit(NUMBERS, CLASSES)
    table = pa.Table.from_pandas(NUMBERS)
    model = compile_pipeline(fitted, like=table)
    assert model.predict(table).tolist() == model.predict(NUMBERS).tolist() == fitted.predict(NUMBERS).tolist()


TEXT_CONTAINERS = {
    "Series": TEXTS,
    "named Series": TEXTS.rename("review"),
    "Series of objects": TEXTS.astype(object),
    "Series of string": TEXTS.astype("string"),
    "Series of categories": TEXTS.astype("category"),
    "array of objects": TEXTS.to_numpy(object),
    "array of text": TEXTS.to_numpy(str),
    "list": TEXTS.tolist(),
    "polars": pl.Series(TEXTS.tolist()),
}


@pytest.mark.parametrize("like", TEXT_CONTAINERS.values(), ids=TEXT_CONTAINERS)
def test_texts_in_any_container(like: Any) -> None:
    fitted = make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(like, CLASSES)
    model = check(fitted, like)
    name = getattr(like, "name", None) or "x0"
    assert model.row.names == (name,)
    assert model.predict_proba(TEXTS.tolist()).tobytes() == model.predict_proba(like).tobytes()
    assert model.predict_proba(like) == pytest.approx(fitted.predict_proba(like), rel=1e-9)
    assert model.predict_row({name: TEXTS[0]}) == model.predict(like)[0]


def test_a_frame_of_one_column_is_taken_for_its_texts() -> None:
    fitted = make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(TEXTS, CLASSES)
    model = compile_pipeline(fitted, like=TEXTS.to_frame("review"))
    assert model.row.names == ("review",)
    assert model.predict(TEXTS.to_frame("review")).tolist() == fitted.predict(TEXTS).tolist()
    with pytest.raises(InputError, match=r"found 2 columns for a vectorizer, .*like=frame\['review'\]"):
        compile_pipeline(fitted, like=pd.DataFrame({"review": TEXTS, "word": WORDS}))


def test_a_pipeline_that_was_fitted_on_a_sparse_matrix_is_compiled_from_an_array() -> None:
    matrix = csr_matrix(NUMBERS.to_numpy())
    fitted = make_pipeline(MaxAbsScaler(), LogisticRegression()).fit(matrix, CLASSES)
    with pytest.raises(InputError, match=r"found csr_matrix as like=.*; pass X.toarray\(\)"):
        compile_pipeline(fitted, like=matrix)
    check(fitted, matrix.toarray())


def test_integer_column_names_work_as_in_the_libraries() -> None:
    frame = NUMBERS.set_axis([0, 1, 2], axis=1)
    scaled = make_column_transformer((StandardScaler(), [0, 1]), remainder="passthrough")
    for unfitted in (SCALED, make_pipeline(scaled, LogisticRegression()), make_pipeline(MeanMedianImputer(), SCALED)):
        model = check(unfitted.fit(frame, CLASSES), frame)
        assert model.row.names == ("0", "1", "2")
        assert model.predict([frame.iloc[0].to_dict()]).tolist() == model.predict(frame)[:1].tolist()


def test_duplicate_column_names_are_refused_by_name() -> None:
    frame = NUMBERS.set_axis(["a", "a", "k"], axis=1)
    with pytest.raises(InputError, match="a: found 2 columns of this name, expected one\nrename the others"):
        compile_pipeline(SCALED.fit(frame.to_numpy(), CLASSES), like=frame)


def test_a_frame_that_still_holds_the_target_is_taken() -> None:
    fitted, with_target = SCALED.fit(NUMBERS, CLASSES), NUMBERS.assign(target=CLASSES)
    model = compile_pipeline(fitted, like=with_target[["target", "k", "a", "b"]])
    assert model.row.names == ("a", "b", "k")
    assert model.predict(NUMBERS).tolist() == fitted.predict(NUMBERS).tolist()


@pytest.mark.parametrize("like", [NUMBERS, NUMBERS.assign(target=CLASSES)], ids=["without", "with the target"])
def test_a_pipeline_that_was_fitted_on_a_frame_with_the_target(like: pd.DataFrame) -> None:
    fitted = OWN_COLUMNS.fit(NUMBERS.assign(target=CLASSES), CLASSES)
    model = compile_pipeline(fitted, like=like)
    assert set(model.reads) == {"a", "b"}
    assert model.predict(NUMBERS).tolist() == fitted.predict(NUMBERS).tolist()


def test_a_column_of_the_fit_that_is_not_there_is_named() -> None:
    fitted = make_pipeline(MeanMedianImputer(), LogisticRegression()).fit(NUMBERS.assign(target=CLASSES), CLASSES)
    with pytest.raises(InputError, match=r"found no column 'target' in `like`, expected the 4 columns .* fitted on;"):
        compile_pipeline(fitted, like=NUMBERS)
    check(fitted, NUMBERS.assign(target=CLASSES))


def test_a_declared_row_takes_the_dtypes_of_its_kinds() -> None:
    row = RowSchema((Column("a", "number"), Column("k", "integer"), Column("word", "string", nullable=True)))
    frame = NUMBERS[["a", "k"]].assign(word=TEXT_DTYPES["category with gaps"]).astype({"k": "int8"})
    one_hot = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["word"]), remainder="passthrough")
    fitted = make_pipeline(one_hot, Ridge()).fit(frame, NUMBERS["b"])
    compiled = compile_fitted(fitted, like=frame, row=row)
    assert compiled.model.predict(frame) == pytest.approx(fitted.predict(frame), rel=1e-9)
    compiled.check_rows(frame.head(9).astype({"word": "str"}))


@pytest.mark.parametrize(
    ("like", "message"),
    [
        (
            3,
            "found int as like=, expected the training rows as a DataFrame, Series, array, list, polars or Arrow table",
        ),
        ([[1.0, 2.0], [1.0]], "found rows of several lengths as like="),
        (pd.DataFrame({"when": UNREAD["duration"]}), r"found no raw column.*X\['when'\].dt.total_seconds\(\)"),
    ],
)
def test_rows_of_no_kind_are_refused(like: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"(?s){message}"):
        compile_pipeline(SCALED.fit(NUMBERS.to_numpy(), CLASSES), like=like)
