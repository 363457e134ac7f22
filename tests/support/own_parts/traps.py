"""Steps of own code that a careless recorder would get wrong in silence, as people write them.

`RIGHT` are recorded; `REFUSED` cannot be, each with some words of the message. `X` trains them, `NEW` is unseen.
"""
# ruff: noqa: B023, B905, E711, RET504, RUF005, SIM401

import functools
import itertools
import operator

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

NUMBERS = ["a", "c", "size"]
LOGS = {"log": np.log1p, "sqrt": np.sqrt}


def _training(rows=60):
    r = np.random.RandomState(1)
    return pd.DataFrame(
        {
            "a": r.randint(-5, 9, rows),
            "b": np.where(r.rand(rows) < 0.25, np.nan, np.round(r.randn(rows) * 3, 1)),
            "c": np.round(r.rand(rows) * 10, 2),
            "big": r.randint(2**52, 2**53, rows),
            "t": pd.Series(r.choice(["x", "y", "nan", "", " A b", "ß", None], rows), dtype="str"),
            "g": pd.Series(r.choice(["u", "v", "w"], rows), dtype="str"),
            "f": r.rand(rows) < 0.5,
            "d": (pd.to_datetime("2019-12-30") + pd.to_timedelta(r.randint(0, 800, rows), "D")).astype(
                "datetime64[us]"
            ),
            "size": r.randint(0, 5, rows),
            "values": r.rand(rows),
            "count": r.randint(0, 3, rows),
        }
    )


X = _training()
X["d"] = X["d"].where(X["a"] > -4)
NEW = pd.DataFrame(
    {
        "a": [0, -1, 2**31, 7, 1],
        "b": [-0.0, np.nan, 1e300, 0.5, 2.5],
        "c": [0.0, 5.5, -1.0, 1e-300, 10.0],
        "big": [2**53 + 1, 2**53 - 1, 2**53, 1, 0],
        "t": pd.Series(["unseen", "nan", None, "", "İ"], dtype="str"),
        "g": pd.Series(["v", "zz", "u", "w", ""], dtype="str"),
        "f": [True, False, True, False, True],
        "d": pd.to_datetime(["1969-12-31", "2020-02-29", None, "2100-01-01", "2020-01-01"]).astype("datetime64[us]"),
        "size": [3, 0, 1, 2, 9],
        "values": [0.1, 0.2, 0.3, 0.4, 0.5],
        "count": [1, 1, 1, 1, 2],
    }
)
STATE = {
    "mean_": X[["a", "c"]].mean(),
    "std_": X[["a", "c"]].std(),
    "sc_": StandardScaler().fit(X[NUMBERS]),
    "ohe_": OneHotEncoder(handle_unknown="ignore").fit(X[["g"]]),
    "lin_": LinearRegression().fit(X[NUMBERS], X["c"]),
    "list_": [StandardScaler().fit(X[["a"]]), StandardScaler().fit(X[["c"]])],
    "dict_": {"a": StandardScaler().fit(X[["a"]]), "c": MinMaxScaler().fit(X[["c"]])},
    "table_": X.groupby("g")["c"].mean(),
    "frame_": X.groupby("g")[["c", "a"]].mean().reset_index(),
    "edges_": np.array([0, 2.0, 5.0]),
}


def add_z(df):
    df["z"] = df["a"] * 2


def pick(kind):
    return {"log": np.log1p, "id": lambda v: v}[kind]


def alias_frame(self, X):
    Y = X
    Y["a"] = 0
    return X[["a"]]


def alias_column(self, X):
    X = X.copy()
    c = X["a"]
    c += 1
    return X.assign(z=c)[["a", "z"]]


def alias_column_inplace_rows(self, X):
    X = X.copy()
    c = X["b"]
    c[c > 0] = 0.0
    return X.assign(z=c)[["b", "z"]]


def view_to_numpy(self, X):
    v = X[["b", "c"]].to_numpy(copy=True)
    w = v[:, 0]
    w[np.isnan(w)] = 0.0
    return v


