"""LightGBM: linear leaves, boosting types, ranking, categories, sparse input; raw scores with equal bits."""

import numpy as np
import pandas as pd
import pytest
from boosted import ROWS, booster_rows
from plans import check_estimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from pipeline_lib.compiler.adapters.boosters import lightgbm as adapter
from pipeline_lib.compiler.adapters.tree_nodes import sum_of_trees
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError

try:
    from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
except (ImportError, OSError) as error:  # a library of the system is missing, such as libgomp
    pytest.skip(f"LightGBM cannot be loaded here: {error}", allow_module_level=True)

RNG = np.random.default_rng(0)
X = booster_rows(RNG)
Y = (np.nan_to_num(X["a"]) + X["b"] + X["zeros"]).to_numpy()
THREE = np.digitize(Y, [1, 4])
SMALL = {"n_estimators": 8, "min_child_samples": 4, "verbose": -1, "n_jobs": 1}


@pytest.mark.filterwarnings("ignore:categorical_feature keyword has been found in `params`")
@pytest.mark.parametrize(
    "options",
    [{}, {"boosting_type": "dart"}, {"categorical_feature": [1]}, {"num_leaves": 40, "min_child_samples": 2}],
    ids=str,
)
def test_linear_trees(options):
    model = LGBMRegressor(**SMALL | options, linear_tree=True).fit(X, Y)
    assert "leaf_coeff=0" in model.booster_.model_to_string() or "leaf_coeff=-0" in model.booster_.model_to_string()
    check_estimator(model, X)
    check_estimator(model, X.assign(zeros=np.resize([np.nan, 1e300, -np.inf, 0.0, 1e-36], ROWS)))
    check_estimator(LGBMClassifier(**SMALL | options, linear_tree=True).fit(X, THREE), X)


def test_trees_without_their_linear_functions_are_noticed(monkeypatch):
    model = LGBMRegressor(**SMALL, linear_tree=True).fit(X, Y)
    plain = lambda *args, leaves, **options: sum_of_trees(*args, **options)  # noqa: E731
    monkeypatch.setattr(adapter, "sum_of_linear_trees", plain)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_estimator(model, X)


@pytest.mark.parametrize("options", [{"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1}], ids=str)
def test_a_random_forest_decides_by_sums_and_predicts_by_means(options):
    model = LGBMClassifier(**SMALL | options).fit(X, THREE)
    check_estimator(model, X)
    check_estimator(LGBMClassifier(**SMALL | options).fit(X, Y > 2), X)


@pytest.mark.parametrize("objective", ["lambdarank", "rank_xendcg"])
def test_rankers(objective):
    check_estimator(LGBMRanker(objective=objective, **SMALL).fit(X, Y > 2, group=[15] * (ROWS // 15)), X)


def test_links_of_probabilities_and_own_objectives():
    check_estimator(LGBMRegressor(objective="cross_entropy_lambda", **SMALL).fit(X, (Y > 2).astype(float)), X)
    own = LGBMRegressor(objective=lambda target, score: (score - target, np.ones(len(target))), **SMALL)
    check_estimator(own.fit(X, Y), X)


def test_categories_of_text_whole_numbers_and_truths():
    rows = X.assign(
        city=pd.Series(RNG.choice(["Ames", "Łódź", "Åre"], ROWS), dtype="category"),
        floor=pd.Series(RNG.choice([5, -1, 12], ROWS)).astype("category"),
    )
    target = Y + rows["city"].map({"Ames": 1.0, "Łódź": 5.0, "Åre": -3.0}).astype(float) + rows["floor"].astype(int)
    fitted = make_pipeline(LGBMRegressor(min_data_per_group=2, cat_smooth=1.0, **SMALL)).fit(rows, target)
    model = compile_pipeline(fitted, like=rows)
    assert model.report.exact
    assert model.predict(rows).tolist() == fitted.predict(rows).tolist()
    one = rows.iloc[0].to_dict()
    for change in ({"floor": 12}, {"floor": 99}, {"city": "Łódź"}, {"city": "Kyiv"}):
        row = pd.DataFrame([one | change])
        for name in ("city", "floor"):  # to the library an unseen category is a missing one
            known = rows[name].cat.categories
            row[name] = pd.Categorical([value if value in known else None for value in row[name]], known)
        assert model.predict_row(one | change) == fitted.predict(row)[0]


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("zero_as_missing", [True, False])
def test_sparse_input_has_zeros_where_nothing_is_stored(sparse, zero_as_missing):
    rows = X.assign(city=RNG.choice(["Ames", "Oslo", "Rom"], ROWS))
    encode = make_column_transformer(
        (OneHotEncoder(sparse_output=sparse), ["city"]),
        (SimpleImputer(), ["a", "zeros"]),
        sparse_threshold=1.0 if sparse else 0.0,
    )
    fitted = make_pipeline(encode, LGBMRegressor(zero_as_missing=zero_as_missing, **SMALL)).fit(rows, Y)
    model = compile_pipeline(fitted, like=rows)
    assert model.predict(rows).tolist() == fitted.predict(rows).tolist()


@pytest.mark.parametrize("outer", [lambda model: model, lambda model: CalibratedClassifierCV(model, cv=2)])
def test_spaces_in_the_names_of_columns(outer):
    """LightGBM keeps an underscore for each, under which no column of the frame is found."""
    rows = X[["a", "b", "zeros"]].rename(columns={"a": "mean radius", "b": "mean  area"})
    fitted = outer(LGBMClassifier(**SMALL)).fit(rows, THREE)
    assert fitted.feature_names_in_[0] == "mean_radius"
    model = compile_pipeline(fitted, like=rows)
    assert model.row.names == ("mean radius", "mean  area", "zeros")
    np.testing.assert_allclose(model.predict_proba(rows), fitted.predict_proba(rows), rtol=1e-12)
    with pytest.raises(InputError, match="found no column 'mean_radius' in `like`"):
        compile_pipeline(fitted, like=rows.rename(columns={"mean radius": "radius"}))
