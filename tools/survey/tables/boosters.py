"""Gradient boosting libraries."""

from tools.survey.cases import Entry
from tools.survey.tables import with_settings

_RANKS = "group=[20] * 9"
_LIGHT = (
    "",
    "boosting_type='dart', n_estimators=30",
    "boosting_type='rf', subsample=0.7, subsample_freq=1, n_estimators=20",
    "linear_tree=True, n_estimators=20",
    "num_leaves=7, max_depth=3, learning_rate=0.3",
    "data_sample_strategy='goss', n_estimators=30",
    "extra_trees=True, n_estimators=30",
    "use_missing=False, n_estimators=20 @ gaps/{0}",
    "zero_as_missing=True, n_estimators=20",
    "n_estimators=20 @ category dtype/{0}",
    "n_estimators=20, max_cat_to_onehot=1, min_data_per_group=5 @ category dtype/{0}",
    "categorical_feature=[0, 1], n_estimators=20 @ codes/{0}",
    "monotone_constraints=[1, 0, 0, 0, 0, 0], n_estimators=20",
    "n_estimators=1",
)
_LIGHT_REGRESSION = (
    *(option.format("value") for option in _LIGHT),
    *(f"objective={name!r}, n_estimators=20" for name in ("mae", "huber", "quantile", "fair", "mape")),
    *(f"objective={name!r}, n_estimators=20 @ positive/positive" for name in ("poisson", "gamma", "tweedie")),
    "reg_sqrt=True, n_estimators=20 @ positive/positive",
    "objective='cross_entropy', n_estimators=20 @ numbers/two",
)
_LIGHT_CLASSES = (
    *(option.format("classes") for option in _LIGHT),
    "class_weight='balanced', n_estimators=20",
    "is_unbalance=True, n_estimators=20 @ numbers/two",
    "objective='multiclassova', n_estimators=20 @ numbers/classes",
    "n_estimators=20 @ gaps/words",
    "n_estimators=20 @ numbers/tens",
)
LIGHTGBM = (
    Entry("LGBMRegressor", "numbers/value + gaps/value", with_settings(_LIGHT_REGRESSION, "verbose=-1")),
    Entry("LGBMClassifier", "numbers/two + gaps/classes", with_settings(_LIGHT_CLASSES, "verbose=-1")),
    Entry(
        "LGBMRanker",
        "numbers/grades",
        ("n_estimators=20, verbose=-1", "objective='rank_xendcg', n_estimators=20, verbose=-1"),
        fit=_RANKS,
    ),
)

