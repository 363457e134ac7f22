"""Transformers like those of well-known courses: houses, the Titanic, districts, shared bikes, phone contracts."""

import re

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

# --- houses: years, grades, rare labels


class YearsSince(BaseEstimator, TransformerMixin):
    """Years between a year and the year of the sale."""

    def __init__(self, variables, reference_variable):
        if not isinstance(variables, list):
            raise TypeError("variables should be a list")
        self.variables = variables
        self.reference_variable = reference_variable

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X = X.copy()
        for feature in self.variables:
            X[feature] = X[self.reference_variable] - X[feature]
        return X


class GradeMapper(BaseEstimator, TransformerMixin):
    """Grades in words as numbers, by a dict."""

    def __init__(self, variables, mappings):
        self.variables = variables
        self.mappings = mappings

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X = X.copy()
        for feature in self.variables:
            X[feature] = X[feature].fillna("Missing").map(self.mappings)
        return X


class DropFeatures(BaseEstimator, TransformerMixin):
    """Leave columns out."""

    def __init__(self, features):
        self.features = features

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X = X.copy()
        X.drop(self.features, axis=1, inplace=True)
        return X


class RareLabels(BaseEstimator, TransformerMixin):
    """Labels that are rare in the training rows become one."""

    def __init__(self, variables, tol=0.05):
        self.variables = variables
        self.tol = tol

    def fit(self, X, y=None):
        self.frequent_labels_ = {}
        for var in self.variables:
            shares = X[var].value_counts() / len(X)
            self.frequent_labels_[var] = list(shares[shares > self.tol].index)
        return self

    def transform(self, X):
        X = X.copy()
        for var in self.variables:
            X[var] = np.where(X[var].isin(self.frequent_labels_[var]), X[var], "Rare")
        return X


class Dummies(BaseEstimator, TransformerMixin):
    """Dummy columns, those of the training rows."""

    def fit(self, X, y=None):
        self.columns_ = pd.get_dummies(X).columns
        return self

    def transform(self, X):
        return pd.get_dummies(X).reindex(columns=self.columns_, fill_value=0).astype(float)


# --- the Titanic: cabins, titles, ages


def first_cabin(cabins):
    """The first of several cabins."""
    parts = cabins.split()
    return parts[0] if len(parts) > 1 else cabins


