"""Calls of Series: operators on pairs of dtypes, methods, look-ups, casts, categories, guards of the batch."""

from fuzz import Calls, calls


def _binary(symbol: str, *others: str) -> tuple[str, ...]:
    """A symbol between numbers of each pair of dtypes, and constants on both sides."""
    pairs = [f"{left} {symbol} {right}" for left, right in (("f", "g"), ("f", "i"), ("i", "f"), ("i", "j"))]
    code = [f'X["{pair[0]}"] {symbol} X["{pair[-1]}"]' for pair in pairs]
    constants = [f'X["f"] {symbol} {{float}}', f'{{float}} {symbol} X["f"]', f'X["i"] {symbol} {{int}}']
    return (*code, *constants, f'X["i"] {symbol} {{float}}', f'{{int}} {symbol} X["i"]', *others)


def _division(symbol: str) -> tuple[str, ...]:
    """`//` and `%`; integers by a column are refused, since a 0 changes the dtype of the batch."""
    pairs = [f'X["{left}"] {symbol} X["{right}"]' for left, right in ("fg", "fi", "if")]
    constants = [f'X["f"] {symbol} {{float}}', f'{{float}} {symbol} X["f"]', f'X["i"] {symbol} {{nonzero}}']
    return (*pairs, *constants, f'X["i"] {symbol} {{float}}')


def _comparison(symbol: str) -> Calls:
    pairs = [f'X["{left}"] {symbol} X["{right}"]' for left, right in ("fg", "fi", "ij", "bc", "de", "hd")]
    if symbol in ("==", "!="):
        pairs += [f'X["s"] {symbol} X["t"]', f'X["s"] {symbol} {{word}}', f'X["u"] {symbol} X["v"]']
        pairs += [f'X["b"] {symbol} {{bool}}']
    else:
        pairs += [f'X["d"] - X["e"] {symbol} datetime.timedelta(days={{int}})']
    constants = (f'X["f"] {symbol} {{float}}', f'X["i"] {symbol} {{int}}', f'X["i"] {symbol} {{float}}')
    return calls(*pairs, *constants, f'X["d"] {symbol} pd.Timestamp({{date}})', f'{{int}} {symbol} X["i"]')


OPERATORS: dict[str, Calls] = {
    "+": calls(
        *_binary("+", 'X["b"] + X["f"]', 'X["i"] + X["b"]', 'X["s"] + X["t"]', 'X["u"] + {word}', '{word} + X["s"]'),
        *('X["d"] + pd.Timedelta(days={int})', 'X["d"] + (X["e"] - X["h"])', '(X["d"] - X["e"]) + (X["h"] - X["e"])'),
    ),
    "-": calls(
        *_binary("-", 'X["b"] - X["f"]', 'X["i"] - X["b"]', 'X["d"] - X["e"]', 'X["h"] - pd.Timestamp({date})'),
        *('X["d"] - pd.Timedelta(hours={int})', 'pd.Timestamp({date}) - X["d"]'),
    ),
    "*": calls(*_binary("*", 'X["b"] * X["f"]', 'X["i"] * X["b"]', '(X["d"] - X["e"]) * {int}')),
    "/": calls(*_binary("/", 'X["b"] / X["f"]', '(X["d"] - X["e"]) / (X["h"] - X["e"])')),
    "//": calls(*_division("//"), 'X["f"] // X["p"]', '(X["d"] - X["e"]) // pd.Timedelta(days={nonzero})'),
    "%": calls(*_division("%"), 'X["f"] % X["p"]', '(X["d"] - X["e"]) % pd.Timedelta(days={nonzero})'),
    "**": calls(
        *('X["f"] ** 2', 'X["f"] ** {float}', 'X["p"] ** {float}', 'X["p"] ** X["f"]', 'X["i"] ** {count}'),
        *('X["i"] ** {float}', '{positive} ** X["f"]', 'X["f"] ** X["k"]', 'X["k"] ** X["k"]', '{count} ** X["k"]'),
        may_refuse=True,
    ),
    **{symbol: _comparison(symbol) for symbol in ("==", "!=", "<", "<=", ">", ">=")},
    **{
        symbol: calls(
            *(f'X["b"] {symbol} X["c"]', f'(X["f"] > {{float}}) {symbol} (X["i"] < {{int}})', f'X["b"] {symbol} True'),
        )
        for symbol in ("&", "|", "^")
    },
    "~": calls('~X["b"]', '~(X["f"] > {float})', '~X["i"]', '~X["s"].isna()'),
    "unary -": calls('-X["f"]', '-X["i"]', '-(X["d"] - X["e"])'),
    "unary +": calls('+X["f"]', '+X["i"]'),
    "abs": calls('abs(X["f"])', 'abs(X["i"])', 'abs(X["d"] - X["e"])'),
    "in place": calls(
        'X["f"] += {float}\nreturn X', 'x = X["f"]\nx *= {float}\nreturn x', 'X["i"] -= X["j"]\nreturn X[["i"]]'
    ),
    "X[name] = value": calls(
        *('X["f"] = X["i"] * {int}\nreturn X', 'X["new"] = X["f"].isna()\nreturn X', 'X["f"] = {float}\nreturn X'),
        *('X[["f", "g"]] = X[["g", "f"]]\nreturn X', 'X["s"] = X["s"].str.lower()\nreturn X'),
    ),
    "X[condition]": calls(
        'X.loc[X["f"] > {float}, "g"] = {float2}\nreturn X',
        'X.loc[X["s"] == {word}, "s"] = {word2}\nreturn X',
        'X.loc[X["f"].isna(), "f"] = X["i"]\nreturn X',
    ),
}
"""Operators, which have no entry in the table of rules."""