def view_ravel(self, X):
    v = X[["c"]].to_numpy(copy=True)
    u = v.ravel()
    u *= 2
    return np.column_stack([v, u])


def chained_assign(self, X):
    X = X.copy()
    X["a"][X["a"] > 3] = 0
    return X[["a"]]


def chained_loc(self, X):
    X = X.copy()
    X[X["a"] > 3]["a"] = 0
    return X[["a"]]


def method_names(self, X):
    return pd.DataFrame({"p": X["size"] + X["values"], "q": X["count"]})


def method_attr3(self, X):
    return X[["a"]].assign(z=X.g)


def dup_columns_sum(self, X):
    Y = pd.concat([X[["a"]], X[["a"]] + 1], axis=1)
    return Y.sum(axis=1).to_frame("z")


def dup_select(self, X):
    Y = X[["a", "a", "b"]]
    Y.columns = ["p", "q", "r"]
    return Y


def int_columns(self, X):
    Y = X[["a", "b"]].copy()
    Y.columns = [0, 1]
    Y[2] = Y[0] + Y[1]
    return Y


def multiindex(self, X):
    Y = X[["a", "b"]].copy()
    Y.columns = pd.MultiIndex.from_tuples([("k", "a"), ("k", "b")])
    Z = Y["k"]
    return Z


def reorder(self, X):
    return X[sorted(X.columns, reverse=True)][["g", "a"]].reindex(columns=["a", "zz", "g"], fill_value=0)


def mutable_default(self, X, acc=[]):  # noqa: B006
    acc = acc + [1]
    return X[["a"]].assign(n=len(acc))


def late_closures(self, X):
    fs = [lambda c: c * i for i in range(3)]
    return X[["a"]].assign(z=fs[0](X["a"]), y=fs[1](X["a"]))


def nan_truth(self, X):
    return X[["a"]].assign(z=X["b"].astype(bool))


def nan_truth_map(self, X):
    return X[["a"]].assign(z=X["b"].map(lambda v: 1 if v else 0))


def nan_or(self, X):
    return X[["a"]].assign(z=X["b"].map(lambda v: v or 5.0))


def text_or(self, X):
    return X[["a"]].assign(z=X["t"].map(lambda v: v or "none"))


def neg_zero(self, X):
    return X[["a"]].assign(z=1 / (X["a"] * -0.0), y=-(X["c"] * 0))


def neg_zero_max(self, X):
    return pd.DataFrame({"z": np.maximum(X["b"], -0.0), "y": X["b"].clip(lower=0.0)})


def overflow_mul(self, X):
    return pd.DataFrame({"z": X["big"] * X["big"]})


def overflow_square(self, X):
    return pd.DataFrame({"z": X["big"] ** 2})


def float_2_53(self, X):
    return pd.DataFrame({"z": X["big"] / 3, "y": X["big"] + 0.5, "x": X["big"].astype(float) + 1})


def int_eq_float(self, X):
    return pd.DataFrame(
        {"z": X["big"] == X["big"].astype(float), "y": X["big"] > 2.0**53, "w": X["big"].isin([2.0**53])}
    )


