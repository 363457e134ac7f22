"""The thirty pipelines of own code: name, pipeline, training rows, target, and rows that were never seen."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from own_code import course_notebooks as course
from own_code import first_ten as first
from own_code import habits, raw
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

TRAINING, NEW = 250, 50
LIBRARY = "own_code"  # the top-level module of the classes


@dataclass(frozen=True)
class Example:
    """A pipeline with own code, not fitted yet, and its rows; `written_first` before other people's code was read."""

    name: str
    pipeline: Callable[[], Pipeline]
    X: pd.DataFrame
    y: np.ndarray
    new: pd.DataFrame
    written_first: bool = False


def _example(name: str, pipeline: Callable[[], Pipeline], table: Callable[[int], raw.Table], *drop: str) -> Example:
    X, y = table(TRAINING + NEW)
    X = X.drop(columns=list(drop))
    new = X.iloc[TRAINING:].reset_index(drop=True)
    return Example(name, pipeline, X.iloc[:TRAINING], y[:TRAINING], new, len(EXAMPLES) < 10)


def _words(*columns: str) -> ColumnTransformer:
    """One column per word of the given columns; the others as they are."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer((encoder, list(columns)), remainder="passthrough")


def _codes(*columns: str) -> ColumnTransformer:
    """The words of the given columns as numbers; the others as they are."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_column_transformer((encoder, list(columns)), remainder="passthrough")


def _family() -> Pipeline:
    return make_pipeline(first.FamilyFeatures(), HistGradientBoostingClassifier(max_iter=15))


def _date_parts() -> Pipeline:
    parts = first.DateParts(["ordered", "shipped"])
    return make_pipeline(parts, _codes("carrier", "insured"), HistGradientBoostingRegressor(max_iter=15))


def _group_medians() -> Pipeline:
    fill = first.GroupMedianImputer("Neighborhood", ["LotFrontage", "GarageYrBlt"])
    words = _words("MSZoning", "Neighborhood", "ExterQual", "BsmtQual", "CentralAir")
    return make_pipeline(fill, words, StandardScaler(), Ridge())


def _quantiles() -> Pipeline:
    return make_pipeline(first.QuantileClipper(), _words("ocean_proximity"), SimpleImputer(), Ridge())


def _text_stats() -> Pipeline:
    return make_pipeline(first.TextStats("text"), StandardScaler(), LogisticRegression(max_iter=500))


def _frequencies() -> Pipeline:
    encode = first.FrequencyEncoder(["Contract", "PaymentMethod", "Partner"])
    services = _codes(*course.SERVICES, "PaperlessBilling")
    return make_pipeline(encode, services, DecisionTreeClassifier(max_depth=6, random_state=0))


def _time_of_day() -> Pipeline:
    return make_pipeline(first.TimeOfDay("pickup"), _words("vendor"), HistGradientBoostingRegressor(max_iter=15))


def _loan_ratios() -> Pipeline:
    return make_pipeline(first.LoanRatios(), _codes("purpose"), HistGradientBoostingClassifier(max_iter=15))


def _age_bands() -> Pipeline:
    return make_pipeline(first.AgeBands(), _words("Sex", "AgeBand"), SimpleImputer(), LogisticRegression(max_iter=900))


def _target_means() -> Pipeline:
    encode = first.TargetMeanEncoder(["store", "item"])
    return make_pipeline(encode, RandomForestRegressor(n_estimators=10, random_state=0))


def _house_years() -> Pipeline:
    grades = {"Ex": 4, "Gd": 3, "TA": 2, "Fa": 1, "Missing": 0}
    return Pipeline(
        [
            ("years", course.YearsSince(["YearBuilt", "YearRemodAdd", "GarageYrBlt"], "YrSold")),
            ("grades", course.GradeMapper(["ExterQual", "BsmtQual"], grades)),
            ("air", course.GradeMapper(["CentralAir"], {"Y": 1, "N": 0})),
            ("drop", course.DropFeatures(["YrSold", "MSZoning", "Neighborhood"])),
            ("gaps", SimpleImputer(strategy="median")),
            ("scale", StandardScaler()),
            ("model", Ridge(alpha=2.0)),
        ]
    )


def _rare_labels() -> Pipeline:
    texts = ["MSZoning", "Neighborhood", "ExterQual", "BsmtQual", "CentralAir"]
    drop = course.DropFeatures(["LotFrontage", "GarageYrBlt"])
    return make_pipeline(drop, course.RareLabels(texts), course.Dummies(), Ridge())


def _cabins() -> Pipeline:
    words = _words("Sex", "Embarked", "Deck", "Title", "TicketPrefix")
    gaps = SimpleImputer(strategy="median")
    model = LogisticRegression(max_iter=3000)
    return make_pipeline(course.CabinFeatures(), course.TitleFeatures(), words, gaps, StandardScaler(), model)


def _ages() -> Pipeline:
    return make_pipeline(course.AgeFromTitle(), _codes("Sex", "Title"), HistGradientBoostingClassifier(max_iter=15))


def _rooms() -> Pipeline:
    numbers = [column for column in raw.districts(1)[0] if column != "ocean_proximity"]
    numeric = Pipeline(
        [
            ("selector", course.FrameSelector(numbers)),
            ("imputer", SimpleImputer(strategy="median")),
            ("ratios", course.RatioAdder()),
            ("scaler", StandardScaler()),
        ]
    )
    texts = Pipeline(
        [
            ("selector", course.FrameSelector(["ocean_proximity"])),
            ("encoder", OneHotEncoder(handle_unknown="ignore", sparse_output=False)),
        ]
    )
    return Pipeline([("features", FeatureUnion([("num", numeric), ("cat", texts)])), ("model", LinearRegression())])


