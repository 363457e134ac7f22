"""Calls of DataFrames: operators, structure, methods by column, statistics of each row, joins, builders; chains."""

from fuzz import Calls, calls

_N = 'X[["f", "g"]]'
_M = 'X[["f", "p", "i"]]'
_W = 'X[["i", "j"]]'
_S = 'X[["s", "t"]]'
_B = 'X[["b", "c"]]'
_ALL = 'X[["f", "i", "s", "d", "b"]]'
_TABLE = "pd.DataFrame({{'s': ['a', 'b', 'C85', 'yes'], 'mean': [{float}, 2.5, nan, -1.0], 'rows': [1, 2, 3, 4]}})"


def _arithmetic(name: str) -> Calls:
    fill = (
        ""
        if name in ("eq", "ne", "lt", "le", "gt", "ge")
        else f'{_N}.{name}(X[["f", "g"]].abs(), fill_value={{float}})'
    )
    more = (fill,) if fill else ()
    return calls(
        f"{_M}.{name}({{float}})",
        f'{_N}.{name}(X["i"], axis=0)',
        f'{_N}.{name}(pd.Series({{{{"f": {{float}}, "g": {{float2}}}}}}))',
        *more,
    )


def _by_row(name: str, *more: str, zeros: bool = False) -> Calls:
    return calls(*(f"{each}.{name}(axis=1)" for each in (_N, _M, _W)), *more, zeros=zeros)


