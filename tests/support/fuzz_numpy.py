"""Calls of NumPy and SciPy: functions of values, of each row, of arrays; methods of arrays; scikit-learn's checks."""

from dataclasses import replace

from fuzz import Calls, calls

_A = 'X[["f", "g"]].to_numpy()'
_B = 'X[["f", "p", "i"]].to_numpy()'
_WHOLE = 'X[["i", "j"]].to_numpy()'
_TRUTH = 'X[["b", "c"]].to_numpy()'
_COLUMN = 'X["f"].to_numpy()'


def _unary(name: str, *domain: str) -> Calls:
    """A function of one number, on columns, arrays and integers."""
    numbers = tuple(f"np.{name}({each})" for each in (*domain, 'X["f"]', 'X["i"]'))
    return calls(*numbers, f"np.{name}({_B})", f'np.{name}(X["k"]) + {{float}}')


def _binary(name: str) -> Calls:
    return calls(
        f'np.{name}(X["f"], X["g"])',
        f'np.{name}(X["f"], {{float}})',
        f'np.{name}({{float}}, X["i"])',
        f'np.{name}(X["i"], X["j"])',
        f'np.{name}({_A}, X[["p", "q"]].to_numpy())',
    )


def _statistic(name: str, *more: str, method: bool = False) -> Calls:
    """A statistic of each row."""
    parts = [f"{each}.{name}(axis=1)" if method else f"np.{name}({each}, axis=1)" for each in (_A, _B, _WHOLE)]
    return calls(*parts, *more)


_UNARY = ("arccos", "arcsin", "arcsinh", "arctan", "cbrt", "ceil", "cos", "deg2rad", "degrees", "exp", "exp2", "expm1")
_UNARY += (
    "fabs",
    "fix",
    "floor",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "log",
    "log10",
    "log1p",
    "log2",
)
_UNARY += ("logical_not", "rad2deg", "radians", "rint", "sign", "sin", "sqrt", "square", "tan", "tanh", "trunc")
_UNARY += ("absolute", "negative", "positive")
_UNIT = '(X["f"].clip(-3, 3) / 3)'  # numbers from -1 to 1
_BINARY = ("add", "arctan2", "divide", "equal", "float_power", "fmax", "fmin", "greater", "greater_equal", "heaviside")
_BINARY += ("hypot", "less", "less_equal", "logical_and", "logical_or", "logical_xor", "maximum", "minimum", "multiply")
_BINARY += ("not_equal", "subtract", "isclose")
_FUNCTIONS = ("mean", "median", "max", "min", "amax", "amin", "sum", "prod", "std", "var", "ptp")
_NAN = ("nanmax", "nanmean", "nanmedian", "nanmin", "nanprod", "nanstd", "nansum", "nanvar")
_SPECIAL = {
    "boxcox": ('special.boxcox(X["p"], {float})', 'special.boxcox(X["q"], 0)', 'special.boxcox(X["p"], 0.5)'),
    "boxcox1p": ('special.boxcox1p(X["p"], {float})', 'special.boxcox1p(X["q"], 0)', 'special.boxcox1p(X["p"], 0.5)'),
    "inv_boxcox": ('special.inv_boxcox(X["q"], {count})', 'special.inv_boxcox(X["f"].clip(0, 20), 0.5)'),
    **{name: (f'special.{name}(X["f"])', f'special.{name}(X["k"])') for name in ("erf", "exp10", "expit", "ndtr")},
    "logit": (f"special.logit({_UNIT} / 2 + 0.5)", 'special.logit(X["f"])'),
    "ndtri": (f"special.ndtri({_UNIT} / 2 + 0.5)", 'special.ndtri(X["f"])'),
}

