"""Transformers and estimators of everyday notebooks: rules, functions by row, dates, look-up tables, held models."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

# --- loans: rules, and a score card that adds points


class RiskRules(BaseEstimator, TransformerMixin):
    """A risk class by rules, and flags."""

    def fit(self, X, y=None):
        self.typical_amount_ = X["amount"].median()
        return self

    def transform(self, X):
        check_is_fitted(self)
        df = X.copy()
        ratio = df["debt"] / (df["income"].fillna(0) + 1)
        conditions = [
            (df["late_payments"] >= 3) | (ratio > 2),
            (df["late_payments"] > 0) & (df["amount"] > self.typical_amount_),
            df["income"].isna(),
            df["employed"] & (df["age"] >= 25),
        ]
        df["risk"] = np.select(conditions, ["high", "medium", "unknown", "low"], default="normal")
        df["points"] = np.select(conditions, [40, 20, 15, 0], default=10)
        df["long_term"] = df["term_months"] > 36
        df["own_home"] = df["purpose"].eq("house") & ~df["employed"]
        return df[["risk", "points", "late_payments", "long_term", "own_home"]]


class ScoreCard(BaseEstimator, ClassifierMixin):
    """Points against a cut that splits the training rows best."""

    def fit(self, X, y):
        X, y = np.asarray(X, dtype=float), np.asarray(y)
        self.classes_ = np.unique(y)
        bad = y == self.classes_[1]
        self.weights_ = np.round(X[bad].mean(axis=0) - X[~bad].mean(axis=0), 2)
        points = X @ self.weights_
        self.cut_ = (points[bad].mean() + points[~bad].mean()) / 2
        return self

    def predict(self, X):
        points = np.asarray(X, dtype=float) @ self.weights_
        return np.where(points > self.cut_, self.classes_[1], self.classes_[0])


# --- patients: functions by value and by row


def bmi_class(bmi):
    """Underweight, normal, overweight or obese."""
    if pd.isna(bmi):
        return "unknown"
    if bmi < 18.5:
        group = "under"
    elif bmi < 25:
        group = "normal"
    elif bmi < 30:
        group = "over"
    else:
        group = "obese"
    return group


def risk_of(row):
    """Smokers who weigh much, and old ones, are at risk."""
    if row["smoker"] == "yes" and row["bmi"] > 30:
        return 3
    if row["smoker"] == "yes" or row["age"] > 60:
        return 2
    if row["children"] > 2:
        return 1
    return 0


class BodyFeatures(BaseEstimator, TransformerMixin):
    """Body mass and what follows from it."""

    def fit(self, X, y=None):
        self.height_ = X["height_cm"].mean()
        return self

    def transform(self, X):
        X = X.copy()
        X["bmi"] = X["weight_kg"] / (X["height_cm"].fillna(self.height_) / 100) ** 2
        X["bmi_class"] = X["bmi"].apply(bmi_class)
        X["risk"] = X.apply(risk_of, axis=1)
        X["load"] = X.apply(lambda row: row["age"] * 2 if row["risk"] > 1 else row["age"], axis=1)
        X["smoker"] = X["smoker"].map(lambda s: 1 if s == "yes" else 0)
        X["region"] = X["region"].map(lambda r: r.strip().lower()[:5])
        X["age_decade"] = X["age"].apply(lambda age: min(int(age // 10), 7))
        return X


# --- shipments: days between dates


class ShipmentDates(BaseEstimator, TransformerMixin):
    """How long things took, and when they happened."""

    def fit(self, X, y=None):
        days = (X["delivered"] - X["ordered"]).dt.days
        self.typical_days_ = days.median()
        self.start_ = X["ordered"].min()
        return self

    def transform(self, X):
        X = X.copy()
        X["ordered"] = pd.to_datetime(X["ordered"])
        days = (X["delivered"] - X["ordered"]).dt.days
        out = pd.DataFrame(
            {
                "days": days.fillna(self.typical_days_),
                "open": X["delivered"].isnull().astype(int),
                "hours_to_ship": (X["shipped"] - X["ordered"]).dt.total_seconds() / 3600,
                "same_day": (X["shipped"].dt.date == X["ordered"].dt.date).astype(int),
                "month": X["ordered"].dt.month,
                "quarter": X["ordered"].dt.quarter,
                "day_of_year": X["ordered"].dt.dayofyear,
                "month_end": X["ordered"].dt.is_month_end,
                "christmas": (X["ordered"].dt.month == 12) & (X["ordered"].dt.day >= 10),
                "since_start": (X["ordered"] - self.start_) / pd.Timedelta(days=1),
                "late_2023": (X["ordered"] > pd.Timestamp("2023-06-30")).astype(int),
            },
            index=X.index,
        )
        return pd.concat([out, X[["carrier", "weight", "price", "express"]]], axis=1)


# --- functions in a ColumnTransformer


def log_plus_one(X):
    """Logarithms of amounts; negative ones count as zero."""
    return np.log1p(np.maximum(X, 0))


def column_ratio(X):
    """The first column by the second."""
    return X[:, [0]] / X[:, [1]]


def weight_bands(X, edges=(1.0, 5.0, 20.0)):
    """The band of each weight."""
    return X.assign(weight=np.digitize(X["weight"], edges))


class FlagColumns(BaseEstimator, TransformerMixin):
    """Yes and no as 1 and 0, whatever way they are written."""

    def fit(self, X, y=None):
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        return self

    def transform(self, X):
        return X.apply(lambda col: col.astype(str).str.lower().isin(["true", "yes", "y", "1"])).astype(int)

    def get_feature_names_out(self, input_features=None):
        return self.feature_names_in_


# --- sales: a table that was learned


class StoreProfile(BaseEstimator, TransformerMixin):
    """What a store sold in the training rows."""

    def fit(self, X, y):
        frame = X[["store", "item", "price"]].assign(units=np.asarray(y))
        self.stores_ = (
            frame.groupby("store", as_index=False)
            .agg(store_units=("units", "mean"), store_price=("price", "median"), store_rows=("units", "size"))
        )  # fmt: skip
        self.items_ = frame.groupby(["store", "item"])["units"].mean().rename("pair_units").reset_index()
        self.fill_ = {"store_units": frame["units"].mean(), "store_price": frame["price"].median(), "store_rows": 0}
        return self

    def transform(self, X):
        X = X.merge(self.stores_, on="store", how="left")
        X = pd.merge(X, self.items_, how="left", on=["store", "item"])
        X = X.fillna(self.fill_)
        X["pair_units"] = X["pair_units"].fillna(X["store_units"])
        X["relative_price"] = X["price"] / X["store_price"]
        X["promo_week"] = X["promo"].astype(int) * (X["date"].dt.isocalendar().week.astype(int) % 4 == 0)
        return X.drop(columns=["store", "item", "date"])


# --- a scaler and a model inside a step, and a library class with more


class BaselineFeature(BaseEstimator, TransformerMixin):
    """What a simple model says, as a column."""

    def __init__(self, columns):
        self.columns = columns

    def fit(self, X, y):
        self.scaler_ = StandardScaler()
        self.model_ = LinearRegression()
        self.model_.fit(self.scaler_.fit_transform(X[self.columns]), y)
        return self

    def transform(self, X):
        X = X.copy()
        scaled = self.scaler_.transform(X[self.columns])
        X["baseline"] = self.model_.predict(scaled)
        X["far_out"] = (np.abs(scaled) > 2).any(axis=1).astype(int)
        X["per_head"] = X["baseline"] / X["population"]
        return X


class FrameScaler(StandardScaler):
    """A StandardScaler that returns a frame, cut at three deviations."""

    def transform(self, X, copy=None):
        scaled = super().transform(X, copy=copy)
        return pd.DataFrame(scaled, columns=self.feature_names_in_, index=X.index).clip(-3, 3).add_suffix("_z")


class NumbersOnly(BaseEstimator, TransformerMixin):
    """The columns of numbers, without gaps."""

    def fit(self, X, y=None):
        self.columns_ = [c for c in X.columns if X[c].dtype in ("int64", "float64")]
        self.means_ = X[self.columns_].mean()
        return self

    def transform(self, X):
        missing = set(self.columns_) - set(X.columns)
        if missing:
            raise ValueError(f"columns are missing: {missing}")
        return X[self.columns_].fillna(self.means_)


class HandmadeRidge(BaseEstimator, RegressorMixin):
    """Least squares with a penalty, never below the smallest target."""

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def fit(self, X, y):
        X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
        self.center_ = X.mean(axis=0)
        self.spread_ = X.std(axis=0) + 1e-9
        Z = (X - self.center_) / self.spread_
        self.coef_ = np.linalg.solve(Z.T @ Z + self.alpha * np.eye(Z.shape[1]), Z.T @ (y - y.mean()))
        self.intercept_ = y.mean()
        self.floor_ = y.min()
        return self

    def predict(self, X):
        Z = (np.asarray(X, dtype=float) - self.center_) / self.spread_
        return np.maximum(Z.dot(self.coef_) + self.intercept_, self.floor_)


# --- trips: distances, and a target on another scale


class TripDistance(BaseEstimator, TransformerMixin):
    """Kilometres as the crow flies, and along the streets of a grid."""

    def fit(self, X, y=None):
        self.centre_ = (X["pickup_lat"].median(), X["pickup_lon"].median())
        return self

    @staticmethod
    def haversine(lat1, lon1, lat2, lon2):
        lat1, lon1, lat2, lon2 = map(np.radians, [lat1, lon1, lat2, lon2])
        a = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
        return 6371 * 2 * np.arcsin(np.sqrt(a))

    def transform(self, X):
        X = X.copy()
        X["km"] = self.haversine(X["pickup_lat"], X["pickup_lon"], X["dropoff_lat"], X["dropoff_lon"])
        X["from_centre"] = self.haversine(X["pickup_lat"], X["pickup_lon"], *self.centre_)
        X["manhattan"] = abs(X["dropoff_lat"] - X["pickup_lat"]) + abs(X["dropoff_lon"] - X["pickup_lon"])
        X["hour"] = X["pickup"].dt.hour
        X["vendor"] = X["vendor"].astype("category").cat.set_categories(["alpha", "beta"]).cat.codes
        X["flag"] = X.pop("stored").astype(int)
        del X["pickup"]
        return X


def to_log(y):
    """Minutes on the scale of the model."""
    return np.log(y + 1)


def from_log(y):
    """Minutes again, whole seconds."""
    return np.round(np.exp(y) - 1, 2)


# --- reviews: arrays of counts


class TextSelector(BaseEstimator, TransformerMixin):
    """One column of text."""

    def __init__(self, key):
        self.key = key

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[self.key].fillna("")


class TextCounts(BaseEstimator, TransformerMixin):
    """Counts per text, as an array."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        counts = np.zeros((X.shape[0], 4))
        counts[:, 0] = X.str.len()
        counts[:, 1] = X.apply(lambda text: len(text.split()))
        counts[:, 2] = X.str.count(r"[A-Z]")
        counts[:, 3] = X.apply(lambda text: text.count("!") + text.count("?"))
        return counts


class KeywordFlags(BaseEstimator, TransformerMixin):
    """Whether a text has a word."""

    def __init__(self, words=("refund", "broken", "love")):
        self.words = words

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        lower = X.str.lower().str.replace(r"[^a-z ]", "", regex=True)
        return np.column_stack([lower.apply(lambda text, w=word: int(w in text)) for word in self.words])
