"""Methods of recorded Series: what pandas gives for each dtype, bit for bit, on training rows and on edge rows."""

from collections import Counter, defaultdict

import numpy as np
import pandas as pd
import pytest
from dtype_frames import EDGES, TRAINING
from tracing import check, own_code, refusal

STATE = {
    "words": {"a": 1, "b": 2, "": 3},
    "counts": pd.Series({"a": 3.5, "b": 1.25}),
    "names": pd.Series(["one", "two"], index=["a", "b"]),
    "flags": {"a": True, "b": False},
    "default": defaultdict(int, {"a": 1, "b": 7}),
    "counter": Counter("aab"),
    "days": {pd.Timestamp("2020-01-01"): 1, pd.Timestamp("2000-02-29"): 2},
    "dates": {"a": pd.Timestamp("2020-05-01"), "b": pd.NaT},
    "grades": pd.CategoricalDtype(["b", "a", "unseen"], ordered=True),
}

EXACT = [
    # operators by name
    *("X['i'].add(X['j'])", "X['x'].sub(1)", "X['x'].rsub(1)", "X['x'].mul(X['y'], fill_value=0)"),
    *("X['x'].add(1, fill_value=0)", "X['x'].div(X['y'], fill_value=1)", "X['i'].rdiv(1)", "X['j'].rpow(2.0)"),
    *("X['x'].floordiv(2)", "X['i'].mod(3)", "X['x'].truediv(0)", "X['x'].eq(1.5)", "X['x'].lt(X['y'])"),
    *(
        "X['x'].ge(0, fill_value=3)",
        "X['i'].mul(3, fill_value=0.5)",
        "X['i'].add(X['x'], fill_value=0.5)",
        "X['t'].eq('a')",
        "X['t'].ne(X['u'])",
        "X['x'].add(X['i'], fill_value=2)",
    ),
    # missing values
    *("X['x'].isna()", "X['t'].isnull()", "X['d'].notna()", "X['c'].notnull()", "X['i'].isna()", "X['d'].isna()"),
    *(
        "X['x'].fillna(0)",
        "X['x'].fillna(X['y'])",
        "X['x'].fillna(X['i'])",
        "X['t'].fillna('none')",
        "X['t'].fillna(X['u'])",
    ),
    *("X['i'].fillna(0.5)", "X['b'].fillna(True)", "X['c'].fillna(False)", "X['c'].fillna(False).astype(bool)"),
    *(
        "X['d'].fillna(pd.Timestamp('2020-01-01'))",
        "X['d'].fillna(X['e'])",
        "X['x'].fillna(np.nan)",
        "X['t'].fillna(np.nan)",
    ),
    *("X['x'].fillna(value=X['x'] * 0 + 1)", "X['x'].combine_first(X['i'])", "X['t'].combine_first(X['u'])"),
    *("X['i'].combine_first(X['x'])", "(X['d'] - X['e']).fillna(pd.Timedelta(0))"),
    *("X['d'].fillna('2020-01-01')", "X['d'].where(X['b'], '2020-01-01')"),
    # conditions
    *("X['x'].where(X['x'] > 0)", "X['x'].where(X['i'] > 0, 0)", "X['x'].where(X['i'] > 0, X['y'])"),
    *(
        "X['i'].where(X['i'] > 0)",
        "X['i'].where(X['i'] > 0, 0)",
        "X['i'].where(X['i'] > 0, 0.5)",
        "X['t'].where(X['b'])",
    ),
    *(
        "X['t'].where(X['b'], 'no')",
        "X['b'].where(X['i'] > 0, False)",
        "X['b'].where(X['i'] > 0)",
        "X['d'].where(X['b'])",
    ),
    *("X['d'].where(X['b'], X['e'])", "X['x'].mask(X['x'] > 0)", "X['x'].mask(X['x'].isna(), X['i'])"),
    *("X['t'].mask(X['b'], X['u'])", "X['x'].where(lambda s: s > 0, 0)", "X['x'].mask(lambda s: s < 0, lambda s: -s)"),
    *("X['i'].mask(X['i'] < 0, np.nan)", "X['x'].where((X['x'] > 0).values, 0)"),
    # bounds and rounding
    *("X['x'].clip(0, 1)", "X['x'].clip(lower=0)", "X['x'].clip(upper=1)", "X['i'].clip(0, 2)", "X['i'].clip(0.5, 2)"),
    *(
        "X['i'].clip(lower=1.0)",
        "X['x'].clip(1, 0)",
        "X['x'].clip(np.nan, 1)",
        "X['x'].clip(X['i'], 2)",
        "X['x'].clip(None)",
    ),
    *("X['x'].clip(upper=X['y'])", "X['x'].clip(X['y'], X['i'])", "X['i'].clip(upper=X['x'])", "X['x'].clip(-0.0, 0)"),
    *("X['i'].clip(0, np.inf) % 3", "X['d'].clip(pd.Timestamp('2000-01-01'))", "X['x'].clip(lower=0.1, upper=0.3)"),
    *("X['x'].abs()", "X['i'].abs()", "X['b'].abs()", "(X['d'] - X['e']).abs()", "X['x'].round()", "X['x'].round(1)"),
    *(
        "X['x'].round(-1)",
        "X['i'].round(1)",
        "X['b'].round()",
        "round(X['x'], 2)",
        "round(X['x'])",
        "X['x'].round(decimals=3)",
    ),
    *("X['x'].between(0, 2)", "X['x'].between(0, 2, inclusive='left')", "X['i'].between(X['j'], 10)"),
    *("X['x'].between(-1, 1.5, inclusive='neither')", "X['d'].between('2000-01-01', '2020-01-01')"),
    # look-ups
    *(
        "X['i'].isin([3, 5])",
        "X['i'].isin([3.0, 5.5])",
        "X['i'].isin(['3'])",
        "X['i'].isin([True])",
        "X['i'].isin([3, 'a'])",
    ),
    *(
        "X['x'].isin([1.5, np.nan])",
        "X['x'].isin([None, 1.5])",
        "X['x'].isin([0])",
        "X['x'].isin(['1.5'])",
        "X['x'].isin([])",
    ),
    *("X['x'].isin([np.inf, -np.inf])", "X['x'].isin([True])", "X['t'].isin(['a', None])", "X['t'].isin({'a', 'b'})"),
    *("X['t'].isin(['a', np.nan])", "X['t'].isin([1, 'a'])", "X['t'].isin({'a': 1})", "X['t'].isin(('', 'x'))"),
    *("X['b'].isin([1])", "X['b'].isin([True])", "X['b'].isin(['True'])", "X['b'].isin([0.0])", "X['c'].isin([True])"),
    *(
        "X['c'].isin([1, 0])",
        "X['c'].isin([np.nan])",
        "X['d'].isin([pd.Timestamp('2020-01-01')])",
        "X['i'].isin(range(4))",
    ),
    *(
        "X['d'].isin([pd.Timestamp('2020-01-01'), pd.NaT])",
        "X['i'].isin(np.array([3, 12]))",
        "X['t'].isin(self.names.index)",
    ),
    *("X['t'].isin(pd.Series(['a', 'b']))", "X['x'].isin({1.5: 2}.keys())", "~X['t'].isin(['a'])"),
    *("X['t'].map(self.words)", "X['t'].map(self.counts)", "X['t'].map(self.names)", "X['t'].map(self.flags)"),
    *("X['t'].map(self.default)", "X['t'].map(self.counter)", "X['t'].map(self.dates)", "X['d'].map(self.days)"),
    *("X['t'].map({'a': 'x', 'b': None})", "X['t'].map({'a': 1, np.nan: 5})", "X['t'].map({'a': 1, None: 5})"),
    *("X['t'].map({'a': 1, np.nan: 5}, na_action='ignore')", "X['t'].map({})", "X['t'].map({'a': np.float64(1.5)})"),
    *(
        "X['i'].map({3: 'three', 0: 'zero'})",
        "X['i'].map({3.0: 1.5})",
        "X['i'].map({'3': 1})",
        "X['x'].map({1.5: 1, np.nan: 7})",
    ),
    *(
        "X['x'].map({0: 1})",
        "X['x'].map({np.inf: 1})",
        "X['b'].map({True: 1, False: 0})",
        "X['b'].map({True: 'y', False: 'n'})",
    ),
    *(
        "X['b'].map({True: 1})",
        "X['b'].map({True: False, False: True})",
        "X['b'].map({1: 1, 0: 0})",
        "X['c'].map({True: 1, False: 0})",
    ),
    *("X['c'].map({True: 'y', False: 'n'})", "X['c'].map({True: 5})", "X['t'].map(self.words).fillna(-1).astype(int)"),
    *(
        "X['x'].replace(1.5, 2)",
        "X['x'].replace([np.inf, -np.inf], np.nan)",
        "X['x'].replace(np.nan, 0)",
        "X['x'].replace({0: 9})",
    ),
    *(
        "X['x'].replace({1.5: np.nan, np.nan: 1.5})",
        "X['i'].replace({3: 5, 5: 3})",
        "X['i'].replace([3, 5], 0)",
        "X['i'].replace(3, 2.5)",
    ),
    *(
        "X['i'].replace(0, np.nan)",
        "X['i'].replace('3', 9)",
        "X['i'].replace(3.0, 9)",
        "X['x'].replace('a', 9)",
        "X['i'].replace(True, 9)",
    ),
    *(
        "X['t'].replace('a', 'z')",
        "X['t'].replace({'a': 'b', 'b': 'a'})",
        "X['t'].replace('', np.nan)",
        "X['t'].replace('a', None)",
    ),
    *(
        "X['t'].replace(np.nan, 'x')",
        "X['t'].replace(['a', 'b'], ['c', 'd'])",
        "X['t'].replace({'a': 'b', np.nan: 'q'})",
    ),
    *(
        "X['t'].replace(1, 'a')",
        "X['b'].replace({True: 1, False: 0})",
        "X['b'].replace({True: 'y', False: 'n'})",
        "X['b'].replace(1, 5)",
    ),
    *(
        "X['c'].replace({True: 1, False: 0})",
        "X['d'].replace(pd.Timestamp('2020-01-01'), pd.NaT)",
        "X['b'].replace(True, False)",
    ),
    *(
        "X['d'].replace(pd.NaT, pd.Timestamp('2020-01-01'))",
        "X['x'].replace({})",
        "X['x'].replace(to_replace=1.5, value=7)",
    ),
    *("X['t'].replace('[ab]', 'z', regex=True)", "X['t'].replace({'^a': 'z', 'b$': ''}, regex=True)"),
    *("X['t'].replace(r'^\\\\s*$', np.nan, regex=True)", "X['t'].replace({'a': 'b', 'b': 'c'}, regex=True)"),
    # dtypes
    *(
        "X['i'].astype(float)",
        "X['b'].astype(int)",
        "X['b'].astype(float)",
        "X['x'].astype(bool)",
        "X['i'].astype(bool)",
    ),
    *(
        "X['c'].astype(bool)",
        "X['c'].astype(float)",
        "X['t'].astype(bool)",
        "X['x'].fillna(0).clip(-1e9, 1e9).astype(int)",
        "X['j'].astype('int64')",
    ),
    *("X['i'].astype(str)", "X['x'].astype(str)", "X['b'].astype(str)", "X['c'].astype(str)", "X['t'].astype(str)"),
    *(
        "X['x'].astype('float32')",
        "X['i'].astype('int8')",
        "X['i'].astype('uint8')",
        "X['i'].astype('int32')",
        "X['i'].astype('uint16')",
    ),
    *(
        "X['x'].fillna(0).clip(-100, 100).astype('int8')",
        "X['t'].astype('category')",
        "X['i'].astype('category')",
        "X['x'].astype(object)",
    ),
    *(
        "X['t'].astype(object)",
        "X['t'].astype(self.grades)",
        "X['t'].astype(self.grades).cat.codes",
        "X['i'].astype(pd.CategoricalDtype([3, 0]))",
    ),
    *(
        "X['i'].astype(pd.CategoricalDtype([3, 0])).cat.codes",
        "X['t'].astype('category') == 'a'",
        "X['t'].astype('category').isin(['a'])",
    ),
    *(
        "X['t'].astype(self.grades).map(self.words)",
        "X['t'].astype('category').astype(str)",
        "X['t'].astype('category').isna()",
    ),
    *(
        "X['t'].astype('category').cat.set_categories(['a', 'b'])",
        "X['t'].astype(self.grades).fillna('b')",
        "X['i'].astype('category').astype(int)",
    ),
    *(
        "X['d'].astype('datetime64[us]')",
        "X['d'].astype('datetime64[s]')",
        "X['d'].astype('datetime64[ms]')",
        "X['d'].astype('datetime64[ns]')",
    ),
    *(
        "X['d'].astype('int64')",
        "X['d'].astype('int64') // 10**6",
        "X['i'].astype(np.float64)",
        "X['i'].astype('object')",
    ),
    *(
        "X['i'].astype(str).astype(int)",
        "X['x'].astype(str).astype(float)",
        "X['t'].fillna('x').isin(['a']).astype(int)",
    ),
    *("(X['d'] - X['e']).astype('int64')", "X['c'].fillna(0).astype(int)", "X['x'].notna().astype('int8')"),
    *("X['i'].where(X['b'], 0.5).astype(float).astype(str)", "X['i'].where(X['b'], 0.5).astype(float) ** 3 * 0"),
    *("X['i'].astype('Int64')", "X['x'].round().astype('Int64').fillna(0).astype(int)", "X['x'].astype('Float64')"),
    *("X['i'] * pd.api.types.is_numeric_dtype(X['x'])", "X['x'].astype('Float64').astype(float)"),
    # the column itself
    *(
        "X['i'].copy()",
        "X['i'].rename('q')",
        "X['i'].to_frame()",
        "X['i'].to_frame('q')",
        "X['i'].reset_index(drop=True)",
    ),
    *(
        "X['i'].transpose()",
        "X['i'].T",
        "X['i'].pipe(abs)",
        "X['i'].pipe(lambda s, k: s + k, 2)",
        "X['x'].values",
        "X['x'].to_numpy()",
    ),
    *(
        "X['x'].to_numpy(dtype=float)",
        "X['i'].to_numpy(dtype=float)",
        "X['c'].infer_objects()",
        "X['d'].values",
        "X['t'].to_numpy()",
    ),
    *(
        "pd.Series(X['x'].values, index=X.index, name=X['x'].name)",
        "X['i'] * X['i'].ndim",
        "X['i'] if len(X['i']) else X['x']",
    ),
    *(
        "X['i'] if X['i'].dtype == 'int64' else X['x']",
        "X['x'] if X['i'].empty else X['i']",
        "X['i'] + X['i'].shape.__len__()",
    ),
]


