"""category_encoders: encoders of labels, most of them by the target."""

from tools.survey.cases import Entry

_COMMON = (
    "",
    "@ labels with gaps/value",
    "handle_unknown='error', handle_missing='error'",
    "handle_unknown='return_nan', handle_missing='return_nan'",
    "drop_invariant=True, return_df=False",
    "cols=['k0', 'k1'] @ codes/value",
)
_AFTER = "SimpleImputer(keep_empty_features=True), Ridge()"
_TWO = "SimpleImputer(keep_empty_features=True), LogisticRegression()"


def _entry(
    name: str, *options: str, common: tuple[str, ...] = _COMMON, kind: str = "value", after: str = _AFTER
) -> Entry:
    spread = tuple(option.replace("/value", f"/{kind}") for option in (*common, *options))
    return Entry(name, f"labels/{kind}", spread, after=after)


ENTRIES = (
    _entry(
        "OrdinalEncoder",
        "cols=['city'], mapping=[{'col': 'city', 'mapping': {'Lyon': 1, 'Graz': 2}}] @ one label/value",
    ),
    _entry(
        "OneHotEncoder",
        "use_cat_names=True",
        "handle_unknown='indicator', handle_missing='indicator'",
        "use_cat_names=True, handle_missing='ignore' @ labels with gaps/value",
    ),
    _entry("BinaryEncoder", "handle_unknown='indicator', handle_missing='indicator'"),
    _entry("BaseNEncoder", "base=3", "base=1", "handle_unknown='indicator', handle_missing='indicator'"),
    _entry("GrayEncoder"),
    _entry(
        "CountEncoder",
        "normalize=True",
        "min_group_size=20",
        "min_group_size=0.2, combine_min_nan_groups='force'",
        "min_group_size=20, min_group_name='rest'",
        "handle_unknown=0",
        common=_COMMON[:2] + _COMMON[4:],
    ),
    _entry("TargetEncoder", "smoothing=1.0, min_samples_leaf=1"),
    _entry("TargetEncoder", kind="two", after=_TWO),
    _entry("LeaveOneOutEncoder"),
    _entry("LeaveOneOutEncoder", "sigma=0.1, random_state=0", kind="two", after=_TWO),
    _entry("JamesSteinEncoder", "model='pooled'", "model='beta' @ labels/two", "model='binary' @ labels/two"),
    _entry("MEstimateEncoder", "m=5.0"),
    _entry("CatBoostEncoder", "a=2.0", "sigma=0.1, random_state=0"),
    _entry("WOEEncoder", "regularization=0.5", kind="two", after=_TWO),
    _entry("GLMMEncoder", common=_COMMON[:2]),
    _entry("GLMMEncoder", "binomial_target=True", common=_COMMON[:1], kind="two", after=_TWO),
    _entry(
        "HashingEncoder",
        "n_components=4",
        "hash_method='sha1'",
        "max_process=1, process_creation_method='fork'",
        common=("", "cols=['city', 'size']", "drop_invariant=True", "return_df=False"),
    ),
    _entry("SumEncoder"),
    _entry("HelmertEncoder"),
    _entry("PolynomialEncoder"),
    _entry("BackwardDifferenceEncoder"),
    _entry("QuantileEncoder", "quantile=0.25", "m=3.0"),
    _entry("SummaryEncoder", "quantiles=(0.1, 0.9)"),
    _entry("RankHotEncoder"),
    _entry("MultiHotEncoder", common=_COMMON[:2]),
    _entry("CountTargetEncoder", "min_samples_leaf=5", kind="two", after=_TWO),
    Entry("PolynomialWrapper", "labels/classes", ("TargetEncoder()",), after=_TWO),
    Entry("NestedCVWrapper", "labels/two", ("TargetEncoder(), random_state=0",), after=_TWO),
)
