"""Ten own transformers, written before anything that reads them existed."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin


class FamilyFeatures(BaseEstimator, TransformerMixin):
    """Who travels with whom, and what each of them paid."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X = X.copy()
        X["FamilySize"] = X["SibSp"] + X["Parch"] + 1
        X["IsAlone"] = (X["FamilySize"] == 1).astype(int)
        X["HasCabin"] = X["Cabin"].notnull().astype(int)
        X["FarePerPerson"] = X["Fare"] / X["FamilySize"]
        X["IsChild"] = 0
        X.loc[X["Age"] < 16, "IsChild"] = 1
        X["Sex"] = X["Sex"].map({"male": 0, "female": 1})
        return X.drop(["SibSp", "Parch", "Cabin", "Name", "Ticket", "Embarked"], axis=1)


class DateParts(BaseEstimator, TransformerMixin):
    """Calendar parts of every date column."""

    def __init__(self, columns):
        self.columns = columns

    def fit(self, X, y=None):
        self.first_day_ = {col: X[col].min() for col in self.columns}
        return self

    def transform(self, X):
        X = X.copy()
        for col in self.columns:
            X[f"{col}_year"] = X[col].dt.year
            X[f"{col}_month"] = X[col].dt.month
            X[f"{col}_day"] = X[col].dt.day
            X[f"{col}_dow"] = X[col].dt.dayofweek
            X[f"{col}_weekend"] = X[col].dt.dayofweek.isin([5, 6]).astype(int)
            X[f"{col}_age_days"] = (X[col] - self.first_day_[col]).dt.days
        return X.drop(columns=self.columns)


class GroupMedianImputer(BaseEstimator, TransformerMixin):
    """Fill gaps with the median of the row's group, else with the median of all rows."""

    def __init__(self, group, columns):
        self.group = group
        self.columns = columns

    def fit(self, X, y=None):
        self.medians_ = X.groupby(self.group)[self.columns].median()
        self.overall_ = X[self.columns].median()
        return self

    def transform(self, X):
        X = X.copy()
        for col in self.columns:
            X[col + "_was_missing"] = X[col].isna().astype(int)
            X[col] = X[col].fillna(X[self.group].map(self.medians_[col])).fillna(self.overall_[col])
        return X


class QuantileClipper(BaseEstimator, TransformerMixin):
    """Cut outliers off at quantiles of the training rows."""

    def __init__(self, lower=0.01, upper=0.99):
        self.lower = lower
        self.upper = upper

    def fit(self, X, y=None):
        self.columns_ = X.select_dtypes("number").columns.tolist()
        self.low_ = X[self.columns_].quantile(self.lower)
        self.high_ = X[self.columns_].quantile(self.upper)
        return self

    def transform(self, X):
        out = X.copy()
        out[self.columns_] = out[self.columns_].clip(self.low_, self.high_, axis=1)
        return out


class TextStats(BaseEstimator, TransformerMixin):
    """Cheap numbers about a free text."""

    def __init__(self, column, keywords=("refund", "broken", "great")):
        self.column = column
        self.keywords = keywords

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        text = X[self.column].fillna("").str.lower().str.strip()
        out = X.drop(columns=[self.column])
        out["n_chars"] = text.str.len()
        out["n_words"] = text.str.split().str.len()
        out["n_exclaims"] = text.str.count("!")
        out["chars_per_word"] = out["n_chars"] / (out["n_words"] + 1)
        for word in self.keywords:
            out["has_" + word] = text.str.contains(word, regex=False).astype(int)
        return out


class FrequencyEncoder(BaseEstimator, TransformerMixin):
    """Replace a category by its share of the training rows."""

    def __init__(self, columns):
        self.columns = columns

    def fit(self, X, y=None):
        self.freq_ = {c: X[c].value_counts(normalize=True).to_dict() for c in self.columns}
        return self

    def transform(self, X):
        X = X.copy()
        for c in self.columns:
            X[c] = X[c].map(self.freq_[c]).fillna(0)
        return X


class TimeOfDay(BaseEstimator, TransformerMixin):
    """The hour on a circle, and flags for the rush."""

    def __init__(self, column="pickup"):
        self.column = column

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        hour = X[self.column].dt.hour + X[self.column].dt.minute / 60
        weekday = X[self.column].dt.weekday
        return X.drop(columns=self.column).assign(
            hour_sin=np.sin(2 * np.pi * hour / 24),
            hour_cos=np.cos(2 * np.pi * hour / 24),
            rush=((weekday < 5) & (hour.between(7, 9) | hour.between(16, 19))).astype(int),
            night=((hour >= 22) | (hour < 5)).astype(int),
        )


class LoanRatios(BaseEstimator, TransformerMixin):
    """Money ratios a credit analyst would look at."""

    def fit(self, X, y=None):
        self.income_median_ = X["income"].median()
        return self

    def transform(self, X):
        df = X.copy()
        df["income"] = df["income"].fillna(self.income_median_)
        df["debt_to_income"] = np.where(df["income"] > 0, df["debt"] / df["income"].replace(0, np.nan), 0)
        df["log_income"] = np.log1p(df["income"])
        df["instalment"] = df["amount"] / df["term_months"]
        df["burden"] = (12 * df["instalment"] / (df["income"] + 1)).round(3)
        df["big_loan"] = df["amount"] > 3 * df["income"]
        df["grade_num"] = df["grade"].map({"A": 1, "B": 2, "C": 3, "D": 4}).fillna(5).astype(int)
        return df.drop(columns=["grade"])


class AgeBands(BaseEstimator, TransformerMixin):
    """Ages and fares in bands: fixed for the age, learned for the fare."""

    def fit(self, X, y=None):
        _, edges = pd.qcut(X["Fare"], 4, retbins=True, duplicates="drop")
        edges[0], edges[-1] = -np.inf, np.inf
        self.fare_edges_ = edges
        return self

    def transform(self, X):
        X = X[["Pclass", "Sex", "Age", "Fare"]].copy()
        X["AgeBand"] = pd.cut(
            X["Age"],
            bins=[0, 12, 18, 35, 60, np.inf],
            labels=["child", "teen", "young", "adult", "senior"],
        ).astype(str)
        X["FareBand"] = pd.cut(X["Fare"], bins=self.fare_edges_, labels=False)
        X["AgeClass"] = X["Age"].fillna(-1) * X["Pclass"]
        return X


class TargetMeanEncoder(BaseEstimator, TransformerMixin):
    """The smoothed mean of the target per category."""

    def __init__(self, columns, smoothing=10):
        self.columns = columns
        self.smoothing = smoothing

    def fit(self, X, y):
        y = pd.Series(np.asarray(y), index=X.index)
        self.prior_ = y.mean()
        self.maps_ = {}
        for col in self.columns:
            stats = y.groupby(X[col]).agg(["mean", "count"])
            weight = stats["count"] / (stats["count"] + self.smoothing)
            self.maps_[col] = weight * stats["mean"] + (1 - weight) * self.prior_
        return self

    def transform(self, X):
        encoded = pd.DataFrame(index=X.index)
        for col in X.columns:
            if col in self.columns:
                encoded[col + "_te"] = X[col].map(self.maps_[col]).fillna(self.prior_)
            else:
                encoded[col] = X[col]
        return encoded