_XGB = (
    "",
    "booster='dart', rate_drop=0.2, n_estimators=20",
    "booster='gblinear', n_estimators=20 @ numbers/{0}",
    "tree_method='exact', n_estimators=20",
    "tree_method='approx', n_estimators=20",
    "grow_policy='lossguide', max_leaves=7, n_estimators=20",
    "subsample=0.6, colsample_bytree=0.5, n_estimators=20",
    "num_parallel_tree=3, n_estimators=10",
    "base_score=0.4, n_estimators=20",
    "missing=-1.0, n_estimators=20",
    "missing=0.0, n_estimators=20 @ numbers/{0}",
    "enable_categorical=True, n_estimators=20 @ category dtype/{0}",
    "enable_categorical=True, max_cat_to_onehot=1, n_estimators=20 @ category dtype/{0}",
    "monotone_constraints={{'price': 1}}, n_estimators=20 @ numbers/{0}",
    "n_estimators=1, max_depth=1",
)
_XGB_REGRESSION = (
    *(option.format("value") for option in _XGB),
    *(f"objective={name!r}, n_estimators=20" for name in ("reg:absoluteerror", "reg:pseudohubererror")),
    "objective='reg:quantileerror', quantile_alpha=0.8, n_estimators=20",
    "objective='reg:quantileerror', quantile_alpha=[0.1, 0.9], n_estimators=20",
    *(
        f"objective={name!r}, n_estimators=20 @ positive/positive"
        for name in ("count:poisson", "reg:gamma", "reg:tweedie", "reg:squaredlogerror")
    ),
    "objective='reg:logistic', n_estimators=20 @ numbers/two",
    "n_estimators=20 @ numbers/targets",
    "multi_strategy='multi_output_tree', n_estimators=20 @ numbers/targets",
)
_XGB_CLASSES = (
    *(option.format("two") for option in _XGB),
    "objective='multi:softmax', n_estimators=20 @ numbers/numeric",
    "n_estimators=20 @ numbers/numeric",
    "n_estimators=20 @ numbers/labels",
    "objective='binary:hinge', n_estimators=20 @ numbers/two",
    "objective='binary:logitraw', n_estimators=20 @ numbers/two",
    "scale_pos_weight=3.0, n_estimators=20 @ numbers/rare",
)
XGBOOST = (
    Entry("XGBRegressor", "numbers/value + gaps/value", _XGB_REGRESSION),
    Entry("XGBClassifier", "numbers/two + gaps/numeric", _XGB_CLASSES),
    Entry(
        "XGBRegressor",
        "categories/value",
        ("n_estimators=20",),
        before="ColumnTransformer([('labels', OneHotEncoder(), ['city', 'size'])], remainder='passthrough')",
    ),
    Entry("XGBRFRegressor", "numbers/value + gaps/value", ("", "n_estimators=20, max_depth=4")),
    Entry("XGBRFClassifier", "numbers/two + gaps/numeric", ("", "n_estimators=20, max_depth=4")),
    Entry("XGBRanker", "numbers/grades", ("n_estimators=20", "objective='rank:pairwise', n_estimators=20"), fit=_RANKS),
)

_CAT = (
    "",
    "depth=3, learning_rate=0.3",
    "grow_policy='Lossguide', max_leaves=7",
    "grow_policy='Depthwise', depth=4",
    "boosting_type='Ordered'",
    "bootstrap_type='Bernoulli', subsample=0.7",
    "nan_mode='Max' @ gaps/{0}",
    "cat_features=['city', 'size'], one_hot_max_size=10 @ categories/{0}",
    "cat_features=['city', 'size'] @ categories/{0}",
    "cat_features=['k0', 'k1'], one_hot_max_size=10 @ codes/{0}",
    "l2_leaf_reg=10.0, random_strength=0",
)
_CAT_REGRESSION = (
    *(option.format("value") for option in _CAT),
    *(f"loss_function={name!r}" for name in ("MAE", "Quantile:alpha=0.8", "Huber:delta=1.0", "LogCosh")),
    *(f"loss_function={name!r} @ positive/positive" for name in ("Poisson", "Tweedie:variance_power=1.5")),
    "loss_function='MultiRMSE' @ numbers/targets",
)
_CAT_CLASSES = (
    *(option.format("classes") for option in _CAT),
    "@ numbers/words",
    "loss_function='CrossEntropy' @ numbers/two",
    "loss_function='MultiClassOneVsAll' @ numbers/classes",
    "auto_class_weights='Balanced' @ numbers/rare",
    "loss_function='MultiLogloss' @ numbers/labels",
)
_QUIET = "iterations=25, verbose=0, allow_writing_files=False, random_seed=1"


CATBOOST = (
    Entry("CatBoostRegressor", "numbers/value + gaps/value", with_settings(_CAT_REGRESSION, _QUIET)),
    Entry("CatBoostClassifier", "numbers/two + gaps/classes", with_settings(_CAT_CLASSES, _QUIET)),
    Entry("CatBoost", "numbers/value", ("dict(iterations=25, verbose=0, allow_writing_files=False, random_seed=1)",)),
    Entry(
        "CatBoostRanker",
        "numbers/value",
        with_settings(("loss_function='YetiRank'",), _QUIET),
        fit="group_id=np.repeat(range(9), 20)",
    ),
)