FUNCTIONS: dict[str, Calls] = {
    **{f"numpy.{name}": _unary(name) for name in _UNARY},
    "numpy.arccos": _unary("arccos", _UNIT),
    "numpy.arcsin": _unary("arcsin", _UNIT),
    **{f"numpy.{name}": replace(_binary(name), zeros=name in ("fmax", "fmin")) for name in _BINARY},
    "numpy.floor_divide": calls('np.floor_divide(X["f"], X["g"])', 'np.floor_divide(X["i"], {nonzero})'),
    "numpy.remainder": calls('np.remainder(X["f"], X["g"])', 'np.mod(X["f"], {float})', 'np.mod(X["i"], {nonzero})'),
    "numpy.fmod": calls('np.fmod(X["f"], X["g"])', 'np.fmod(X["f"], {float})', f"np.fmod({_A}, {{float}})"),
    "numpy.power": calls(
        *('np.power(X["f"], 2)', 'np.power(X["p"], {float})', 'np.power(X["p"], X["f"])', 'np.power(X["k"], {count})'),
        may_refuse=True,
    ),
    "numpy.reciprocal": calls('np.reciprocal(X["f"])', f"np.reciprocal({_A})"),
    "numpy.invert": calls('np.invert(X["b"])', 'np.invert(X["f"] > {float})', f"np.invert({_TRUTH})"),
    **{
        f"numpy.bitwise_{name}": calls(f'np.bitwise_{name}(X["b"], X["c"])', f'np.bitwise_{name}(X["f"] > 0, X["b"])')
        for name in ("and", "or", "xor")
    },
    "numpy.isnat": calls('np.isnat(X["d"].to_numpy())', 'np.isnat(X["d"])'),
    **{f"numpy.{name}": _statistic(name) for name in _FUNCTIONS},
    **{f"numpy.{name}": replace(_statistic(name), zeros=name in ("nanmax", "nanmin")) for name in _NAN},
    "numpy.argmax": _statistic("argmax"),
    "numpy.argmin": _statistic("argmin"),
    "numpy.count_nonzero": _statistic("count_nonzero", f"np.count_nonzero({_TRUTH}, axis=1)"),
    "numpy.cumsum": calls(f"np.cumsum({_A}, axis=1)", f"np.cumsum({_WHOLE}, axis=1)", f"np.cumsum({_B}, axis=1)"),
    "numpy.cumprod": calls(f"np.cumprod({_A}, axis=1)", f"np.cumprod({_WHOLE}, axis=1)"),
    "numpy.diff": calls(f"np.diff({_A}, axis=1)", f"np.diff({_WHOLE}, axis=1)", f"np.diff({_B})"),
    "numpy.any": calls(f"np.any({_TRUTH}, axis=1)", f"np.any({_A} > {{float}}, axis=1)"),
    "numpy.all": calls(f"np.all({_TRUTH}, axis=1)", f"np.all({_A} > {{float}}, axis=1)"),
    **{
        f"numpy.{name}.reduce": calls(f'np.{name}.reduce([X["b"], X["c"]])', f"np.{name}.reduce({_TRUTH}, axis=1)")
        for name in ("logical_and", "logical_or")
    },
    **{
        f"numpy.{name}.reduce": calls(
            f'np.{name}.reduce([X["f"].to_numpy(), X["g"].to_numpy()])',
            f"np.{name}.reduce({_B}, axis=1)",
            zeros=name.startswith("f"),
        )
        for name in ("maximum", "minimum", "fmax", "fmin", "add", "multiply")
    },
    **{f"scipy.special.{name}": calls(*templates) for name, templates in _SPECIAL.items()},
    "numpy.where": calls(
        *('np.where(X["f"] > {float}, X["g"], X["p"])', 'np.where(X["b"], {float}, X["f"])'),
        *(
            'np.where(X["b"], 1, 0)',
            'np.where(X["f"].isna(), {int}, X["f"])',
            'np.where(X["i"] > {int}, X["i"], X["j"])',
        ),
        *(
            'np.where(X["u"] == {word}, {word2}, {word3})',
            'np.where(X["b"], X["i"], X["f"])',
            'np.where(X["b"], X["c"], 1)',
        ),
        *(
            "np.where(X['f'] > 0, np.where(X[\"b\"], 1, 2), 3)".replace("'f'", '"f"'),
            'np.where(X["b"], X["d"], X["h"])',
        ),
    ),
    "numpy.select": calls(
        'np.select([X["f"] > {float}, X["b"]], [{float2}, X["g"]], default={float3})',
        'np.select([X["i"] < {int}, X["i"] < {int2}], ["low", "mid"], default="high")',
        'np.select([X["f"] > 0, X["f"] < 0], [1, -1])',
    ),
    "numpy.clip": calls(
        *('np.clip(X["f"], {low}, {high})', f"np.clip({_A}, {{low}}, {{high}})", 'np.clip(X["i"], {low}, {high})'),
        *(f"np.clip({_COLUMN}, None, {{high}})", f'np.clip({_COLUMN}, X["g"].to_numpy(), {{high}})'),
    ),
    "numpy.round": calls(
        'np.round(X["f"], {decimals})', f"np.round({_A}, {{decimals}})", 'np.round(X["i"].to_numpy())'
    ),
    "numpy.around": calls('np.around(X["f"], {decimals})', f"np.around({_A}, 2)"),
    "numpy.nan_to_num": calls(
        *(
            f"np.nan_to_num({_A})",
            'np.nan_to_num(X["f"], nan={float})',
            f"np.nan_to_num({_COLUMN}, posinf=9.0, neginf=-9.0)",
        ),
        f"np.nan_to_num({_WHOLE})",
    ),
    "numpy.isin": calls(
        *('np.isin(X["f"], [1.0, 2.5, -0.5])', 'np.isin(X["i"], {ints})', 'np.isin(X["u"], {words})'),
        *(f"np.isin({_A}, [0.0, 1.0], invert={{bool}})", 'np.isin(X["b"], [True])'),
    ),
    "numpy.searchsorted": calls('np.searchsorted({edges}, X["f"], side={side})', 'np.searchsorted([1, 5, 9], X["i"])'),
    "numpy.digitize": calls('np.digitize(X["f"], {edges}, right={bool})', 'np.digitize(X["i"], [0, 2, 10])'),
    "numpy.interp": calls(
        *(
            'np.interp(X["f"], [-1.0, 0.0, 2.5], {floats} * 3 and [1.0, 5.0, -2.0])',
            'np.interp(X["i"], [0, 10], [1, 2])',
        ),
        'np.interp(X["p"], [0.0, 3.0, 100.0], [1.0, -1.0, 7.5], left={float}, right={float2})',
    ),
    "numpy.take": calls('np.take([{float}, {float2}, 1.0, 2.0], X["k"])', f"np.take({_B}, [2, 0], axis=1)"),
    "numpy.zeros!": calls("np.zeros(len(X))", "np.zeros((len(X), 2))", "np.zeros(X.shape[0], dtype=int)"),
    "numpy.ones!": calls("np.ones(len(X))", 'np.ones((len(X), 2)) * X[["f", "g"]]', "np.ones(len(X), dtype=bool)"),
    "numpy.full!": calls("np.full(len(X), {float})", "np.full((len(X), 2), {int})", "np.full(len(X), nan)"),
    "numpy.empty!": calls('out = np.empty((len(X), 2))\nout[:, 0] = X["f"]\nout[:, 1] = {float}\nreturn out'),
    "numpy.zeros_like": calls('np.zeros_like(X["f"])', f"np.zeros_like({_A})", 'np.zeros_like(X["i"], dtype=float)'),
    "numpy.ones_like": calls('np.ones_like(X["f"])', f"np.ones_like({_WHOLE})"),
    "numpy.full_like": calls(
        'np.full_like(X["f"], {float})', f"np.full_like({_A}, nan)", 'np.full_like(X["i"], {int})'
    ),
    "numpy.array": calls(
        *(
            'np.array(X["f"])',
            'np.array([X["f"], X["i"]]).T',
            'np.array(X[["f", "i"]])',
            'np.array(X["i"], dtype=float)',
        ),
    ),
    **{
        f"numpy.{name}": calls(f'np.{name}(X["f"])', f'np.{name}(X[["f", "i"]])', f'np.{name}(X["i"], dtype=float)')
        for name in ("asarray", "asanyarray", "ascontiguousarray")
    },
    "numpy.atleast_1d": calls('np.atleast_1d(X["f"])'),
    "numpy.atleast_2d": calls(f"np.atleast_2d({_A})"),
    "numpy.copy": calls('np.copy(X["f"])', f"np.copy({_A})"),
    "numpy.ravel": calls('np.ravel(X["f"])', 'np.ravel(X[["f"]])'),
    "numpy.reshape": calls('np.reshape(X["f"].to_numpy(), (-1, 1))', 'np.reshape(X[["f"]].to_numpy(), (len(X),))'),
    "numpy.squeeze": calls('np.squeeze(X[["f"]].to_numpy(), axis=1)'),
    "numpy.expand_dims": calls('np.expand_dims(X["f"], axis=1)', 'np.expand_dims(X["i"].to_numpy(), 1)'),
    "numpy.transpose": calls('np.transpose(np.array([X["f"], X["g"]]))'),
    "numpy.shape": calls(f"np.zeros(np.shape({_A}))"),
    "numpy.ndim": calls(f'X["f"] * np.ndim({_A})'),
    "numpy.append": calls(f'np.append({_A}, X[["i"]].to_numpy(), axis=1)'),
    "numpy.concatenate": calls(
        f"np.concatenate([{_A}, {_WHOLE}], axis=1)", f"np.concatenate(({_WHOLE}, {_TRUTH}), axis=1)"
    ),
    "numpy.hstack": calls(f"np.hstack([{_A}, {_WHOLE}])", f"np.hstack(({_A}, {_A} * 2))"),
    "numpy.column_stack": calls('np.column_stack([X["f"], X["i"]])', f'np.column_stack(({_A}, X["b"]))'),
    "numpy.stack": calls('np.stack([X["f"], X["g"]], axis=1)', 'np.stack([X["f"], X["i"]]).T'),
    "numpy.vstack": calls('np.vstack([X["f"], X["g"]]).T'),
    "numpy.c_": calls('np.c_[X["f"], X["i"]]', f"np.c_[{_A}, {_A}[:, 0] / {_A}[:, 1]]"),
    "numpy.delete": calls(f"np.delete({_B}, 1, axis=1)", f"np.delete({_B}, [0, 2], axis=1)"),
    "numpy.insert": calls(f"np.insert({_A}, 0, {{float}}, axis=1)", f"np.insert({_WHOLE}, 1, {{int}}, axis=1)"),
    "numpy.dot": calls(
        *(f"np.dot({_A}, [{{float}}, {{float2}}])", f"np.dot({_WHOLE}, [2, {{int}}])"),
        f"np.dot({_B}, np.array([[1.0, 0.5], [0.0, 2.0], [-1.5, 0.25]]))",
        far=False,
    ),
    "numpy.matmul": calls(f"{_A} @ np.array([{{float}}, {{float2}}])", f"np.matmul({_B}, [1.0, 2.0, 0.1])", far=False),
    "numpy.average": calls(f"np.average({_B}, axis=1, weights=[0.5, 2.0, 1.0])", far=False),
    "numpy.norm": calls(f"np.linalg.norm({_A}, axis=1)", f"np.linalg.norm({_B}, ord=1, axis=1)", far=False),
    "numpy.vectorize!": calls('np.vectorize(lambda v: v * 2 if v > 0 else 0.0)(X["p"])', 'np.vectorize(len)(X["u"])'),
    "sklearn.utils.check_array": calls(
        *(
            f"utils.check_array({_A}, ensure_all_finite=False)",
            'utils.check_array(X[["i", "j"]])',
        ),
        'utils.check_array(X[["f", "p"]], ensure_all_finite=\'allow-nan\')',
    ),
    "sklearn.utils.as_float_array": calls(f"utils.as_float_array({_WHOLE})", 'utils.as_float_array(X[["p", "q"]])'),
    "sklearn.utils.validate_data": calls('utils.validation.validate_data(self, X[["i", "j"]], reset=False)'),
    "sklearn.utils._num_samples": calls("np.zeros(utils.validation._num_samples(X))"),
    "sklearn.utils.column_or_1d": calls('utils.column_or_1d(X["f"])', 'utils.column_or_1d(X[["i"]])'),
    "sklearn.utils.check_consistent_length": calls('utils.check_consistent_length(X, X["f"])\nreturn X["f"]'),
    "sklearn.utils.assert_all_finite": calls('utils.assert_all_finite(X[["p", "q"]].to_numpy())\nreturn X["p"]'),
    "sklearn.utils._assert_all_finite": calls(
        'utils.validation._assert_all_finite(X[["p", "q"]].to_numpy())\nreturn X["p"]'
    ),
    "sklearn.utils.safe_sparse_dot": calls(
        f"utils.extmath.safe_sparse_dot({_A}, np.array([{{float}}, {{float2}}]))", far=False
    ),
    "pandas.isna": calls('pd.isna(X["f"])', 'pd.isna(X["s"])', 'pd.isna(X[["f", "d"]])'),
    "pandas.notna": calls('pd.notna(X["f"])', 'pd.notna(X["d"])'),
    "pandas.to_numeric": calls(
        *("pd.to_numeric(X[\"s\"], errors='coerce')", 'pd.to_numeric(X["v"])', 'pd.to_numeric(X["i"])'),
        'pd.to_numeric(X["u"].str.replace(",", "."), errors=\'coerce\')',
    ),
    "pandas.to_datetime": calls(
        *('pd.to_datetime(X["w"], format="%Y-%m-%d", errors="coerce")', 'pd.to_datetime(X["d"])'),
        *("pd.to_datetime(X[\"i\"], unit='D')", 'pd.to_datetime(X["w"].str[:4], format="%Y", errors="coerce")'),
        'pd.to_datetime(X["d"].dt.strftime("%Y-%m-%d %H:%M:%S"), format="%Y-%m-%d %H:%M:%S")',
    ),
    "pandas.to_timedelta": calls('pd.to_timedelta(X["i"], unit={unit})', 'X["h"] + pd.to_timedelta(X["k"], unit="D")'),
    "pandas.cut": calls(
        *('pd.cut(X["f"], {edges}, labels=False)', 'pd.cut(X["f"], [-5, 0, 5, 50], labels=["low", "mid", "high"])'),
        *(
            'pd.cut(X["f"], {edges}, right={bool}, include_lowest={bool2}, labels=False)',
            'pd.cut(X["f"], [0.0, 10.0, 100.0]).astype(str)',
        ),
        *('pd.cut(X["i"], bins=[0, 10, 100], labels=[1, 2])', 'pd.cut(X["f"], [-inf, 0, inf], labels=[{float}, -1.0])'),
    ),
    "pandas.Series": calls(
        *(
            'pd.Series(X["f"].to_numpy(), index=X.index)',
            "pd.Series({float}, index=X.index)",
            'pd.Series(X["i"], dtype=float)',
        ),
        'pd.Series(np.where(X["b"], 1, 0), index=X.index, name="flag")',
    ),
}