def div_zero(self, X):
    return pd.DataFrame({"z": X["a"] / X["size"], "y": X["c"] // X["size"].astype(float), "x": X["c"] % 0.0})


def div_zero_row(self, X):
    return pd.DataFrame({"z": X.apply(lambda row: row["c"] / row["b"] if row["b"] else -1, axis=1)})


def div_zero_python(self, X):
    return pd.DataFrame({"z": X["size"].map(lambda v: 1 / v if v != 0 else 0.0)})


def div_numpy(self, X):
    return pd.DataFrame(
        {"z": np.divide(X["a"], X["size"]), "y": np.floor_divide(X["c"], 0.0), "x": np.remainder(X["a"], 3)}
    )


def string_nan(self, X):
    return pd.DataFrame({"z": X["t"].astype(str) + "_x", "y": X["t"].fillna("nan") == "nan", "w": X["t"] == "nan"})


def none_vs_nan(self, X):
    return pd.DataFrame({"z": X["t"].map(lambda v: v is None), "y": X["t"].isna()})


def none_eq(self, X):
    return pd.DataFrame({"z": X["t"] == None, "y": X["b"] != np.nan})


def unicode(self, X):
    return pd.DataFrame({"z": X["t"].str.upper(), "y": X["t"].str.lower().str.len(), "w": X["t"].str.title()})


def nat_compare(self, X):
    return pd.DataFrame(
        {
            "z": X["d"] > pd.Timestamp("2020-06-01"),
            "y": X["d"] != X["d"],
            "w": (X["d"] - pd.Timestamp("2020-01-01")).dt.days,
        }
    )


def bool_missing(self, X):
    m = X["b"].where(X["b"].notna()).gt(0)
    return pd.DataFrame({"z": X["c"].where(m, -1.0), "y": X["f"].where(X["b"] > 0)})


def bool_missing2(self, X):
    m = X["f"].where(X["b"] > 0)
    return pd.DataFrame({"z": X["c"].where(m.fillna(False).astype(bool), 0.0)})


def bool_sub(self, X):
    return X[["a"]].assign(z=(X["a"] > 3).astype(int) - (X["size"] > 1))


def np_where_nan_text(self, X):
    return X[["a"]].assign(z=np.where(X["a"] > 3, X["g"], np.nan))


def np_where_int_nan(self, X):
    return X[["a"]].assign(z=np.where(X["a"] > 3, X["a"], np.nan), y=np.where(X["f"], X["big"], 0.5))


def np_where_bool_int(self, X):
    return X[["a"]].assign(z=np.where(X["a"] > 3, True, X["a"]))


def np_select(self, X):
    return X[["a"]].assign(
        z=np.select([X["a"] > 3, X["a"] > 0], ["hi", "mid"], "lo"), y=np.select([X["a"] > 3], [X["c"]], 0)
    )


def not_empty(self, X):
    if not X["a"].empty:
        X = X.assign(z=1)
    return X[["z"]]


def sum_gen(self, X):
    return X[["a"]].assign(z=sum(X[c] for c in ["a", "b", "c"]))


def reduce_or(self, X):
    return X[["a"]].assign(
        z=functools.reduce(operator.or_, [X[c] > 0 for c in ["a", "b", "c"]]),
        y=functools.reduce(np.maximum, [X[c] for c in ["a", "b", "c"]]),
    )


def zip_star(self, X):
    a, b = zip(*[(X[c], X[c] * 2) for c in ["a", "c"]])
    return pd.DataFrame({"z": a[0] + b[1]})


def itertools_prod(self, X):
    X = X.copy()
    for m, n in itertools.product(["a"], ["c", "size"]):
        X[m + n] = X[m] * X[n]
    return X[["ac", "asize"]]


def insert_pop(self, X):
    X = X.copy()
    p = X.pop("a")
    X.insert(0, "a", p * 2)
    return X[["a", "c"]]


def inplace_fillna(self, X):
    X = X.copy()
    X["b"].fillna(0, inplace=True)
    return X[["b"]]


def inplace_clip(self, X):
    X = X.copy()
    c = X["c"]
    c.clip(0, 1, inplace=True)
    return X.assign(z=c)[["c", "z"]]


def iadd_array(self, X):
    v = X["c"].to_numpy()
    v = v.copy()
    w = v
    w += 1
    return pd.DataFrame({"v": v, "w": w})


def astype_int(self, X):
    return pd.DataFrame({"z": X["c"].astype(int), "y": (X["c"] * -1.7).astype("int64")})


def map_bool_and(self, X):
    return pd.DataFrame({"z": X["g"].map({"u": True, "v": False}).fillna(False).astype(bool) & X["f"]})


def map_floatkeys(self, X):
    return pd.DataFrame(
        {"z": X["a"].map({1.0: "one", 2: "two"}), "y": X["c"].map({1: "one"}), "w": X["f"].map({1: "t", 0: "f"})}
    )


def replace_chain(self, X):
    return pd.DataFrame({"z": X["g"].replace({"u": "v", "v": "w"}), "y": X["a"].replace({1: 2, 2: 3})})


def isin_mixed(self, X):
    return pd.DataFrame({"z": X["a"].isin([1, "2", 3.0]), "y": X["b"].isin([np.nan]), "w": X["t"].isin([None, "x"])})


def between(self, X):
    return pd.DataFrame(
        {
            "z": X["b"].between(-1, 1, inclusive="left"),
            "y": pd.cut(X["c"], [0, 2, 5, 10], labels=False),
            "x": pd.cut(X["c"], [0, 2, 5, 10], labels=["l", "m", "h"]).astype(str),
        }
    )


def digitize_nan(self, X):
    return pd.DataFrame({"z": np.digitize(X["b"], [-1, 0, 1])})


def row_is_none(self, X):
    return pd.DataFrame({"z": X["t"].map(lambda v: "none" if v is None else v)})


def row_isinstance(self, X):
    return pd.DataFrame({"z": X["t"].map(lambda v: len(v) if isinstance(v, str) else -1)})


def row_in_list(self, X):
    return pd.DataFrame(
        {
            "z": X["g"].map(lambda v: v in ["u", "v"]),
            "y": X["b"].map(lambda v: v in (np.nan, 1.0)),
            "w": X["a"].map(lambda v: v in range(3)),
        }
    )


def row_chain(self, X):
    return pd.DataFrame({"z": X["b"].map(lambda v: 0 < v < 2), "y": X["b"].map(lambda v: not v > 1)})


def row_try(self, X):
    def f(v):
        try:
            return float(v)
        except ValueError:
            return -1.0

    return pd.DataFrame({"z": X["t"].map(f)})


def frame_div_state(self, X):
    return (X[["a", "c"]] - self.mean_) / self.std_


def frame_div_state_order(self, X):
    return X[["c", "a"]] - self.mean_


def mask_values(self, X):
    X = X.copy()
    X.loc[X["a"] > 0, "z"] = X["c"]
    return X[["z"]]


def mask_np(self, X):
    X = X.copy()
    v = X["c"].values.copy()
    v[X["a"].values > 0] = 0
    X["c"] = v
    return X[["c"]]


def iloc_cols(self, X):
    return X.iloc[:, [0, 2]].assign(z=X.iloc[:, -1])


def pipe_chain(self, X):
    return X.pipe(lambda d: d.assign(z=lambda e: e["a"] * 2)).pipe(lambda d: d[["z"]])


def guard_dtype(self, X):
    if X["g"].dtype == object:
        return X[["a"]]
    return X[["a"]] + 1


def scalers_in_list(self, X):
    return np.hstack([t.transform(X[[c]]) for t, c in zip(self.list_, ["a", "c"])])


def scalers_in_dict(self, X):
    X = X.copy()
    for c, t in self.dict_.items():
        X[c] = t.transform(X[[c]])
    return X[["a", "c"]]


def encoder(self, X):
    return self.ohe_.transform(X[["g"]]).toarray()


def coefficients(self, X):
    return X[["a"]].assign(z=X[NUMBERS].to_numpy() @ self.lin_.coef_ + self.lin_.intercept_)


def looked_up_in_series(self, X):
    return X[["a"]].assign(z=X["g"].apply(lambda v: self.table_[v] if v in self.table_ else 0.0))


def changed_by_helper(self, X):
    X = X.copy()
    add_z(X)
    return X[["z"]]


def loop_over_frames(self, X):
    X = X.copy()
    Y = X[["a"]].copy()
    for d in [X, Y]:
        d["z"] = d["a"] + 1
    return Y


def dispatched(self, X):
    return X[["a"]].assign(z=pick("log")(X["size"]), y=LOGS["sqrt"](X["size"]))


def loop_over_state(self, X):
    X = X.copy()
    X["z"] = 0.0
    for w, v in self.table_.items():
        X.loc[X["g"] == w, "z"] = v
    return X[["z"]]


def loop_over_fitted_rows(self, X):
    X = X.copy()
    X["z"] = 0.0
    for _, r in self.frame_.iterrows():
        X.loc[X["g"] == r["g"], "z"] = r["c"]
    return X[["z"]]


def indexed_array(self, X):
    return X[["a"]].assign(z=self.edges_[X["size"].clip(0, 2)])


def negative_modulo(self, X):
    return X[["a"]].assign(z=X["a"] % 3, y=X["a"] // -3, w=X["a"] % -3, v=X["c"] % -0.7)


def overflow_int32(self, X):
    return pd.DataFrame({"z": X["a"].astype("int32") * 100000})


def div_zero_int(self, X):
    return pd.DataFrame({"z": X["a"] // X["size"]})


def mod_zero_int(self, X):
    return pd.DataFrame({"z": X["a"] % X["size"]})


def nat_year(self, X):
    return pd.DataFrame(
        {"z": X["d"].dt.year, "y": X["d"].dt.month.fillna(0).astype(int), "w": X["d"].dt.year.astype(str)}
    )


def precedence2(self, X):
    return X[["a"]].assign(z=X["a"] > 3 & X["size"])


def max_builtin(self, X):
    return X.assign(z=max(X["a"], 0))


def or_builtin(self, X):
    return X.assign(z=X["a"] or 0)


def any_gen(self, X):
    return X[["a"]].assign(z=any(X[c] > 0 for c in ["a", "b"]))


def zip_rows(self, X):
    return X[["a"]].assign(z=[x + y for x, y in zip(X["a"], X["c"])])


def concat_range(self, X):
    Y = pd.DataFrame(X[["a"]].to_numpy(), columns=["z"])
    return pd.concat([X[["a"]], Y], axis=1)


def assign_range(self, X):
    X = X.copy()
    X["z"] = pd.Series(X["a"].to_numpy())
    return X[["z"]]


def assign_reset(self, X):
    X = X.copy()
    X["z"] = X["a"].reset_index(drop=True)
    return X[["z"]]


def index_col(self, X):
    return X[["a"]].assign(z=X.index)


def row_state(self, X):
    seen = []

    def f(v):
        seen.append(v)
        return len(seen)

    return pd.DataFrame({"z": X["a"].map(f)})


def row_while(self, X):
    def f(v):
        n = 0
        while v > 1:
            v = v / 2
            n += 1
        return n

    return pd.DataFrame({"z": X["c"].map(f)})


def apply_col_stat(self, X):
    return X[["a", "c"]].apply(lambda col: col - col.min())


def series_align(self, X):
    return pd.DataFrame({"z": X["a"] + X[X["a"] > 0]["a"]})


def cumulative(self, X):
    return X[["a"]].assign(z=X["a"].cumsum())


def np_mean_axis0(self, X):
    return X[["a", "c"]].to_numpy() - np.mean(X[["a", "c"]].to_numpy(), axis=0)


def np_sort_default(self, X):
    return pd.DataFrame({"z": np.sort(X["a"])})


def np_unique(self, X):
    return pd.DataFrame({"z": np.unique(X["a"], return_inverse=True)[1]})


def np_float32(self, X):
    return pd.DataFrame({"z": X["c"].astype(np.float32) * 3, "y": X["c"].astype("float32").astype(float)})


def categorical(self, X):
    return pd.DataFrame({"z": X["g"].astype("category").cat.codes})


def days(self, X):
    return pd.DataFrame({"z": (X["d"] - X["d"].min()).dt.days})


def transposed_twice(self, X):
    return X[["a", "c"]].T.T


def guard_len(self, X):
    if len(X) == 1:
        return X[["a"]] * 0
    return X[["a"]]


def guard_nunique(self, X):
    if X["g"].nunique() > 2:
        return X[["a"]]
    return X[["a"]] + 1


def method_attr(self, X):
    return X[["a"]].assign(z=X.size)


def array_without_index(self, X):
    return pd.concat([X[["g"]], pd.DataFrame(self.sc_.transform(X[NUMBERS]), columns=NUMBERS)], axis=1)


def attribute_set(self, X):
    X = X.copy()
    X.brandnew = X.a * 2
    return X[["a"]]


def columns_by_statistic(self, X):
    return X.loc[:, X.nunique() > 1]


def threads(self, X):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as p:
        cols = list(p.map(lambda c: X[c] * 2, ["a", "c"]))
    return pd.concat(cols, axis=1)


def numpy_out(self, X):
    out = np.zeros(len(X))
    np.add(X["a"], 1, out=out)
    return X[["a"]].assign(z=out)


def loop_over_rows(self, X):
    out = []
    for _, r in X.iterrows():
        out.append(r["a"] * 2)
    return pd.DataFrame({"z": out})


def returns_dict(self, X):
    return {"a": X["a"]}


def returns_nothing(self, X):
    X["a"] = 1


RIGHT = [
    alias_frame,
    alias_column,
    alias_column_inplace_rows,
    view_to_numpy,
    view_ravel,
    chained_assign,
    chained_loc,
    method_names,
    method_attr3,
    dup_columns_sum,
    dup_select,
    int_columns,
    multiindex,
    reorder,
    mutable_default,
    late_closures,
    nan_truth,
    nan_truth_map,
    nan_or,
    text_or,
    neg_zero,
    neg_zero_max,
    overflow_mul,
    overflow_square,
    float_2_53,
    int_eq_float,
    div_zero,
    div_zero_row,
    div_zero_python,
    div_numpy,
    string_nan,
    none_vs_nan,
    none_eq,
    unicode,
    nat_compare,
    bool_missing,
    bool_missing2,
    bool_sub,
    np_where_nan_text,
    np_where_int_nan,
    np_where_bool_int,
    np_select,
    not_empty,
    sum_gen,
    reduce_or,
    zip_star,
    itertools_prod,
    insert_pop,
    inplace_fillna,
    inplace_clip,
    iadd_array,
    astype_int,
    map_bool_and,
    map_floatkeys,
    replace_chain,
    isin_mixed,
    between,
    digitize_nan,
    row_is_none,
    row_isinstance,
    row_in_list,
    row_chain,
    row_try,
    frame_div_state,
    frame_div_state_order,
    mask_values,
    mask_np,
    iloc_cols,
    pipe_chain,
    guard_dtype,
    scalers_in_list,
    scalers_in_dict,
    encoder,
    coefficients,
    looked_up_in_series,
    changed_by_helper,
    loop_over_frames,
    dispatched,
    loop_over_state,
    loop_over_fitted_rows,
    indexed_array,
    negative_modulo,
]
REFUSED = [
    (overflow_int32, "wrap around"),
    (div_zero_int, "a 0 changes the dtype"),
    (mod_zero_int, "a 0 changes the dtype"),
    (nat_year, "'1' in one batch is '1.0' in another"),
    (precedence2, "`&` of integers"),
    (max_builtin, "each row may take another branch"),
    (or_builtin, "each row may take another branch"),
    (any_gen, "each row may take another branch"),
    (zip_rows, "a loop over a Series"),
    (concat_range, "another index"),
    (assign_range, "another index"),
    (assign_reset, "another index"),
    (index_col, "the labels of the rows"),
    (row_state, "depend on the rows before"),
    (row_while, "no fixed number of paths"),
    (apply_col_stat, "for one row it would answer otherwise"),
    (series_align, "another index"),
    (cumulative, "rows before and after"),
    (np_mean_axis0, "for one row it would answer otherwise"),
    (np_sort_default, "depends on the batch"),
    (np_unique, "for one row it would answer otherwise"),
    (np_float32, "fewer bits"),
    (categorical, "depend on the rows at hand"),
    (days, "for one row it would answer otherwise"),
    (transposed_twice, "rows become columns"),
    (guard_len, "the number of rows"),
    (guard_nunique, "for one row it would answer otherwise"),
    (method_attr, "`size` of a DataFrame"),
    (array_without_index, "another index"),
    (attribute_set, "write X['brandnew'] = value"),
    (columns_by_statistic, "for one row it would answer otherwise"),
    (threads, "made in `transform`"),
    (numpy_out, "in place"),
    (loop_over_rows, "whole columns"),
    (returns_dict, "columns computed from the row are expected"),
    (returns_nothing, "columns computed from the row are expected"),
]
