"""Raw tables of the examples, drawn from a seed: passengers, houses, districts, bikes, contracts, loans and more."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

Table = tuple[pd.DataFrame, np.ndarray]


def _some(rng: np.random.RandomState, rows: int, words: Sequence[str | None], p: Sequence[float] | None = None) -> list:
    """Words, None among them for a missing one."""
    return [words[i] for i in rng.choice(len(words), rows, p=p)]


def _gaps(rng: np.random.RandomState, values: np.ndarray, share: float) -> np.ndarray:
    return np.where(rng.rand(len(values)) < share, np.nan, values)


def _dates(rng: np.random.RandomState, rows: int, first: str, minutes: int) -> pd.Series:
    moments = np.datetime64(first, "us") + rng.randint(0, minutes, rows).astype("timedelta64[m]")
    return pd.Series(moments.astype("datetime64[us]"))


def passengers(rows: int, seed: int = 1) -> Table:
    """Passengers of a ship, and whether they survived."""
    rng = np.random.RandomState(seed)
    sex = np.array(_some(rng, rows, ["male", "female"], [0.6, 0.4]))
    age = np.round(rng.gamma(4, 8, rows).clip(0.4, 80), 1)
    titles = np.where(sex == "male", _some(rng, rows, ["Mr", "Mr", "Mr", "Master", "Dr", "Rev"]), "")
    titles = np.where(sex == "female", _some(rng, rows, ["Miss", "Miss", "Mrs", "Mlle", "Mme", "Lady"]), titles)
    last = _some(rng, rows, ["Braund", "Cumings", "Heikkinen", "Allen", "Moran", "McCarthy", "van der Berg"])
    given = _some(rng, rows, ["Owen Harris", "Laina", "William Henry", "James", "Elisabeth (Anna Berg)"])
    pclass = rng.choice([1, 2, 3], rows, p=[0.25, 0.25, 0.5])
    cabins = _some(rng, rows, [None, "C85", "E46", "C23 C25 C27", "B57 B59", "G6", "D", "F G73"], [0.65, *[0.05] * 7])
    X = pd.DataFrame(
        {
            "Pclass": pclass,
            "Name": [f"{a}, {t}. {b}" for a, t, b in zip(last, titles, given, strict=True)],
            "Sex": sex,
            "Age": _gaps(rng, age, 0.2),
            "SibSp": rng.choice([0, 1, 2, 4], rows, p=[0.65, 0.25, 0.07, 0.03]),
            "Parch": rng.choice([0, 1, 2], rows, p=[0.75, 0.15, 0.1]),
            "Ticket": _some(rng, rows, ["113803", "A/5 21171", "PC 17599", "347082", "STON/O2. 3101282"]),
            "Fare": np.round(rng.gamma(1.2, 60, rows) / pclass, 4),
            "Cabin": cabins,
            "Embarked": _some(rng, rows, ["S", "C", "Q", None], [0.7, 0.18, 0.1, 0.02]),
        }
    )
    lucky = (sex == "female") * 1.6 - 0.5 * pclass - 0.01 * age + rng.randn(rows) * 0.6
    return X, (lucky > -0.4).astype(np.int64)


def houses(rows: int, seed: int = 2) -> Table:
    """Houses and their prices."""
    rng = np.random.RandomState(seed)
    built = rng.randint(1890, 2009, rows)
    first, second = rng.randint(400, 2200, rows), rng.choice([0, 1], rows) * rng.randint(300, 1300, rows)
    quality = rng.randint(2, 11, rows)
    grades = ["Ex", "Gd", "TA", "Fa"]
    towns = ["NAmes", "CollgCr", "OldTown", "Edwards", "Somerst", "Veenker", "Blueste"]
    X = pd.DataFrame(
        {
            "MSZoning": _some(rng, rows, ["RL", "RM", "FV", "RH", "C (all)"], [0.7, 0.17, 0.06, 0.04, 0.03]),
            "LotFrontage": _gaps(rng, rng.randint(21, 150, rows).astype(float), 0.17),
            "LotArea": np.round(np.exp(9 + 0.5 * rng.randn(rows))).astype(np.int64),
            "Neighborhood": _some(rng, rows, towns, [0.3, 0.2, 0.2, 0.15, 0.1, 0.03, 0.02]),
            "OverallQual": quality,
            "YearBuilt": built,
            "YearRemodAdd": np.maximum(built, rng.randint(1950, 2010, rows)),
            "ExterQual": _some(rng, rows, grades, [0.05, 0.33, 0.6, 0.02]),
            "BsmtQual": _some(rng, rows, [*grades, None], [0.1, 0.4, 0.4, 0.05, 0.05]),
            "TotalBsmtSF": rng.randint(0, 2000, rows),
            "1stFlrSF": first,
            "2ndFlrSF": second,
            "FullBath": rng.randint(1, 4, rows),
            "HalfBath": rng.randint(0, 2, rows),
            "GarageYrBlt": _gaps(rng, (built + rng.randint(0, 20, rows)).astype(float), 0.06),
            "CentralAir": _some(rng, rows, ["Y", "N"], [0.9, 0.1]),
            "YrSold": rng.randint(2006, 2011, rows),
        }
    )
    price = 9000 * quality + 55 * (first + second) + 200 * (built - 1890) + 9000 * rng.randn(rows)
    return X, np.round(price.clip(30000))


def districts(rows: int, seed: int = 3) -> Table:
    """Districts and the value of their houses."""
    rng = np.random.RandomState(seed)
    households = rng.randint(50, 1500, rows).astype(float)
    rooms = np.round(households * rng.uniform(3, 8, rows))
    income = np.round(rng.gamma(4, 1, rows) + 0.5, 4)
    X = pd.DataFrame(
        {
            "longitude": np.round(rng.uniform(-124, -114, rows), 2),
            "latitude": np.round(rng.uniform(32.5, 42, rows), 2),
            "housing_median_age": rng.randint(1, 53, rows).astype(float),
            "total_rooms": rooms,
            "total_bedrooms": _gaps(rng, np.round(rooms * rng.uniform(0.15, 0.3, rows)), 0.05),
            "population": np.round(households * rng.uniform(1.5, 5, rows)),
            "households": households,
            "median_income": income,
            "ocean_proximity": _some(rng, rows, ["INLAND", "<1H OCEAN", "NEAR BAY", "NEAR OCEAN"]),
        }
    )
    return X, np.round(40000 * income + 20000 * rng.randn(rows) + 60000, -2)


def bikes(rows: int, seed: int = 4) -> Table:
    """Hours of bikes that are shared, and how many were out."""
    rng = np.random.RandomState(seed)
    day = _dates(rng, rows, "2011-01-01", 60 * 24 * 730).dt.normalize()
    hour = rng.randint(0, 24, rows)
    names = day.dt.day_name().str[:3].where(pd.Series(rng.rand(rows) > 0.1))
    temp = np.round(15 + 10 * rng.randn(rows), 1)
    X = pd.DataFrame(
        {
            "dteday": day.dt.strftime("%Y-%m-%d"),
            "season": _some(rng, rows, ["spring", "summer", "fall", "winter"]),
            "hr": hour,
            "holiday": _some(rng, rows, ["No", "Yes"], [0.96, 0.04]),
            "weekday": names,
            "workingday": _some(rng, rows, ["Yes", "No"], [0.7, 0.3]),
            "weathersit": _some(
                rng, rows, ["Clear", "Mist", "Light Rain", "Heavy Rain", None], [0.6, 0.2, 0.1, 0.05, 0.05]
            ),
            "temp": temp,
            "hum": np.round(rng.uniform(20, 100, rows), 1),
            "windspeed": np.round(rng.gamma(2, 7, rows), 4),
        }
    )
    return X, np.round(100 + 80 * np.sin(hour / 24 * 6.28) + 3 * temp + 20 * rng.rand(rows))


def contracts(rows: int, seed: int = 5) -> Table:
    """Phone contracts, and who left."""
    rng = np.random.RandomState(seed)
    tenure = rng.randint(0, 73, rows)
    monthly = np.round(rng.uniform(18, 118, rows), 2)
    yes = ["Yes", "No"]
    internet = ["Yes", "No", "No internet service"]
    ways = ["Electronic check", "Mailed check", "Bank transfer (automatic)", "Credit card (automatic)"]
    kinds = _some(rng, rows, ["Month-to-month", "One year", "Two year"], [0.55, 0.2, 0.25])
    X = pd.DataFrame(
        {
            "SeniorCitizen": rng.randint(0, 2, rows),
            "Partner": _some(rng, rows, yes),
            "tenure": tenure,
            "PhoneService": _some(rng, rows, yes, [0.9, 0.1]),
            "OnlineSecurity": _some(rng, rows, internet),
            "OnlineBackup": _some(rng, rows, internet),
            "TechSupport": _some(rng, rows, internet),
            "StreamingTV": _some(rng, rows, internet),
            "Contract": kinds,
            "PaperlessBilling": _some(rng, rows, yes),
            "PaymentMethod": _some(rng, rows, ways),
            "MonthlyCharges": monthly,
            "TotalCharges": [" " if t == 0 else f"{t * m:.2f}" for t, m in zip(tenure, monthly, strict=True)],
        }
    )
    leaving = (np.array(kinds) == "Month-to-month") * 1.5 - tenure / 30 + monthly / 80 + rng.randn(rows)
    return X, np.where(leaving > 1, "Yes", "No")


def loans(rows: int, seed: int = 6) -> Table:
    """Loans, and which were not paid back."""
    rng = np.random.RandomState(seed)
    income = np.round(rng.gamma(3, 15000, rows) * (rng.rand(rows) > 0.03), -2)
    debt, late = np.round(rng.gamma(1.5, 12000, rows), 2), rng.poisson(0.8, rows)
    X = pd.DataFrame(
        {
            "age": rng.randint(18, 80, rows),
            "income": _gaps(rng, income, 0.1),
            "debt": debt,
            "amount": rng.randint(10, 600, rows) * 100,
            "term_months": rng.choice([12, 24, 36, 48, 60], rows),
            "grade": _some(rng, rows, ["A", "B", "C", "D", "E", None], [0.25, 0.25, 0.2, 0.15, 0.1, 0.05]),
            "purpose": _some(rng, rows, ["car", "house", "school", "other", "boat"], [0.3, 0.3, 0.2, 0.18, 0.02]),
            "employed": rng.rand(rows) < 0.8,
            "late_payments": late.astype(np.int64),
        }
    )
    return X, (late * 0.6 + debt / (income + 9000) + rng.randn(rows) * 0.5 > 1.4).astype(np.int64)


def shipments(rows: int, seed: int = 7) -> Table:
    """Shipments and what they cost."""
    rng = np.random.RandomState(seed)
    ordered = _dates(rng, rows, "2022-11-01", 60 * 24 * 420)
    shipped = ordered + pd.to_timedelta(rng.randint(20, 4000, rows), unit="m").astype("timedelta64[us]")
    delivered = shipped + pd.to_timedelta(rng.randint(600, 15000, rows), unit="m").astype("timedelta64[us]")
    weight, express = np.round(rng.gamma(1.5, 5, rows), 2), rng.rand(rows) < 0.3
    X = pd.DataFrame(
        {
            "ordered": ordered,
            "shipped": shipped,
            "delivered": delivered.where(pd.Series(rng.rand(rows) > 0.15)),
            "carrier": _some(rng, rows, ["north", "post", "swift", None], [0.4, 0.4, 0.15, 0.05]),
            "weight": weight,
            "price": np.round(rng.gamma(2, 40, rows), 2),
            "express": express,
            "insured": _some(rng, rows, ["yes", "no", "Y"]),
        }
    )
    return X, np.round(4 + 1.2 * weight + 6 * express + rng.rand(rows), 2)


def patients(rows: int, seed: int = 8) -> Table:
    """Patients and what their care cost."""
    rng = np.random.RandomState(seed)
    age, smoker = rng.randint(18, 80, rows), np.array(_some(rng, rows, ["yes", "no"], [0.25, 0.75]))
    weight = np.round(75 + 14 * rng.randn(rows), 1)
    X = pd.DataFrame(
        {
            "age": age,
            "sex": _some(rng, rows, ["female", "male"]),
            "height_cm": _gaps(rng, np.round(171 + 9 * rng.randn(rows)), 0.08),
            "weight_kg": _gaps(rng, weight, 0.05),
            "children": rng.poisson(1.1, rows).astype(np.int64),
            "smoker": smoker,
            "region": _some(rng, rows, ["Southwest", " southeast", "Northwest ", "northeast"]),
        }
    )
    return X, np.round(200 * age + 15000 * (smoker == "yes") + 50 * weight + 900 * rng.rand(rows), 2)


def reviews(rows: int, seed: int = 9) -> Table:
    """Reviews of products, and whether they were found helpful."""
    rng = np.random.RandomState(seed)
    words = [
        "I love it",
        "Great",
        "value",
        "broken",
        "refund please",
        "NEVER again",
        "works well",
        "ok thanks!",
        "why?",
    ]
    texts = [
        " ".join(rng.choice(words, rng.randint(1, 25))) + rng.choice(["", "!", "!!", ".", "  "]) for _ in range(rows)
    ]
    stars = rng.randint(1, 6, rows)
    X = pd.DataFrame(
        {
            "text": [None if rng.rand() < 0.05 else text for text in texts],
            "stars": stars,
            "price": np.round(rng.gamma(2, 20, rows), 2),
        }
    )
    return X, (np.array([len(text) for text in texts]) + 10 * stars + 20 * rng.randn(rows) > 90).astype(np.int64)


def sales(rows: int, seed: int = 10) -> Table:
    """Sales of items by store, and how many were sold."""
    rng = np.random.RandomState(seed)
    price = np.round(rng.uniform(1, 20, rows), 2)
    promo = rng.rand(rows) < 0.3
    X = pd.DataFrame(
        {
            "store": _some(rng, rows, ["north", "south", "harbour", "airport", "kiosk"], [0.35, 0.3, 0.2, 0.13, 0.02]),
            "item": _some(rng, rows, ["tea", "milk", "bread", "saffron"], [0.4, 0.3, 0.28, 0.02]),
            "date": _dates(rng, rows, "2023-01-01", 60 * 24 * 365).dt.normalize(),
            "price": price,
            "promo": promo,
        }
    )
    return X, np.round(60 - 2 * price + 15 * promo + 5 * rng.randn(rows))


def trips(rows: int, seed: int = 11) -> Table:
    """Trips by taxi, and how many minutes they took."""
    rng = np.random.RandomState(seed)
    lat, lon = 40.75 + 0.03 * rng.randn(rows, 2), -73.98 + 0.03 * rng.randn(rows, 2)
    X = pd.DataFrame(
        {
            "pickup": _dates(rng, rows, "2016-01-01", 60 * 24 * 180),
            "pickup_lat": lat[:, 0],
            "pickup_lon": lon[:, 0],
            "dropoff_lat": lat[:, 1],
            "dropoff_lon": lon[:, 1],
            "vendor": _some(rng, rows, ["alpha", "beta", "gamma"], [0.5, 0.48, 0.02]),
            "passengers": rng.randint(1, 7, rows),
            "stored": rng.rand(rows) < 0.05,
        }
    )
    minutes = 4 + 300 * (abs(lat[:, 0] - lat[:, 1]) + abs(lon[:, 0] - lon[:, 1])) + 3 * rng.rand(rows)
    return X, np.round(minutes, 2)