FRAMES: dict[str, Calls] = {
    **{name: _arithmetic(name) for name in ("add", "sub", "subtract", "mul", "multiply", "radd", "rsub", "rmul")},
    **{name: _arithmetic(name) for name in ("div", "divide", "truediv", "rdiv", "rtruediv")},
    **{name: _arithmetic(name) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{
        name: calls(f"{_N}.{name}({{float}})", f'{_N}.{name}(X["p"], axis=0)', f"{_W}.{name}({{nonzero}})")
        for name in ("floordiv", "mod")
    },
    **{name: calls(f"{_N}.{name}({{float}})", f'{_N}.{name}(X["p"], axis=0)') for name in ("rfloordiv", "rmod")},
    "pow": calls(f"{_N}.pow(2)", 'X[["p", "q"]].pow({float})', may_refuse=True),
    "rpow": calls(f"{_N}.rpow(2.0)", 'X[["k", "f"]].rpow({positive})', may_refuse=True),
    "abs": calls(f"{_N}.abs()", f"{_M}.abs()"),
    "add_prefix": calls(f"{_M}.add_prefix('x_')"),
    "add_suffix": calls(f"{_M}.add_suffix('_x')"),
    "any": calls(
        f"{_B}.any(axis=1)", f"({_N} > {{float}}).any(axis=1)", f"{_N}.isna().any(axis=1)", f"{_W}.any(axis=1)"
    ),
    "all": calls(
        f"{_B}.all(axis=1)", f"({_N} > {{float}}).all(axis=1)", f"{_N}.notna().all(axis=1)", f"{_W}.all(axis=1)"
    ),
    "apply": calls(
        f"{_N}.apply(np.sqrt)",
        f'{_M}.apply(lambda r: r["p"] * 2 if r["f"] > 0 else r["i"], axis=1)',
        f"{_N}.apply(lambda c: c * {{float}})",
        f'{_M}.apply(lambda r: r["p"] + r["i"], axis=1)',
        'X[["u", "i"]].apply(lambda r: len(r["u"]) + r["i"], axis=1)',
    ),
    "map": calls(
        f"{_N}.map(lambda v: v * {{float}})", 'X[["p", "q"]].map(lambda v: v if v > 1 else 1.0)', f"{_W}.map(abs)"
    ),
    "assign": calls(
        f"{_N}.assign(new=X['f'] + {{float}})".replace("'f'", '"f"'),
        f'{_M}.assign(f=lambda d: d["p"] * 2, h=1)',
    ),
    "astype": calls(
        f"{_W}.astype(float)", f'{_ALL}.astype({{{{"i": float, "b": int}}}})', f"{_B}.astype(int)", f"{_W}.astype(str)"
    ),
    "clip": calls(f"{_N}.clip({{low}}, {{high}})", f"{_M}.clip(lower={{low}})", f'{_N}.clip(X["p"], axis=0)'),
    "columns": calls(f"{_M}[{_M}.columns[1:]]", f"x = {_M}\nx.columns = x.columns.str.upper()\nreturn x"),
    "copy": calls(f"{_ALL}.copy()"),
    "count": calls(f"{_ALL}.count(axis=1)", f"{_N}.count(axis=1)"),
    "dot": calls(f"{_N}.dot([{{float}}, {{float2}}])", f"{_N} @ np.array([[1.0, 2.0], [0.5, -1.0]])", far=False),
    "drop": calls(
        f'{_M}.drop(columns=["f"])',
        f'{_M}.drop(["f", "p"], axis=1)',
        'X.drop("f", axis=1, inplace=True)\nreturn X[["i"]]',
    ),
    "dtypes": calls(f"x = {_M}\nreturn x[[n for n in x.columns if x.dtypes[n].kind == 'f']]"),
    "empty": calls(f"x = {_M}\nif x.empty:\n    raise ValueError('empty')\nreturn x"),
    "fillna": calls(
        f"{_N}.fillna({{float}})",
        f'{_N}.fillna({{{{"f": {{float}}, "g": {{float2}}}}}})',
        f"{_S}.fillna({{word}})",
        f'{_ALL}.fillna({{{{"f": 0, "s": {{word}}}}}})',
        f"x = {_N}\nx.fillna(0, inplace=True)\nreturn x",
    ),
    "filter": calls(f"{_M}.filter(['p', 'i'])", f"{_M}.filter(regex='[fp]')", f"{_M}.filter(like='p')"),
    "get": calls(f'{_M}.get("f")', f"{_M}.get(['p'])", f"{_M}.get('no', X[\"f\"])"),
    "idxmax": calls('X[["p", "q", "i"]].idxmax(axis=1)'),
    "idxmin": calls('X[["p", "q", "i"]].idxmin(axis=1)'),
    "iloc": calls(f"{_M}.iloc[:, 1]", f"{_M}.iloc[:, [0, 2]]", f"{_M}.iloc[:, -2:]"),
    "loc": calls(
        f'{_M}.loc[:, ["p", "f"]]',
        f'x = {_M}\nx.loc[x["f"] > {{float}}, "p"] = {{float2}}\nreturn x',
        f'x = {_M}\nx.loc[:, "new"] = X["f"] * 2\nreturn x',
        f'x = {_ALL}\nx.loc[x["b"], "s"] = {{word}}\nreturn x',
    ),
    "index": calls(f'pd.DataFrame({{{{"a": X["f"].to_numpy()}}}}, index={_N}.index)'),
    "infer_objects": calls(f"{_ALL}.infer_objects()"),
    "insert": calls(
        f'x = {_M}\nx.insert(1, "new", X["f"] * {{float}})\nreturn x',
        f'x = {_M}\nx.insert(0, "one", {{int}})\nreturn x',
    ),
    "isin": calls(
        f"{_N}.isin({{floats}})", f'{_ALL}.isin({{{{"i": {{ints}}, "s": {{words}}}}}})', f"{_S}.isin({{words}})"
    ),
    **{name: calls(f"{_ALL}.{name}()") for name in ("isna", "isnull", "notna", "notnull")},
    "items": calls(f"x = {_N}\nfor name, column in x.items():\n    x[name] = column * 2\nreturn x"),
    "join": calls(
        f"{_N}.join({_W})",
        f"X[[\"s\", \"f\"]].join({_TABLE}.set_index('s'), on='s')",
        f"{_N}.join({_N}.add_suffix('_r'))",
    ),
    "keys": calls(f"{_M}[list({_M}.keys())[::-1]]"),
    "mask": calls(
        f"{_N}.mask({_N} > {{float}})", f"{_N}.mask({_N} > {{float}}, {{float2}})", f'{_N}.mask(X["b"], axis=0)'
    ),
    "where": calls(f"{_N}.where({_N} > {{float}})", f"{_N}.where({_N} > {{float}}, {{float2}})", f"{_M}[{_M} > 0]"),
    "max": _by_row("max", f"{_B}.max(axis=1)", 'X[["d", "e"]].max(axis=1)', zeros=True),
    "min": _by_row("min", f"{_B}.min(axis=1)", 'X[["d", "e"]].min(axis=1)', zeros=True),
    **{name: _by_row(name) for name in ("mean", "median", "std", "var", "sem")},
    "sum": _by_row("sum", f"{_B}.sum(axis=1)", f"{_ALL}.isna().sum(axis=1)", f"{_N}.sum(axis=1, min_count=1)"),
    **{
        name: calls(f"{_N}.{name}(axis=1)", f"{_W}.{name}(axis=1)", f"{_N}.{name}(axis=1, skipna=False)")
        for name in ("prod", "product")
    },
    "merge": calls(
        f"X[[\"s\", \"f\"]].merge({_TABLE}, on='s', how='left')",
        f'X[["f", "s"]].merge({_TABLE}, how=\'left\')',
        "X[[\"k\", \"f\"]].merge(pd.DataFrame({{'k': [0, 1, 3], 'v': {{words}}[:1] * 3}}), on='k', how='left')".replace(
            "{{words}}", "{words}"
        ),
    ),
    "ndim": calls(f"{_N} * {_N}.ndim"),
    "nunique": calls(f"{_N}.nunique(axis=1)", f"{_S}.nunique(axis=1)", f"{_M}.nunique(axis=1, dropna=False)"),
    "pipe": calls(f"{_N}.pipe(lambda d, w: d * w, {{float}})"),
    "pop": calls('x = X[["f", "i"]]\ny = x.pop("f")\nx["new"] = y + 1\nreturn x'),
    "reindex": calls(
        f'{_M}.reindex(columns=["i", "new", "f"])', f'{_M}.reindex(columns=["new", "p"], fill_value={{int}})'
    ),
    "rename": calls(f'{_M}.rename(columns={{{{"f": "first"}}}})', f"{_M}.rename(columns=str.upper)"),
    "replace": calls(
        f"{_N}.replace({{float}}, {{float2}})",
        f"{_S}.replace({{wordtoword}})",
        f"{_N}.replace([inf, -inf], nan)",
        f'{_ALL}.replace({{{{"s": {{{{"a": "b"}}}}}}}})',
        f"{_W}.replace({{int}}, {{int2}})",
    ),
    "reset_index": calls(f"{_M}.reset_index(drop=True)"),
    "round": calls(f"{_M}.round({{decimals}})", f'{_M}.round({{{{"f": 1}}}})'),
    "select_dtypes": calls(f"{_ALL}.select_dtypes('number')", f"{_ALL}.select_dtypes(include=['bool', 'datetime'])"),
    **{
        name: calls(f"{_N}.{name}(axis=1)", f"{_S}.{name}(axis=1)", f"{_M}.{name}(axis=1)")
        for name in ("ffill", "bfill")
    },
    **{name: calls(*(f"{_M}.{name}('{each}', axis=1)" for each in ("sum", "mean"))) for name in ("agg", "aggregate")},
    "sort_index": calls(f"{_M}.sort_index(axis=1)"),
    "squeeze": calls('X[["f"]].squeeze("columns")', 'X[["s"]].squeeze(axis=1)'),
    "set_axis": calls(f"{_M}.set_axis(['a', 'b', 'c'], axis=1)"),
    "shape": calls(f"np.zeros({_N}.shape)", f"np.full({_N}.shape[0], {{float}})"),
    "to_numpy": calls(f"{_M}.to_numpy()", f"{_W}.to_numpy(dtype=float)"),
    "values": calls(f"{_M}.values", f"{_W}.values * {{int}}"),
}

OPERATORS: dict[str, Calls] = {
    f"frame {symbol}": calls(f"{_M} {symbol} {{float}}", f'{_N} {symbol} {_N}[["f", "g"]] ', f"{{float}} {symbol} {_M}")
    for symbol in ("+", "-", "*", "/", "<", ">=", "==", "!=")
} | {
    "frame ~": calls(f"~({_N} > {{float}})", f"~{_B}"),
    "frame -": calls(f"-{_M}", f"abs({_M})"),
    "frame &": calls(f'{_B} & ({_N} > 0).set_axis(["b", "c"], axis=1)', f"{_B} | {_B}"),
}

FUNCTIONS: dict[str, Calls] = {
    "pandas.DataFrame": calls(
        'pd.DataFrame({{"a": X["f"], "b": X["i"] * 2}})',
        f'pd.DataFrame({_N}.to_numpy() * 2, columns=["a", "b"], index=X.index)',
        'pd.DataFrame({{"a": X["f"], "one": {int}}}, index=X.index)',
        f"pd.DataFrame({_M}, columns=['p', 'f'])",
    ),
    "pandas.DataFrame!": calls(
        'x = pd.DataFrame()\nx["a"] = X["f"]\nx["b"] = X["i"] + 1\nreturn x',
    ),
    "pandas.concat": calls(f"pd.concat([{_N}, {_W}], axis=1)", f'pd.concat([{_N}, X["s"].rename("new")], axis=1)'),
    "copy.copy": calls(f"copy.copy({_M})", 'x = copy.copy(X["f"])\nx[x < {float}] = {float2}\nreturn x'),
    "copy.deepcopy": calls(
        f"x = copy.deepcopy({_M})\nx['new'] = x[\"f\"] * {{float}}\nreturn x", 'copy.deepcopy(X["s"])'
    ),
    "pandas.concat!": calls('pd.concat((X[name] * {float} for name in ("f", "i")), axis=1)'),
    **{
        f"pandas.is_{name}_dtype": calls(
            'x = X[["f", "i", "b", "s", "h"]]\n'
            f'return x[[n for n in x if pd.api.types.is_{name}_dtype(x[n])] + ["f"]].iloc[:, :1]'
        )
        for name in (
            "numeric",
            "string",
            "object",
            "bool",
            "integer",
            "float",
            "datetime64",
            "datetime64_any",
            "timedelta64",
        )
    },
    "pandas.get_dummies": calls(
        f"pd.get_dummies({_S}).reindex(columns=['s_a', 's_b', 't_C85', 't_'], fill_value=0)",
        'pd.get_dummies(X[["k"]], columns=["k"]).reindex(columns=["k_1", "k_2", "k_9"], fill_value=0)',
        'pd.get_dummies(X[["s", "f"]], dtype=int).reindex(columns=["s_low", "f", "s_no"], fill_value=0)',
    ),
    "pandas.merge": calls(f"pd.merge(X[[\"s\", \"f\"]], {_TABLE}, on='s', how='left')"),
}

CHAINS: dict[str, Calls] = {
    "numbers": calls(
        *(
            'X["f"].fillna(0).astype(int).clip(0, 9)',
            'np.log1p(X["f"].clip(lower=0)).round(2)',
            'X["f"].fillna(X["g"]).abs()',
        ),
        *('(X["f"] - {float}).clip(-3, 3).fillna({float2})', 'np.where(X["f"].isna(), 0, X["f"]).astype(float)'),
        *(
            'X["p"].apply(np.log1p).round(3)',
            '(X["f"] / X["i"].replace(0, nan)).fillna(0)',
            'X["f"].fillna(-1).astype(int)',
        ),
        *('((X["f"] > {float}) & X["b"]).astype(int)', 'X["f"].isnull().astype(int) + X["g"].isnull().astype(int)'),
        *(
            'X["i"].astype(str).str.len()',
            '(X["f"].abs() + 1).map(np.log)',
            'X["k"].map({{0: "a", 1: "b"}}).fillna("none")',
        ),
        'np.sin(2 * np.pi * X["k"] / 12)',
        'X["f"].where(X["f"] > 0, 0).round().astype(int)',
        may_refuse=True,
    ),
    "text": calls(
        *(
            'X["s"].fillna("none").str.lower().str.strip()',
            'X["s"].str.strip().map({wordtoint}).fillna(-1).astype(int)',
        ),
        *('X["u"].str.extract(r"([A-Za-z]+)\\.", expand=False).fillna("rare")', 'X["s"].str[0].fillna("U")'),
        *('X["u"].str.split(",").str[0].str.upper()', '(X["s"].fillna("") + "_" + X["u"]).str.len()'),
        *('X["s"].isin({words}).astype(int)', 'X["u"].str.replace(r"\\d+", "", regex=True).str.strip()'),
        *(
            'X["s"].fillna("").apply(len)',
            'X["u"].apply(lambda v: v.split(",")[0].strip())',
            'X["s"].notna().astype(int)',
        ),
        'X["s"].map({wordtofloat}).fillna({float}).round(1)',
        'X["s"].str.contains("a", na=False).astype(int)',
        may_refuse=True,
    ),
    "dates": calls(
        *(
            '(X["h"] - X["d"]).dt.days.fillna(-1)',
            'X["d"].dt.year.fillna(0).astype(int)',
            'X["h"].dt.dayofweek.isin([5, 6])',
        ),
        *(
            '(X["h"].dt.month - 1) // 3 + 1',
            'np.cos(2 * np.pi * X["h"].dt.hour / 24)',
            'X["h"].dt.strftime("%Y-%m").str[:4]',
        ),
        *(
            '(X["d"] - X["h"]).dt.total_seconds() / 3600',
            '(X["h"].dt.year - 2000).clip(lower=0)',
            'X["d"].fillna(X["h"]).dt.month',
        ),
    ),
    "frames": calls(
        *(f"{_M}.fillna(0).sum(axis=1)", f"{_ALL}.isna().sum(axis=1)", f"{_N}.replace([inf, -inf], nan).fillna(0)"),
        *('X = X.copy()\nX["new"] = X["f"] / (X["i"] + 0.5)\nX["flag"] = (X["new"] > 1).astype(int)\nreturn X',),
        *('X = X.drop(columns=["g"])\nfor name in X.columns:\n    X[name] = X[name].fillna(0)\nreturn X["f"]',),
        'x = X[["f", "i", "s"]].copy()\nx.loc[x["s"].isna(), "f"] = 0\nx["s"] = x["s"].fillna("none")\nreturn x',
        f"x = {_N}.copy()\nx[x < 0] = 0\nreturn x",
        f"x = {_N}.values\nreturn np.c_[x, x[:, 0] * x[:, 1]]",
    ),
}
"""Two or three methods after each other, as people write them."""

INDEX: dict[str, Calls] = {"copy": calls('pd.Series(X["f"].to_numpy(), index=X.index.copy())')}