def _method(name: str, *more: str, fill: bool = True) -> Calls:
    filled = (f'X["f"].{name}(X["g"], fill_value={{float}})',) if fill else ()
    return calls(f'X["f"].{name}(X["i"])', f'X["f"].{name}({{float}})', f'X["i"].{name}({{int}})', *filled, *more)


_POWERS = ('X["f"].pow(2)', 'X["p"].pow({float})', 'X["k"].pow({count})', 'X["p"].pow(X["f"])')

_WORDS = "['', 'a', 'b', 'low', 'mid', 'high', 'C85', 'yes', 'no']"
_CATEGORY = f'X["s"].astype(pd.CategoricalDtype({_WORDS}))'

SERIES: dict[str, Calls] = {
    **{name: _method(name) for name in ("add", "sub", "subtract", "mul", "multiply", "radd", "rsub", "rmul")},
    **{
        name: _method(name)
        for name in ("div", "divide", "truediv", "rdiv", "rtruediv", "eq", "ne", "lt", "le", "gt", "ge")
    },
    **{
        name: calls(f'X["f"].{name}(X["g"])', f'X["f"].{name}({{float}})', f'X["i"].{name}({{nonzero}})')
        for name in ("floordiv", "mod")
    },
    **{
        name: calls(f'X["f"].{name}(X["g"])', f'X["f"].{name}({{float}})', f'X["i"].{name}(X["f"])')
        for name in ("rfloordiv", "rmod")
    },
    "pow": calls(*_POWERS, may_refuse=True),
    "rpow": calls('X["f"].rpow({positive})', 'X["k"].rpow({count})', 'X["k"].rpow(X["p"])', may_refuse=True),
    "abs": calls('X["f"].abs()', 'X["i"].abs()', '(X["d"] - X["e"]).abs()'),
    "apply": calls(
        'X["f"].apply(np.sqrt)',
        'X["u"].apply(len)',
        'X["f"].apply(lambda v: v * {float} if v > 0 else -v)',
        'X["i"].apply(lambda v, w: v + w, args=({int},))',
        'X["u"].apply(lambda v: v.lower().strip())',
    ),
    "astype": calls(
        'X["f"].fillna(0).clip(-1e6, 1e6).astype(int)',
        'X["i"].astype(float)',
        'X["b"].astype(int)',
        'X["i"].astype(str)',
        'X["f"].astype(str)',
        'X["b"].astype(str)',
        'X["i"].astype(bool)',
        'X["f"].astype(bool)',
        'X["k"].astype("int8")',
        'X["v"].astype(int)',
        'X["v"].astype(float)',
        'X["s"].astype("category")',
        'X["f"].astype("float32")',
        'X["s"].astype(object)',
        'X["f"].astype({{"f": "float64"}}["f"])',
    ),
    "between": calls(
        'X["f"].between({low}, {high}, inclusive={inclusive})',
        'X["i"].between({int}, {int2})',
        'X["d"].between(pd.Timestamp({date}), pd.Timestamp({date2}))',
        'X["f"].between(X["g"], X["p"])',
    ),
    "clip": calls(
        *('X["f"].clip({low}, {high})', 'X["i"].clip({low}, {high})', 'X["f"].clip(lower={float})'),
        *('X["i"].clip(upper={int})', 'X["f"].clip(X["g"], X["p"])', 'X["f"].clip(upper=X["i"])', 'X["i"].clip(0, 10)'),
    ),
    "combine_first": calls(
        'X["f"].combine_first(X["g"])',
        'X["s"].combine_first(X["t"])',
        'X["d"].combine_first(X["h"])',
        'X["f"].combine_first(X["i"])',
    ),
    "copy": calls('X["f"].copy()', 'X["s"].copy(deep=True)'),
    "T": calls('X["f"].T'),
    "transpose": calls('X["f"].transpose()'),
    "infer_objects": calls('X["f"].infer_objects()', 'X["s"].infer_objects()'),
    "fillna": calls(
        *('X["f"].fillna({float})', 'X["f"].fillna({int})', 'X["s"].fillna({word})', 'X["d"].fillna(X["h"])'),
        *('X["f"].fillna(X["g"])', 'X["f"].fillna(X["i"])', 'X["s"].fillna(X["t"])', 'X["i"].fillna({int})'),
        'X["d"].fillna(pd.Timestamp({date}))',
        'x = X["f"].copy()\nx.fillna({float}, inplace=True)\nreturn x',
    ),
    "isin": calls(
        *('X["f"].isin({floats})', 'X["i"].isin({ints})', 'X["s"].isin({words})', 'X["i"].isin({floats})'),
        *('X["f"].isin([nan, {float}])', 'X["s"].isin(set({words}))', 'X["f"].isin({ints})', 'X["b"].isin([True])'),
        'X["d"].isin([pd.Timestamp({date}), pd.Timestamp({date2})])',
        'X["s"].isin([None, {word}])',
    ),
    **{name: calls(*(f'X["{column}"].{name}()' for column in "fisdb")) for name in ("isna", "isnull", "notna")},
    "notnull": calls('X["f"].notnull()', 'X["s"].notnull()', 'X["d"].notnull()'),
    "map": calls(
        *(
            'X["s"].map({wordtofloat})',
            'X["s"].map({wordtoword})',
            'X["s"].map({wordtoint})',
            'X["i"].map({inttofloat})',
        ),
        *('X["i"].map({inttoword})', 'X["f"].map({inttofloat})', 'X["b"].map({{True: {float}, False: {float2}}})'),
        *('X["s"].map({wordtofloat}).fillna({float})', 'X["s"].map(pd.Series({wordtofloat}))'),
        'X["i"].map({inttofloat}, na_action="ignore")',
        'X["s"].map({{nan: {float}, {word}: {float2}}})',
    ),
    "map(function)": calls(
        'X["f"].map(lambda v: v + {float})',
        'X["s"].map(lambda v: v.upper(), na_action="ignore")',
        'X["i"].map(lambda v: {word} if v > {int} else {word2})',
        'X["u"].map(len)',
        'X["f"].map(abs)',
    ),
    "mask": calls(
        *('X["f"].mask(X["f"] > {float})', 'X["f"].mask(X["b"], {float})', 'X["s"].mask(X["b"], {word})'),
        *('X["i"].mask(X["b"], X["j"])', 'X["d"].mask(X["b"])', 'X["f"].mask(X["b"], X["i"])', 'X["i"].mask(X["b"])'),
    ),
    "where": calls(
        *('X["f"].where(X["f"] > {float})', 'X["f"].where(X["b"], {float})', 'X["s"].where(X["b"], {word})'),
        *(
            'X["i"].where(X["b"], X["j"])',
            'X["d"].where(X["b"])',
            'X["f"].where(X["b"], X["i"])',
            'X["i"].where(X["b"])',
        ),
        *(
            'X["b"].where(X["c"], False)',
            'X["f"].where(lambda x: x > 0, -1)',
            'X["s"].where(X["s"].isin({words}), {word})',
        ),
    ),
    "name": calls('X["f"].rename(X["f"].name)'),
    "pipe": calls('X["f"].pipe(lambda x: x * {float})'),
    "rename": calls('X["f"].rename("new")', 'X["s"].rename("new").str.upper()'),
    "replace": calls(
        *('X["f"].replace({float}, {float2})', 'X["i"].replace({int}, {int2})', 'X["s"].replace({word}, {word2})'),
        *('X["s"].replace({wordtoword})', 'X["i"].replace({{1: 10, 2: 20}})', 'X["f"].replace([inf, -inf], nan)'),
        *('X["s"].replace({words}, {word})', 'X["f"].replace({floats}, {float})', 'X["f"].replace(nan, {float})'),
        *('X["s"].replace({word}, nan)', 'X["s"].replace(r"[0-9]+", "#", regex=True)', 'X["f"].replace(0, nan)'),
    ),
    "reset_index": calls('X["f"].reset_index(drop=True)', 'X["s"].reset_index(drop=True)'),
    "round": calls('X["f"].round({decimals})', 'X["f"].round()', 'X["i"].round({count})', 'X["p"].round(decimals=2)'),
    "to_frame": calls('X["f"].to_frame()', 'X["s"].to_frame("new")'),
    "to_numpy": calls('X["f"].to_numpy()', 'X["i"].to_numpy(float)', 'X["f"].to_numpy(dtype=float, copy=True)'),
    "transform": calls('X["f"].transform(np.exp)', 'X["f"].transform(lambda x: x + 1)', 'X["p"].transform(np.log)'),
    "values": calls('X["f"].values', 'X["i"].values + {int}', 'X["b"].values'),
    "index": calls('pd.Series(X["f"].to_numpy(), index=X["f"].index)'),
    "iloc": calls('X["f"].iloc[:]'),
    "loc": calls('X["f"].loc[:]', 'x = X["f"].copy()\nx.loc[x > {float}] = {float2}\nreturn x'),
    "cat": calls(f"{_CATEGORY}.cat.codes"),
    "dt": calls('X["d"].dt.year', 'X["d"].dt.month'),
    "str": calls('X["s"].str.lower()', 'X["s"].str[{index}]'),
    "any": calls('if (X["k"] > 10).any():\n    raise ValueError("large")\nreturn X["f"]'),
    "all": calls('if not (X["k"] < 10).all():\n    raise ValueError("large")\nreturn X["f"]'),
    "sum": calls('if (X["k"] > 10).sum() > 0:\n    raise ValueError("large")\nreturn X["f"]'),
    "hasnans": calls('if X["i"].hasnans:\n    raise ValueError("missing")\nreturn X["i"]'),
    "unique": calls(
        'for each in X["k"].unique():\n    if each > 10:\n        raise ValueError("large")\nreturn X["f"]',
        'if set(X["k"].unique()) - {{0, 1, 2, 3}}:\n    raise ValueError("unseen")\nreturn X["f"]',
    ),
    "shape": calls('np.zeros(X["f"].shape)', 'np.full(X["f"].shape[0], {float})'),
    "dtype": calls('X["f"].astype(X["i"].astype(float).dtype)', 'X["i"] if X["i"].dtype.kind == "i" else X["f"]'),
    "dtypes": calls('X["i"].astype(X["k"].dtypes)'),
    "ndim": calls('X["f"] * X["f"].ndim'),
    "empty": calls('if X["f"].empty:\n    raise ValueError("empty")\nreturn X["f"]'),
    "size": calls('np.full(X["f"].size, {float})'),
}