class CabinFeatures(BaseEstimator, TransformerMixin):
    """The first cabin, its deck, and how many there are."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X = X.copy()
        X["Cabin"] = X["Cabin"].fillna("M")
        X["CabinCount"] = X["Cabin"].apply(lambda cabins: 0 if cabins == "M" else len(cabins.split(" ")))
        X["Cabin"] = X["Cabin"].apply(first_cabin)
        X["Deck"] = X["Cabin"].str[0]
        X["Room"] = pd.to_numeric(X["Cabin"].str.extract(r"(\d+)", expand=False), errors="coerce").fillna(0)
        return X.drop("Cabin", axis=1)


class TitleFeatures(BaseEstimator, TransformerMixin):
    """The title out of the name; rare ones are one."""

    rare = ["Dr", "Rev", "Major", "Col", "Lady", "Sir", "Countess", "Don", "Capt", "Jonkheer"]  # noqa: RUF012

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        df = X.copy()
        df["Title"] = df["Name"].str.extract(r" ([A-Za-z]+)\.", expand=False)
        df["Title"] = df["Title"].replace(self.rare, "Rare")
        df["Title"] = df["Title"].replace({"Mlle": "Miss", "Ms": "Miss", "Mme": "Mrs"})
        df["Title"] = df["Title"].fillna("Unknown")
        df["NameLength"] = df["Name"].str.len()
        df["TicketPrefix"] = df["Ticket"].map(lambda ticket: "X" if ticket.isdigit() else "P")
        return df.drop(columns=["Name", "Ticket"])


def title_of(name):
    """Mr, Mrs, Miss, Master, or other."""
    found = re.search(r",\s*([A-Za-z]+)\.", name)
    if found is None:
        return "Other"
    title = found.group(1)
    if title in ["Mlle", "Ms"]:
        title = "Miss"
    elif title == "Mme":
        title = "Mrs"
    elif title not in ["Mr", "Mrs", "Miss", "Master"]:
        title = "Other"
    return title


class AgeFromTitle(BaseEstimator, TransformerMixin):
    """Missing ages are the median age of the title and class."""

    def fit(self, X, y=None):
        titles = X["Name"].apply(title_of).rename("Title")
        self.median_ = X["Age"].median()
        self.medians_ = X.groupby([titles, "Pclass"])["Age"].median().dropna().to_dict()
        return self

    def _age(self, row):
        if pd.isnull(row["Age"]):
            return self.medians_.get((row["Title"], row["Pclass"]), self.median_)
        return row["Age"]

    def transform(self, X):
        X = X.copy()
        X["Title"] = X["Name"].apply(title_of)
        X["Age"] = X.apply(self._age, axis=1)
        X["Young"] = X["Age"].apply(lambda age: 1 if age < 18 else 0)
        return X[["Pclass", "Sex", "Age", "Young", "Title", "Fare"]]


# --- districts: selected columns, ratios by position

ROOMS, BEDROOMS, POPULATION, HOUSEHOLDS = 3, 4, 5, 6


class FrameSelector(BaseEstimator, TransformerMixin):
    """Columns of a frame, as an array."""

    def __init__(self, attribute_names):
        self.attribute_names = attribute_names

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[self.attribute_names].values


class RatioAdder(BaseEstimator, TransformerMixin):
    """Ratios of columns by their position."""

    def __init__(self, bedrooms_ratio=True):
        self.bedrooms_ratio = bedrooms_ratio

    def fit(self, X, y=None):
        return self

    def transform(self, X, y=None):
        rooms_per_household = X[:, ROOMS] / X[:, HOUSEHOLDS]
        people_per_household = X[:, POPULATION] / X[:, HOUSEHOLDS]
        if self.bedrooms_ratio:
            return np.c_[X, rooms_per_household, people_per_household, X[:, BEDROOMS] / X[:, ROOMS]]
        return np.c_[X, rooms_per_household, people_per_household]


# --- houses again: gaps, skewed numbers, outliers


class MissingFlags(BaseEstimator, TransformerMixin):
    """A flag for each gap, then medians and a word in the gaps."""

    def fit(self, X, y=None):
        numbers = X.select_dtypes(include="number").columns
        self.texts_ = X.select_dtypes(exclude="number").columns.tolist()
        self.medians_ = X[numbers].median()
        self.with_gaps_ = [col for col in numbers if X[col].isnull().sum() > 0]
        return self

    def transform(self, X):
        X = X.copy()
        for col in self.with_gaps_:
            X[col + "_na"] = np.where(X[col].isnull(), 1, 0)
        X = X.fillna(self.medians_)
        X[self.texts_] = X[self.texts_].fillna("Missing")
        return X


class HouseFeatures(BaseEstimator, TransformerMixin):
    """Sums, flags, and logarithms of the columns that are skewed."""

    def __init__(self, threshold=0.75):
        self.threshold = threshold

    def _add(self, X):
        X = X.copy()
        X["TotalSF"] = X["TotalBsmtSF"] + X["1stFlrSF"] + X["2ndFlrSF"]
        X["TotalBath"] = X["FullBath"] + 0.5 * X["HalfBath"]
        X["HasGarage"] = X["GarageYrBlt"].notnull().astype(int)
        X["Has2ndFloor"] = X["2ndFlrSF"].apply(lambda x: 1 if x > 0 else 0)
        X["WasRemodeled"] = (X["YearRemodAdd"] != X["YearBuilt"]).astype(int)
        X["QualitySF"] = X["OverallQual"] * X["TotalSF"]
        return X.drop(columns=["GarageYrBlt", "LotFrontage"])

    def fit(self, X, y=None):
        numeric = self._add(X).select_dtypes(include=[np.number])
        skewness = numeric.skew()
        self.skewed_ = skewness[abs(skewness) > self.threshold].index
        self.numeric_ = numeric.columns
        return self

    def transform(self, X):
        X = self._add(X)[self.numeric_]
        X[self.skewed_] = np.log1p(X[self.skewed_])
        return X


class OutlierHandler(BaseEstimator, TransformerMixin):
    """Values beyond 1.5 interquartile ranges are set to the bounds."""

    def __init__(self, variables, factor=1.5):
        self.variables = variables
        self.factor = factor

    def fit(self, X, y=None):
        self.bounds_ = {}
        for col in self.variables:
            q1, q3 = X[col].quantile(0.25), X[col].quantile(0.75)
            iqr = q3 - q1
            self.bounds_[col] = (q1 - self.factor * iqr, q3 + self.factor * iqr)
        return self

    def transform(self, X):
        df = X.copy()
        for col in self.variables:
            lower, upper = self.bounds_[col]
            df[col + "_outlier"] = ~df[col].between(lower, upper)
            df[col] = np.where(df[col] > upper, upper, np.where(df[col] < lower, lower, df[col]))
        return df


# --- shared bikes: week days, weather, circles


class WeekdayImputer(BaseEstimator, TransformerMixin):
    """A missing name of the day comes from the date."""

    def __init__(self, date="dteday", weekday="weekday"):
        self.date = date
        self.weekday = weekday

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X = X.copy()
        X[self.date] = pd.to_datetime(X[self.date], format="%Y-%m-%d")
        names = X[self.date].dt.day_name().str[:3]
        X[self.weekday] = X[self.weekday].fillna(names)
        X["mnth"] = X[self.date].dt.month
        X["yr"] = X[self.date].dt.year - 2011
        return X.drop(self.date, axis=1)


class WeatherImputer(BaseEstimator, TransformerMixin):
    """Missing weather is the most frequent one; then words become numbers."""

    weather = {"Clear": 0, "Mist": 1, "Light Rain": 2, "Heavy Rain": 3}  # noqa: RUF012
    days = {"Sun": 0, "Mon": 1, "Tue": 2, "Wed": 3, "Thu": 4, "Fri": 5, "Sat": 6}  # noqa: RUF012

    def fit(self, X, y=None):
        self.fill_value = X["weathersit"].mode()[0]
        return self

    def transform(self, X):
        X = X.copy()
        X["weathersit"] = X["weathersit"].fillna(self.fill_value).map(self.weather).astype(int)
        X["weekday"] = X["weekday"].map(self.days)
        X["workingday"] = (X["workingday"] == "Yes").astype(int)
        X["holiday"] = X["holiday"].map({"Yes": 1, "No": 0})
        X["weekend"] = X["weekday"].isin([0, 6]) * 1
        return X


class CyclicFeatures(BaseEstimator, TransformerMixin):
    """Each column as a point on a circle."""

    def __init__(self, periods):
        self.periods = periods

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X = X.copy()
        for col, period in self.periods.items():
            X[f"{col}_sin"] = np.sin(2 * np.pi * X[col] / period)
            X[f"{col}_cos"] = np.cos(2 * np.pi * X[col] / period)
            X.drop(columns=[col], inplace=True)
        return X


# --- phone contracts

SERVICES = ["PhoneService", "OnlineSecurity", "OnlineBackup", "TechSupport", "StreamingTV"]


class ChurnFeatures(BaseEstimator, TransformerMixin):
    """What a contract costs, how long it has run, how many services it has."""

    def fit(self, X, y=None):
        self.median_monthly_ = X["MonthlyCharges"].median()
        return self

    def transform(self, X):
        X = X.copy()
        X["TotalCharges"] = pd.to_numeric(X["TotalCharges"], errors="coerce").fillna(0)
        for col in ["Partner", "PaperlessBilling"]:
            X[col] = X[col].map({"Yes": 1, "No": 0})
        X["num_services"] = (X[SERVICES] == "Yes").sum(axis=1)
        for col in SERVICES:
            X[col] = X[col].replace({"No internet service": "No"})
            X[col] = X[col].apply(lambda x: 1 if x == "Yes" else 0)
        X["avg_monthly"] = X["TotalCharges"] / X["tenure"].replace(0, 1)
        X["tenure_group"] = pd.cut(
            X["tenure"],
            bins=[-1, 12, 24, 48, 72],
            labels=["0-1y", "1-2y", "2-4y", "4-6y"],
        )
        X["tenure_group"] = X["tenure_group"].astype(str)
        X["is_new"] = X["tenure"] < 6
        X["expensive"] = X["MonthlyCharges"] > self.median_monthly_
        X["auto_pay"] = X["PaymentMethod"].str.contains("automatic").astype(int)
        return X