def _missing_flags() -> Pipeline:
    words = _words("MSZoning", "Neighborhood", "ExterQual", "BsmtQual", "CentralAir")
    return make_pipeline(course.MissingFlags(), words, DecisionTreeRegressor(max_depth=6, random_state=0))


def _skewed() -> Pipeline:
    return make_pipeline(course.HouseFeatures(), StandardScaler(), Ridge())


def _outliers() -> Pipeline:
    handler = course.OutlierHandler(["price", "weight"])
    return make_pipeline(handler, _codes("carrier", "insured"), HistGradientBoostingRegressor(max_iter=15))


def _bikes() -> Pipeline:
    return Pipeline(
        [
            ("weekday", course.WeekdayImputer()),
            ("weather", course.WeatherImputer()),
            ("cycles", course.CyclicFeatures({"hr": 24, "mnth": 12, "weekday": 7})),
            ("season", _words("season")),
            ("model", HistGradientBoostingRegressor(max_iter=15)),
        ]
    )


def _churn() -> Pipeline:
    words = _words("Contract", "PaymentMethod", "tenure_group")
    return make_pipeline(course.ChurnFeatures(), words, StandardScaler(), LogisticRegression(max_iter=900))


def _score_card() -> Pipeline:
    return make_pipeline(habits.RiskRules(), _words("risk"), habits.ScoreCard())


def _body() -> Pipeline:
    codes = _codes("sex", "region", "bmi_class")
    return make_pipeline(habits.BodyFeatures(), codes, HistGradientBoostingRegressor(max_iter=15))


def _shipment_dates() -> Pipeline:
    return make_pipeline(habits.ShipmentDates(), _words("carrier"), Ridge())


def _functions() -> Pipeline:
    ratio = make_pipeline(SimpleImputer(strategy="median"), FunctionTransformer(habits.column_ratio))
    columns = ColumnTransformer(
        [
            ("log", FunctionTransformer(habits.log_plus_one), ["price"]),
            ("ratio", ratio, ["price", "weight"]),
            ("bands", FunctionTransformer(habits.weight_bands, kw_args={"edges": [2.0, 8.0]}), ["weight"]),
            ("flags", habits.FlagColumns(), ["express", "insured"]),
        ]
    )
    return make_pipeline(columns, Ridge())


def _stores() -> Pipeline:
    return make_pipeline(habits.StoreProfile(), HistGradientBoostingRegressor(max_iter=15))


def _baseline() -> Pipeline:
    columns = ["median_income", "housing_median_age", "population"]
    return make_pipeline(
        habits.BaselineFeature(columns), _codes("ocean_proximity"), HistGradientBoostingRegressor(max_iter=15)
    )


def _frame_scaler() -> Pipeline:
    return make_pipeline(habits.NumbersOnly(), habits.FrameScaler(), LogisticRegression(max_iter=500))


def _handmade() -> Pipeline:
    return make_pipeline(habits.NumbersOnly(), habits.HandmadeRidge(alpha=3.0))


def _log_target() -> Pipeline:
    model = TransformedTargetRegressor(
        HistGradientBoostingRegressor(max_iter=15),
        func=habits.to_log,
        inverse_func=habits.from_log,
        check_inverse=False,
    )
    return make_pipeline(habits.TripDistance(), model)


def _review_text() -> Pipeline:
    text = make_pipeline(
        habits.TextSelector("text"), make_union(habits.TextCounts(), habits.KeywordFlags()), StandardScaler()
    )
    numbers = make_pipeline(course.FrameSelector(["stars", "price"]), StandardScaler())
    return Pipeline(
        [("features", FeatureUnion([("text", text), ("numbers", numbers)])), ("model", LogisticRegression())]
    )


EXAMPLES: list[Example] = []
for _one in (
    # written first
    ("family", _family, raw.passengers),
    ("date_parts", _date_parts, raw.shipments, "delivered"),
    ("group_medians", _group_medians, raw.houses),
    ("quantiles", _quantiles, raw.districts),
    ("text_stats", _text_stats, raw.reviews),
    ("frequencies", _frequencies, raw.contracts, "TotalCharges"),
    ("time_of_day", _time_of_day, raw.trips),
    ("loan_ratios", _loan_ratios, raw.loans),
    ("age_bands", _age_bands, raw.passengers),
    ("target_means", _target_means, raw.sales, "date"),
    # like those of courses
    ("house_years", _house_years, raw.houses),
    ("rare_labels", _rare_labels, raw.houses),
    ("cabins_and_titles", _cabins, raw.passengers),
    ("ages_by_title", _ages, raw.passengers),
    ("rooms_by_position", _rooms, raw.districts),
    ("missing_flags", _missing_flags, raw.houses),
    ("skewed_logs", _skewed, raw.houses),
    ("outliers", _outliers, raw.shipments, "ordered", "shipped", "delivered"),
    ("bikes", _bikes, raw.bikes),
    ("churn", _churn, raw.contracts),
    # habits of notebooks
    ("score_card", _score_card, raw.loans),
    ("body_by_row", _body, raw.patients),
    ("shipment_dates", _shipment_dates, raw.shipments),
    ("functions", _functions, raw.shipments, "ordered", "shipped", "delivered", "carrier"),
    ("store_tables", _stores, raw.sales),
    ("model_inside", _baseline, raw.districts),
    ("library_subclass", _frame_scaler, raw.loans),
    ("handmade_model", _handmade, raw.houses),
    ("log_target", _log_target, raw.trips),
    ("review_text", _review_text, raw.reviews),
):
    EXAMPLES.append(_example(*_one))