BATCH: dict[str, Calls] = {
    "any": calls('if X[["i", "k"]].isna().any().any():\n    raise ValueError("missing")\nreturn X["i"]'),
    "sum": calls('if X[["i", "k"]].isna().any().sum():\n    raise ValueError("missing")\nreturn X["i"]'),
    "max": calls('if X[["i", "k"]].isna().any().max():\n    raise ValueError("missing")\nreturn X["i"]'),
    "all": calls('if not X[["i", "k"]].notna().all().all():\n    raise ValueError("missing")\nreturn X["i"]'),
    "item": calls('if (X["k"] > 10).any().item():\n    raise ValueError("large")\nreturn X["k"]'),
    "bool": calls('if bool((X["k"] > 10).any()):\n    raise ValueError("large")\nreturn X["k"]'),
    "int": calls('if int((X["k"] > 10).sum()):\n    raise ValueError("large")\nreturn X["k"]'),
    "float": calls('if float((X["k"] > 10).sum()) > 0:\n    raise ValueError("large")\nreturn X["k"]'),
}

CATEGORIES: dict[str, Calls] = {
    "codes": calls(
        f"{_CATEGORY}.cat.codes",
        f"{_CATEGORY}.cat.codes + {{count}}",
        f"{_CATEGORY}.cat.codes.replace(-1, {{int}})",
        f"{_CATEGORY}.cat.codes.astype(float)",
    ),
    "add_categories": calls(f"{_CATEGORY}.cat.add_categories(['new']).fillna('new')"),
    "set_categories": calls(f"{_CATEGORY}.cat.set_categories(['b', 'a', 'high']).cat.codes"),
    "as_ordered": calls(f"{_CATEGORY}.cat.as_ordered().cat.codes"),
    "as_unordered": calls(f"{_CATEGORY}.cat.as_unordered().cat.codes"),
    "categories": calls(f"{_CATEGORY}.cat.set_categories(list({_CATEGORY}.cat.categories)).cat.codes"),
    "ordered": calls(f"np.full(len(X), float({_CATEGORY}.cat.ordered))"),
    "remove_unused_categories": calls(f"{_CATEGORY}.cat.remove_unused_categories().astype(str)"),
}
