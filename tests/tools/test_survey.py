"""The survey: its tables are complete, its checks see what they must, its page is that of the committed result."""

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.utils import all_estimators

from pipeline_lib.compiled.compile_report import CompileReport, OutputReport, StepReport
from pipeline_lib.compiler.adapters import registry
from tools.survey import results as survey_results
from tools.survey.cases import PACKAGES, Case, cases, tables
from tools.survey.checks import Result, check_case, far_apart, reported, same_bits
from tools.survey.page import PAGE, page
from tools.survey.results import COMMITTED, read, sample, worse, write
from tools.survey.runner import run

NOT_PUBLIC = ("tests", "testing", "base", "datasets", "utils", "metrics")
"""Modules of the libraries without estimators that a person fits."""


def case(name: str, options: str = "defaults") -> Case:
    return next(found for found in cases() if found.entry.name == name and found.label == options)


def public_classes(package: str) -> Iterator[str]:
    root = import_module(package)
    modules = [package, *(module.name for module in pkgutil.walk_packages(root.__path__, f"{package}."))]
    for module in modules:
        parts = module.split(".")[1:]
        if any(part.startswith("_") for part in parts) or set(parts) & set(NOT_PUBLIC):
            continue
        for name, value in vars(import_module(module)).items():
            public = not name.startswith("_") and (not name.startswith("Base") or name == "BaseNEncoder")
            named = public and inspect.isclass(value) and value.__module__.startswith(package)
            if named and issubclass(value, BaseEstimator):
                yield name


def test_every_class_of_scikit_learn_is_in_the_table() -> None:
    assert {entry.name for entry in tables()["scikit-learn"]} == {name for name, _ in all_estimators()}


@pytest.mark.parametrize("library", ["feature-engine", "category_encoders", "imbalanced-learn"])
def test_every_class_of_a_library_is_in_its_table(library: str) -> None:
    helpers = {"CategoricalMethodsMixin", "WinsorizerBase", "TargetMeanClassifier", "TargetMeanRegressor"}
    assert {entry.name for entry in tables()[library]} == set(public_classes(PACKAGES[library])) - helpers


def test_cases_have_different_names() -> None:
    names = [found.id for found in cases()]
    assert len(names) == len(set(names))


def test_a_case_that_compiles_is_exact() -> None:
    assert check_case(case("Ridge")).outcome == "exact"


def test_a_class_that_cannot_serve_is_refused() -> None:
    result = check_case(case("DBSCAN"))
    assert result.outcome == "refused"
    assert result.why


def test_a_case_that_its_library_refuses_is_the_fault_of_the_table() -> None:
    ridge = case("Ridge")
    broken = Case(ridge.library, ridge.entry, "solver='none'", ridge.data, ridge.seed)
    assert check_case(broken).outcome == "not fitted"


def test_a_wrong_plan_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline_lib.compiled.pipeline import CompiledPipeline

    honest = CompiledPipeline.predict
    monkeypatch.setattr(CompiledPipeline, "predict", lambda self, data, **kept: honest(self, data, **kept) * (1 + 1e-6))
    result = check_case(case("Ridge"))
    assert result.outcome == "differs"
    assert "not reported" in result.why
    assert "have other bits alone" in result.why


def test_a_class_that_loses_its_adapter_gets_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    ridge = case("Ridge")
    before = check_case(ridge)
    assert list(worse([before], {ridge.id: before})) == []
    monkeypatch.delitem(registry._ESTIMATORS, "sklearn.linear_model._ridge.Ridge")
    after = check_case(ridge)
    assert after.outcome != "exact"
    assert list(worse([after], {ridge.id: before})) == [f"{ridge.id}: exact before, now {after.outcome}: {after.why}"]


def test_a_case_without_a_committed_result_is_seen() -> None:
    assert list(worse([Result("a | b", "exact")], {})) == ["a | b: not in results.json; make survey"]


def test_distances_are_relative_to_the_value_or_to_the_usual_size() -> None:
    theirs = np.array([1e6, 1e-12, np.nan, np.inf])
    assert far_apart(theirs + np.array([1e-4, 1e-5, 0, 0]), theirs).tolist() == [False, False, False, False]
    assert far_apart(theirs * np.array([1 + 2e-9, 1, 1, -1]), theirs).tolist() == [True, False, False, True]
    assert far_apart(np.array([1.0, 2.0]), np.array([np.nan, 2.0])).tolist() == [True, False]


def report(*outputs: OutputReport, steps: tuple[StepReport, ...] = ()) -> CompileReport:
    return CompileReport(9, 1, steps, (), outputs=outputs)


def test_a_report_must_name_what_differs_and_by_how_much() -> None:
    far = OutputReport("probabilities", 9, 3, 0.5, 0.7, 1e15, "ties")
    assert reported(report(far), "probability")
    assert not reported(report(far), "prediction")
    assert not reported(report(OutputReport("probabilities", 9, 3, 1e-16, 1e-16, 1, "rounding")), "probability")
    assert not reported(report(OutputReport("predictions", 9)), "prediction")
    assert reported(report(OutputReport("labels", 9, 2, reason="ties")), "prediction")


def test_rows_without_an_answer_of_the_library_are_a_report() -> None:
    tied = StepReport("knn", "KNeighborsRegressor", 1, 1, exact=True, unsure=2, doubt="neighbours at one distance")
    assert reported(report(steps=(tied,)), "prediction")


def test_bits_are_compared_with_the_sign_of_zero() -> None:
    assert same_bits(np.array([0.0, np.nan]), np.array([0.0, np.nan]))
    assert not same_bits(np.array([0.0]), np.array([-0.0]))
    assert not same_bits(np.array(["a"], object), np.array(["b"], object))


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    kept = [
        Result("CatBoost | A | defaults | x/y | 0", "exact"),
        Result("CatBoost | A | b=': ' | x/y | 1", "crash", "a: b"),
    ]
    write(tmp_path / "r.json", kept)
    assert read(tmp_path / "r.json") == kept


def test_every_case_has_a_committed_result() -> None:
    assert {result.case for result in read()} == {found.id for found in cases()}, "make survey"


def test_the_page_is_that_of_the_committed_result() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(read()), "run make survey"


def test_a_changed_result_makes_the_page_stale() -> None:
    first, *others = read()
    assert PAGE.read_text(encoding="utf-8") != page([Result(first.case, "crash", "of a test"), *others])


def test_the_sample_is_a_twentieth_of_every_library() -> None:
    chosen = sample(cases())
    assert {found.library for found in chosen} == set(PACKAGES)
    assert 0.8 < len(chosen) * survey_results.SAMPLE / len(list(cases())) < 1.2


@pytest.mark.slow
@pytest.mark.whole
def test_no_class_of_the_sample_gets_worse() -> None:
    committed = {result.case: result for result in read(COMMITTED)}
    found: list[Result] = []
    run(sample(cases()), 2, found.append)
    assert len(found) == len(sample(cases()))
    assert list(worse(found, committed)) == []