ARRAYS: dict[str, Calls] = {
    **{name: _statistic(name, method=True) for name in ("max", "mean", "min", "prod", "std", "sum", "var")},
    **{name: _statistic(name, method=True) for name in ("argmax", "argmin")},
    "any": calls(f"{_TRUTH}.any(axis=1)", f"({_A} > {{float}}).any(axis=1)"),
    "all": calls(f"{_TRUTH}.all(axis=1)", f"({_A} > {{float}}).all(axis=1)"),
    "astype": calls(f"{_WHOLE}.astype(float)", f"{_TRUTH}.astype(int)", f"{_A}.astype(bool)", f"{_WHOLE}.astype(bool)"),
    "clip": calls(f"{_A}.clip({{low}}, {{high}})", f"{_WHOLE}.clip({{low}}, 10)", f"{_COLUMN}.clip(min={{float}})"),
    "round": calls(f"{_A}.round({{decimals}})", f"{_COLUMN}.round()"),
    "copy": calls(f"{_A}.copy()"),
    "dot": calls(f"{_A}.dot([{{float}}, {{float2}}])", f"{_WHOLE}.dot([[1, 2], [3, {{int}}]])", far=False),
    "dtype": calls(f"{_WHOLE}.astype({_A}.dtype)"),
    "fill": calls(f"x = {_A}.copy()\nx.fill({{float}})\nreturn x"),
    "flatten": calls(f"{_COLUMN}.flatten()", 'X[["f"]].to_numpy().flatten()'),
    "ravel": calls(f"{_COLUMN}.ravel()", 'X[["i"]].to_numpy().ravel()'),
    "reshape": calls(f"{_COLUMN}.reshape(-1, 1)", f"{_COLUMN}.reshape((len(X), 1))", 'X[["f"]].to_numpy().reshape(-1)'),
    "squeeze": calls('X[["f"]].to_numpy().squeeze(axis=1)'),
    "take": calls(f"{_B}.take([2, 0], axis=1)"),
    "T": calls(f"{_A}.T.T", f"({_A}.T * 1).T".replace(" * 1", "")),
    "transpose": calls(f"{_A}.transpose().T"),
    "shape": calls(f"np.zeros({_A}.shape)", f"np.zeros({_B}.shape[0])"),
    "ndim": calls(f"{_A} * {_A}.ndim"),
}

COLUMNS: dict[str, Calls] = {
    **{
        name: calls(f"{_A}.T.{name}(axis=0)", f'np.array([X["f"], X["g"], X["p"]]).{name}(axis=0)')
        for name in ("max", "mean", "min", "prod", "std", "sum", "var", "argmax", "argmin")
    },
    "any": calls(f"{_TRUTH}.T.any(axis=0)"),
    "all": calls(f"{_TRUTH}.T.all(axis=0)"),
    "T": calls('np.array([X["f"], X["g"]]).T'),
    "transpose": calls('np.array([X["f"], X["g"]]).transpose()'),
    "shape": calls(f'X["f"] * {_A}.T.shape[0]'),
    "__len__": calls(f'X["f"] * len({_A}.T)'),
}
