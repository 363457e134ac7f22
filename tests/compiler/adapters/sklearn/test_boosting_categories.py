"""HistGradientBoosting on raw categories: found by dtype, by names, by a mask; missing and unseen ones."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from pipeline_lib.compiler.compile import compile_pipeline

RNG = np.random.default_rng(0)
ROWS = 160
X = pd.DataFrame(
    {
        "a": RNG.normal(size=ROWS) * 3,
        "city": RNG.choice(["Ames", "Łódź", "Åre", "Zoë"], ROWS),
        "floor": RNG.integers(0, 5, ROWS),
        "kind": RNG.choice(["u", "v"], ROWS),
    }
)
Y = (X["a"] + X["floor"] + X["city"].map({"Ames": 1.0, "Łódź": 5.0, "Åre": -3.0, "Zoë": 0.0})).to_numpy()
CATEGORIES = X.astype({"city": "category", "kind": "category"})
MISSING = CATEGORIES.assign(
    city=CATEGORIES["city"].where(X.index % 7 > 0), a=X["a"].where(X.index % 5 > 0), floor=X["floor"].astype("category")
)
SMALL = {"max_iter": 8, "min_samples_leaf": 5, "early_stopping": False}


@pytest.mark.parametrize("rows", [CATEGORIES, MISSING], ids=["whole", "missing"])
@pytest.mark.parametrize(
    "chosen", ["from_dtype", ["city", "kind", "floor"], [False, True, True, True]], ids=["dtype", "names", "mask"]
)
def test_categories_are_encoded_as_in_training(rows, chosen):
    fitted = HistGradientBoostingRegressor(categorical_features=chosen, **SMALL).fit(rows, Y)
    assert any(node["is_categorical"] for tree in fitted._predictors for node in tree[0].nodes)
    model = compile_pipeline(fitted, like=rows)
    assert model.report.exact
    assert model.predict(rows).tolist() == fitted.predict(rows).tolist()
    unseen = rows.assign(city=pd.Series(np.resize(["Kyiv", "Łódź", None], ROWS)).astype("category"))
    assert model.predict(unseen).tolist() == fitted.predict(unseen).tolist()
    records = unseen.head(6).astype({"city": object, "floor": int}).to_dict("records")
    assert [model.predict_row(row) for row in records] == fitted.predict(unseen)[:6].tolist()


def test_labels_and_shares_of_categories():
    fitted = HistGradientBoostingClassifier(**SMALL).fit(MISSING, np.digitize(Y, [0, 4]))
    model = compile_pipeline(fitted, like=MISSING)
    assert model.predict(MISSING).tolist() == fitted.predict(MISSING).tolist()
    np.testing.assert_allclose(model.predict_proba(MISSING), fitted.predict_proba(MISSING), rtol=1e-14)
