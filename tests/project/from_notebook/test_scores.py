"""The metrics of the original: which are found, what they are called, and by which one runs are compared."""

import ast
from dataclasses import replace

import pytest
from exploration import HEAD, exploration

from pipeline_lib.project.from_notebook.facts import NO_FACTS
from pipeline_lib.project.from_notebook.metrics_source import metrics_source
from pipeline_lib.project.from_notebook.plan import Plan, plan_of

_MSE = "mean_squared_error(actual, predicted)"


def plan(*cells: str) -> Plan:
    head = HEAD + (
        "\nimport math\nfrom sklearn.linear_model import Ridge\nfrom sklearn.metrics import accuracy_score, f1_score, "
        "log_loss, mean_squared_error, r2_score, roc_auc_score, root_mean_squared_error"
    )
    load = "X, y = pd.read_csv('a.csv'), pd.read_csv('b.csv').b"
    split = "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)"
    fit = "model = Ridge()\nmodel.fit(X_train, y_train)\ny_pred = model.predict(X_test)"
    return plan_of(exploration([head, load, split, fit, *cells]), "x")


@pytest.mark.parametrize(
    ("cells", "metric", "expression"),
    [
        (["accuracy_score(y_test, y_pred)"], ("accuracy_score", "maximize"), "accuracy_score(actual, predicted)"),
        (["print(f'{r2_score(y_test, y_pred):.2f}')"], ("r2_score", "maximize"), "r2_score(actual, predicted)"),
        (
            ["auc = roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])"],
            ("auc", "maximize"),
            "roc_auc_score(actual, probabilities[:, 1])",
        ),
        (
            ["f1_score(y_test, y_pred, average='macro')"],
            ("f1_score", "maximize"),
            "f1_score(actual, predicted, average='macro')",
        ),
        (["mse = mean_squared_error(y_test, y_pred)"], ("mse", "minimize"), _MSE),
        (
            ["root_mean_squared_error(y_test, y_pred)"],
            ("root_mean_squared_error", "minimize"),
            "root_mean_squared_error(actual, predicted)",
        ),
        (["mse = mean_squared_error(y_test, y_pred)\nmse ** 0.5"], ("rmse", "minimize"), f"{_MSE} ** 0.5"),
        (["mse = mean_squared_error(y_test, y_pred)", "x = mse ** (1 / 2)"], ("x", "minimize"), f"{_MSE} ** (1 / 2)"),
        (["print(np.sqrt(mean_squared_error(y_test, y_pred)))"], ("rmse", "minimize"), f"np.sqrt({_MSE})"),
        (["rmse = mean_squared_error(y_test, y_pred) ** 0.5"], ("rmse", "minimize"), f"{_MSE} ** 0.5"),
        (["mse = mean_squared_error(y_test, y_pred)\nmath.sqrt(mse)"], ("rmse", "minimize"), f"math.sqrt({_MSE})"),
        (["np.power(mean_squared_error(y_test, y_pred), 0.5)"], ("rmse", "minimize"), f"np.power({_MSE}, 0.5)"),
        (["pow(mean_squared_error(y_test, y_pred), 0.5)"], ("rmse", "minimize"), f"pow({_MSE}, 0.5)"),
        (["model.score(X_test, y_test)"], ("score", "maximize"), "r2_score(actual, predicted)"),
        (
            ["r2_score(y_test, y_pred)", "mean_squared_error(y_test, y_pred)"],
            ("r2_score", "maximize"),
            "r2_score(actual, predicted)",
        ),
        (["f1_score(y_test, y_pred, average=None)"], ("r2_score", "maximize"), "r2_score(actual, predicted)"),
        ([], ("r2_score", "maximize"), "r2_score(actual, predicted)"),
    ],
)
def test_runs_are_compared_by_the_metric_of_the_notebook(
    cells: list[str], metric: tuple[str, str], expression: str
) -> None:
    module = ast.parse(metrics_source(plan(*cells), NO_FACTS))
    assign, function = module.body
    assert isinstance(assign, ast.Assign)
    assert ast.literal_eval(assign.value) == metric
    assert isinstance(function, ast.FunctionDef)
    returned = function.body[-1]
    assert isinstance(returned, ast.Return)
    assert isinstance(returned.value, ast.Dict)
    names = [ast.literal_eval(key) for key in returned.value.keys if key]
    values = dict(zip(names, map(ast.unparse, returned.value.values), strict=True))
    assert values[metric[0]] == f"float({expression})"


def test_both_the_error_and_its_square_root_are_kept() -> None:
    made = plan("mse = mean_squared_error(y_test, y_pred)\nrmse = mse ** 0.5\nr2_score(y_test, y_pred)")
    assert [score.name for score in made.scores] == ["mse", "rmse", "r2_score"]


@pytest.mark.parametrize(("classifier", "own"), [(True, "accuracy_score"), (False, "r2_score")])
def test_the_models_own_score_is_what_its_kind_has(classifier: bool, own: str) -> None:
    text = metrics_source(plan("model.score(X_test, y_test)"), replace(NO_FACTS, classifier=classifier))
    assert f'"score": float({own}(actual, predicted))' in text
    assert 'METRIC = ("score", "maximize")' in text


def test_roots_of_other_numbers_are_no_metrics() -> None:
    assert [score.name for score in plan("np.sqrt(4)\nlen(y_pred) ** 0.5\nnp.sqrt(y_test)").scores] == []