@pytest.mark.parametrize("text", EXACT)
def test_a_method_gives_what_pandas_gives(text: str) -> None:
    check(own_code(text), TRAINING, EDGES, state=STATE)


IN_PLACE = {
    "fillna": lambda s: s.fillna(0, inplace=True),
    "replace": lambda s: s.replace(1.5, 7, inplace=True),
    "clip": lambda s: s.clip(0, 1, inplace=True),
    "where": lambda s: s.where(s > 0, 0, inplace=True),
    "mask": lambda s: s.mask(s > 0, 0, inplace=True),
    "reset_index": lambda s: s.reset_index(drop=True, inplace=True),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_a_method_in_place_changes_the_column_and_no_frame(name: str) -> None:
    change = IN_PLACE[name]

    def transform(self: object, X: pd.DataFrame) -> pd.DataFrame:
        column = X["x"]
        change(column)
        return pd.DataFrame({"column": column.values, "frame": X["x"].values})

    check(transform, TRAINING, EDGES)


REFUSED = {
    "X['x'].mean()": "self.mean_ = X['a'].mean()",
    "X['x'].median()": "learn it in `fit`",
    "X['x'].std()": "learn it in `fit`",
    "X['x'].quantile(0.5)": "learn it in `fit`",
    "X['x'] - X['x'].min()": "self.min_",
    "X['x'].rank()": "np.searchsorted",
    "X['t'].value_counts()": "map(self.counts_)",
    "X['x'].shift(1)": "load",
    "X['x'].diff()": "load",
    "X['x'].cumsum()": "load",
    "X['x'].rolling(3)": "load",
    "X['x'].ffill()": "fillna(self.median_)",
    "X['x'].bfill()": "fillna(self.median_)",
    "X['x'].interpolate()": "fillna(self.median_)",
    "X['x'].sort_values()": "in its order",
    "X['x'].dropna()": "before the pipeline",
    "X['x'].drop_duplicates()": "before the pipeline",
    "X['x'].head(3)": "before the pipeline",
    "X['x'].groupby(X['t'])": "self.means_",
    "X['t'].factorize()": "self.codes_",
    "X['x'].describe()": "learn it in `fit`",
    "X['x'].corr(X['y'])": "learn it in `fit`",
    "X['x'].tolist()": "whole column",
    "X['x'].iloc[0]": "learn it in `fit`",
    "X['x'].nunique()": "learn it in `fit`",
    "X['x'].idxmax()": "learn it in `fit`",
    "X['x'].pct_change()": "load",
    "X['x'].sample(2)": "in its order",
    "X['t'].astype('category').cat.codes": "CategoricalDtype",
    "X['t'].astype('category').fillna('a')": "before astype('category')",
    "X['t'].map({'a': 1}).astype(str)": "'1' in one batch",
    "X['t'].map({'a': 1, 'b': 'x'})": "one dtype",
    "X['i'].map({True: 1})": "1 and 0 for numbers",
    "X['t'].map(X['u'])": "learn a dict",
    "X['t'].isin(X['u'])": "constants",
    "X['t'].astype(object).isin(['a', None])": "write np.nan",
    "X['d'].isin(['2020-01-01'])": "pd.Timestamp",
    "X['d'].isin([datetime.date(2020, 1, 1)])": "pd.Timestamp",
    "X['d'].astype(str)": "strftime",
    "(pd.cut(X['x'], [0, 1, 9], labels=False) - 1).astype(str)": "'1' in one batch",
    "X['x'].astype(object).astype(str)": "astype(float)",
    "X['i'].clip(X['x'], X['y']).astype(str)": "'1' in one batch",
    "X['t'].astype('string')": "astype(str)",
    "X['i'].astype('Int64') + 1": "astype(float)",
    "X['i'].astype('Int32')": "astype(float)",
    "X['i'] & 1": "column % 2 == 1",
    "X['d'].dt.strftime('%Y').astype('datetime64[us]')": "pd.to_datetime",
    "X['i'].squeeze()": "leave it out",
    "X['c'].map({1: 5})": "write True and False",
    "X['x'].fillna('none')": "one dtype",
    "X['x'].fillna(True)": "write 0 or 1",
    "X['x'].fillna({0: 1})": "constant or a column",
    "X['x'].fillna(0, limit=1)": "depends on the batch",
    "X['x'].where(X['x'] > 0, 'a')": "one dtype",
    "X['x'].where(X['c'])": "column == 1",
    "X['x'].astype('float32').fillna(0.1)": "astype(float)",
    "X['x'].replace(1.5, None)": "np.nan",
    "X['t'].astype('category').map(self.words)": "before it",
    "X['d'].dt.hour * 2**40": "does not hold",
    "X['d'].dt.hour.clip(0, 1e300)": "put into integers",
    "X['t'].map(self.flags) + X['b']": "astype(float)",
    "X['t'].replace(np.nan, 1)": "one dtype",
    "X['c'].replace(1, 5)": "astype(float)",
    "X['x'].map({None: 1})": "write np.nan",
    "X['t'] + X['u'].astype(object)": "astype(str)",
    "pd.cut(X['c'], [-1, 0, 1])": "astype(float)",
    "X['i'].replace({3: 'a', 5: 1})": "map",
    "X['i'].rename({0: 1})": "labels",
    "X['i'].reset_index()": "drop=True",
    "X['i'].round(-1)": "astype(float)",
    "X['x'].convert_dtypes()": "astype",
    "X['x'].unknown_method()": "AttributeError",
    "float(X['x'])": "each row",
    "X['x'].item()": "whole column",
    "[v for v in X['x']]": "whole columns",
    "X['t'].map({'a': (1, 2)})": "numbers, bools, text and dates",
    "X['x'].is_unique": "check it",
    "X['t'].str.len().iloc[0]": "learn it in `fit`",
    "X['x'].astype(int, errors='ignore')": "errors",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_method_without_an_exact_rule_is_refused_with_a_remedy(text: str) -> None:
    assert REFUSED[text] in refusal(own_code(text), TRAINING, state=STATE)


def test_words_that_replace_does_not_know_are_refused_where_the_dtype_changes() -> None:
    training = TRAINING.assign(t=pd.Series(["a", "b", None, "a", "b", "a"], dtype="str"))

    def transform(self: object, X: pd.DataFrame) -> pd.Series:
        return X["t"].replace({"a": 1, "b": 2})

    trace = check(transform, training, EDGES)  # words that stay are no numbers
    assert [node.operation for node in trace.nodes].count("demand") == 1


def test_a_float_that_is_no_integer_refuses_its_row_as_pandas_does() -> None:
    training = TRAINING.assign(x=[1.5, -2.5, 0.0, 3.0, 4.0, 1e15])
    check(lambda self, X: X["x"].astype(int), training, EDGES.assign(x=[np.nan, np.inf, -np.inf, -0.5, 1, 2, 3, 4]))


def test_numbers_as_text_refuse_other_text_as_pandas_does() -> None:
    words = [" 12 ", "1e3", "1_000", "nan", None, "x", "", "-7"]
    training = TRAINING.assign(t=pd.Series(["1", "2.5", None, "3", "4", "5"], dtype="str"))
    edges = EDGES.assign(t=pd.Series(words, dtype="str"))
    check(lambda self, X: X["t"].astype(float), training, edges)
    whole = TRAINING.assign(t=pd.Series(["1", "2", "30", "-4", "4", "5"], dtype="str"))
    check(lambda self, X: X["t"].astype(int), whole, edges)


@pytest.mark.parametrize("pattern", [r"\bx", "i|a", "^a*", "(?i)B", "a$", r"\s+", "[^a-z]", "b?"])
def test_patterns_are_replaced_as_pandas_replaces_them(pattern: str) -> None:
    words = ["x i", "abc xx", None, "", "B b", "ß x\n", "aaa", "x\nx"]
    edges = EDGES.assign(t=pd.Series(words, dtype="str"))
    check(lambda self, X: X["t"].replace(self.pattern, "<>", regex=True), TRAINING, edges, state={"pattern": pattern})
    check(lambda self, X: X["t"].replace(self.pattern, np.nan, regex=True), TRAINING, edges, state={"pattern": pattern})


def test_a_branch_on_the_dtype_of_a_column_that_depends_on_the_batch_is_refused() -> None:
    def transform(self: object, X: pd.DataFrame) -> pd.Series:
        column = X["t"].map({"a": 1, "b": 2, "": 3, "Ünï": 4})
        return column if column.dtype == float else X["x"]

    training = TRAINING.assign(t=pd.Series(["a", "b", "", "", "Ünï", "a"], dtype="str"))
    assert "depends on the batch" in refusal(transform, training)
