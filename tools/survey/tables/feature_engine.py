"""feature-engine: transformers of DataFrames."""

from tools.survey.cases import Entry

_LABELS = "categories/value"
_CODED = (
    "OrdinalEncoder(encoding_method='arbitrary', unseen='encode', missing_values='ignore'), SimpleImputer(), Ridge()"
)
_TWO = "LogisticRegression()"
_FILLED = "SimpleImputer(), Ridge()"
_LAGGED = "SimpleImputer(), Ridge()"
_UNSEEN = (
    "unseen='encode'",
    "ignore_format=True, variables=['city', 'size']",
    "missing_values='ignore' @ labels with gaps/value",
)
_REFUSED_DROP = "drops rows"


def _selector(name: str, *options: str, fits: str = "wide/two") -> Entry:
    return Entry(name, fits, options or ("",), after=_TWO if fits.endswith("two") else "Ridge()")


ENTRIES = (
    # creation
    Entry(
        "CyclicalFeatures",
        "numbers/value",
        (
            "variables=['rating', 'delta']",
            "variables=['rating'], max_values={'rating': 7}",
            "variables=['rating'], drop_original=True",
        ),
    ),
    Entry(
        "DecisionTreeFeatures",
        "numbers/value",
        (
            "features_to_combine=2",
            "variables=['price', 'noise'], features_to_combine=[1], precision=2",
            "variables=['price', 'noise'], regression=False, scoring='accuracy' @ numbers/two",
            "variables=['price', 'income'], drop_original=True",
        ),
    ),
    Entry(
        "GeoDistanceFeatures",
        "shares/value",
        (
            "'p', 'q', 'r', 's'",
            "'p', 'q', 'r', 's', method='euclidean'",
            "'p', 'q', 'r', 's', method='manhattan', output_unit='miles'",
            "'p', 'q', 'r', 's', output_unit='meters', drop_original=True",
        ),
    ),
    Entry(
        "MathFeatures",
        "numbers/value",
        (
            "['price', 'noise', 'delta'], func=['sum', 'mean', 'min', 'max']",
            "['price', 'noise'], func=['prod', 'std', 'var', 'median']",
            "['price', 'noise'], func='sum', drop_original=True",
            "['price', 'noise'], func='sum', new_variables_names=['total']",
        ),
    ),
    Entry(
        "MathFeatures",
        "gaps/value",
        ("['price', 'noise', 'delta'], func=['sum', 'mean', 'max', 'std'], missing_values='ignore'",),
        after=_FILLED,
    ),
    Entry(
        "RelativeFeatures",
        "positive/value",
        (
            "['area'], ['width'], ['add', 'sub', 'mul', 'div']",
            "['area', 'mass'], ['width'], ['floordiv', 'mod']",
            "['area'], ['width'], ['truediv'], drop_original=True",
            "['area'], ['width'], ['pow']",
            "['area'], ['width'], ['div'], fill_value=0",
        ),
    ),
    Entry(
        "RelativeFeatures",
        "gaps/value",
        ("['price'], ['noise'], ['sub', 'div'], missing_values='ignore'",),
        after=_FILLED,
    ),
    # datetime
    Entry(
        "DatetimeFeatures",
        "days/value",
        (
            "",
            "features_to_extract='all'",
            "features_to_extract=['week', 'quarter', 'weekend', 'leap_year']",
            "variables=['sold', 'shipped'], features_to_extract=['year', 'month', 'hour', 'month_end']",
        ),
    ),
    Entry(
        "DatetimeSubtraction",
        "days/value",
        (
            "variables=['shipped'], reference=['sold'], drop_original=True",
            "variables=['shipped'], reference=['sold'], output_unit='h', drop_original=True",
            "variables=['shipped'], reference=['sold'], output_unit='M', drop_original=True",
            "variables=['shipped'], reference=['sold'], new_variables_names=['took'], drop_original=True",
        ),
    ),
    Entry("DatetimeOrdinal", "days/value", ("", "start_date='2023-01-01'", "variables=['sold', 'shipped']")),
    # discretisation
    Entry(
        "ArbitraryDiscretiser",
        "numbers/value",
        ("{'price': [-200, -10, 0, 10, 200]}", "{'price': [-200, 0, 200], 'noise': [-9, 0, 9]}"),
    ),
    Entry(
        "DecisionTreeDiscretiser",
        "numbers/value",
        (
            "random_state=0",
            "random_state=0, bin_output='bin_number'",
            "random_state=0, precision=2, variables=['price']",
            "random_state=0, regression=False, scoring='accuracy' @ numbers/two",
        ),
    ),
    Entry(
        "EqualFrequencyDiscretiser",
        "numbers/value",
        ("q=4, variables=['price', 'income', 'noise']", "q=10, variables=['noise']"),
    ),
    Entry("EqualWidthDiscretiser", "numbers/value", ("", "bins=5, variables=['price', 'income']")),
    Entry("GeometricWidthDiscretiser", "positive/value", ("", "bins=4, variables=['area']")),
    Entry(
        "EqualFrequencyDiscretiser",
        "numbers/value",
        ("q=4, variables=['price'], return_object=True", "q=4, variables=['price'], return_boundaries=True"),
        after="OneHotEncoder(ignore_format=True, variables=['price']), Ridge()",
    ),
    Entry(
        "EqualWidthDiscretiser",
        "numbers/value",
        ("bins=4, variables=['price'], return_object=True", "bins=4, variables=['price'], return_boundaries=True"),
        after="OneHotEncoder(ignore_format=True, variables=['price']), Ridge()",
    ),
    Entry(
        "GeometricWidthDiscretiser",
        "positive/value",
        ("bins=4, variables=['area'], return_object=True",),
        after="OneHotEncoder(ignore_format=True, variables=['area']), Ridge()",
    ),
    Entry(
        "ArbitraryDiscretiser",
        "numbers/value",
        ("{'price': [-200, 0, 200]}, return_object=True", "{'price': [-200, 0, 200]}, return_boundaries=True"),
        after="OneHotEncoder(ignore_format=True, variables=['price']), Ridge()",
    ),
    # encoding
    Entry("CountFrequencyEncoder", _LABELS, ("", "encoding_method='frequency'", *_UNSEEN), after=_FILLED),
    Entry(
        "DecisionTreeEncoder",
        _LABELS,
        (
            "random_state=0",
            "random_state=0, precision=2, unseen='encode', fill_value=0.0",
            "random_state=0, encoding_method='ordered'",
            "random_state=0, regression=False, scoring='accuracy' @ categories/two",
        ),
    ),
    Entry("MeanEncoder", _LABELS, ("", "smoothing=10.0", "smoothing='auto'", *_UNSEEN), after=_FILLED),
    Entry(
        "OneHotEncoder",
        _LABELS,
        (
            "",
            "top_categories=3",
            "drop_last=True",
            "drop_last_binary=True",
            "variables=['city', 'size', 'price'], ignore_format=True, top_categories=4",
        ),
    ),
    Entry("OneHotEncoder", _LABELS, ("variables=['size']",), after="OrdinalEncoder(), Ridge()"),
    Entry("OrdinalEncoder", _LABELS, ("", "encoding_method='arbitrary'", *_UNSEEN), after=_FILLED),
    Entry(
        "RareLabelEncoder",
        _LABELS,
        (
            "n_categories=2",
            "n_categories=2, tol=0.1, replace_with='other'",
            "n_categories=2, max_n_categories=2",
            "n_categories=2, missing_values='ignore' @ labels with gaps/value",
        ),
        after=_CODED,
    ),
    Entry(
        "StringSimilarityEncoder",
        _LABELS,
        (
            "",
            "top_categories=2",
            "keywords={'city': ['Lyon', 'Gra']}, variables=['city', 'size']",
            "missing_values='ignore' @ labels with gaps/value",
            "missing_values='impute' @ labels with gaps/value",
        ),
        after=_FILLED,
    ),
    Entry("WoEEncoder", "categories/two", ("fill_value=0.01", "unseen='raise', fill_value=0.1")),
    # imputation
    Entry(
        "ArbitraryNumberImputer",
        "gaps/value",
        ("", "arbitrary_number=-1", "imputer_dict={'price': 5, 'noise': 0, 'rating': 3, 'income': 1000}"),
    ),
    Entry(
        "CategoricalImputer",
        "labels with gaps/value",
        ("", "imputation_method='frequent'", "fill_value='none', variables=['city', 'size']", "return_object=True"),
        after=_CODED,
    ),
    Entry(
        "MeanMedianImputer",
        "gaps/value",
        ("", "imputation_method='mean'", "variables=['price', 'noise', 'rating', 'income']"),
    ),
    Entry(
        "EndTailImputer", "gaps/value", ("", "imputation_method='iqr', tail='left'", "imputation_method='max', fold=2")
    ),
    Entry(
        "AddMissingIndicator", "gaps/value", ("", "missing_only=False", "variables=['price', 'delta']"), after=_FILLED
    ),
    Entry(
        "DropMissingData",
        "gaps/value",
        ("missing_only=False, variables=['flag']",),
        after=_FILLED,
        refused=_REFUSED_DROP,
    ),
    Entry("RandomSampleImputer", "gaps/value", ("random_state=0",), refused="draws random numbers"),
    # outliers
    Entry(
        "ArbitraryOutlierCapper",
        "numbers/value",
        ("max_capping_dict={'price': 50}", "max_capping_dict={'price': 50}, min_capping_dict={'noise': -1}"),
    ),
    Entry("OutlierTrimmer", "numbers/value", ("fold=100",), refused=_REFUSED_DROP),
    Entry(
        "Winsorizer",
        "numbers/value",
        (
            "variables=['price', 'noise']",
            "capping_method='iqr', tail='both', variables=['price', 'noise']",
            "capping_method='quantiles', tail='left', fold=0.05, variables=['price']",
            "capping_method='mad', variables=['price']",
            "add_indicators=True, tail='both', variables=['price']",
        ),
    ),
    Entry("Winsorizer", "gaps/value", ("missing_values='ignore', variables=['price']",), after=_FILLED),
    # preprocessing, scaling
    Entry("MatchVariables", "numbers/value", ("verbose=False", "fill_value=0.0, match_dtypes=True, verbose=False")),
    Entry(
        "MatchCategories",
        _LABELS,
        ("", "variables=['city']", "ignore_format=True, variables=['size']"),
        after="OrdinalEncoder(encoding_method='arbitrary'), Ridge()",
    ),
    Entry("MeanNormalizationScaler", "numbers/value", ("", "variables=['price', 'income']")),
    # selection
    Entry("DropFeatures", "wide/value", ("['same', 'late']",), after="Ridge()"),
    _selector("DropConstantFeatures", "", "tol=0.9"),
    _selector("DropDuplicateFeatures", "", "variables=['price', 'copy']"),
    _selector("DropCorrelatedFeatures", "", "method='spearman', threshold=0.5"),
    _selector("DropHighPSIFeatures", "split_col='late'", "split_col='late', split_frac=0.3, strategy='equal_width'"),
    _selector(
        "SelectByInformationValue",
        "variables=['price', 'noise', 'delta'], bins=2",
        "variables=['price', 'noise', 'delta'], bins=3, threshold=0.01, strategy='equal_frequency'",
    ),
    _selector(
        "ProbeFeatureSelection",
        "LogisticRegression(), cv=2",
        "DecisionTreeClassifier(random_state=0), collective=False, n_probes=2, cv=2",
    ),
    _selector(
        "RecursiveFeatureAddition",
        "LogisticRegression(), cv=2",
        "DecisionTreeClassifier(random_state=0), threshold=0.001, cv=2",
    ),
    _selector(
        "RecursiveFeatureElimination",
        "LogisticRegression(), cv=2",
        "DecisionTreeClassifier(random_state=0), threshold=0.1, cv=2",
    ),
    _selector(
        "SelectByShuffling",
        "LogisticRegression(), cv=2, random_state=0",
        "Ridge(), scoring='r2', cv=2, random_state=0 @ wide/two",
    ),
    _selector(
        "SelectBySingleFeaturePerformance", "LogisticRegression(), cv=2", "LogisticRegression(), cv=2, threshold=0.51"
    ),
    _selector(
        "SmartCorrelatedSelection",
        "",
        "selection_method='variance', threshold=0.9",
        "selection_method='model_performance', estimator=LogisticRegression(), cv=2",
    ),
    _selector(
        "SelectByTargetMeanPerformance",
        "variables=['price', 'noise', 'delta'], cv=2",
        "variables=['price', 'noise', 'delta'], bins=3, strategy='equal_frequency', cv=2, threshold=0.5",
    ),
    _selector("MRMR", "random_state=0", "method='FCQ', max_features=3, random_state=0"),
    # text, time
    Entry(
        "TextFeatures",
        "text frame/value",
        (
            "['review'], drop_original=True",
            "['review'], features=['word_count', 'char_count', 'digit_count', 'avg_word_length'], drop_original=True",
            "'review', features=['uppercase_count', 'unique_word_count', 'lexical_diversity'], drop_original=True",
        ),
    ),
    Entry(
        "LagFeatures",
        "series/value",
        ("periods=[1, 2]", "variables=['sales'], periods=3, fill_value=0.0", "periods=1, drop_original=True"),
        after=_LAGGED,
        context=3,
    ),
    Entry(
        "WindowFeatures",
        "series/value",
        (
            "",
            "window=2, functions=['mean', 'max', 'std']",
            "window=[2, 3], variables=['sales'], drop_original=True",
            "window=3, min_periods=1, functions='sum'",
        ),
        after=_LAGGED,
        context=4,
    ),
    Entry(
        "ExpandingWindowFeatures",
        "series/value",
        ("", "functions=['max', 'count']"),
        after=_LAGGED,
        context=4,
        refused="needs all earlier rows",
    ),
    # transformation
    Entry("ArcsinTransformer", "shares/value"),
    Entry("ArcSinhTransformer", "numbers/value", ("", "variables=['price', 'income']")),
    Entry("BoxCoxTransformer", "positive/value", ("", "variables=['area']")),
    Entry(
        "LogCpTransformer",
        "numbers/value",
        (
            "",
            "variables=['price', 'noise'], C=500, base='10'",
            "C={'price': 300, 'noise': 20}, variables=['price', 'noise']",
        ),
    ),
    Entry("LogTransformer", "positive/value", ("", "base='10', variables=['area']")),
    Entry(
        "PowerTransformer",
        "positive/value",
        ("", "exp=2, variables=['area']", "exp=-0.7, variables=['area']", "exp=1 / 3, variables=['area', 'mass']"),
    ),
    Entry("ReciprocalTransformer", "positive/value", ("", "variables=['area']")),
    Entry("YeoJohnsonTransformer", "numbers/value", ("variables=['price', 'noise']", "variables=['rating', 'income']")),
    # wrappers, pipelines
    Entry(
        "SklearnTransformerWrapper",
        "numbers/value",
        (
            "StandardScaler()",
            "StandardScaler(), variables=['price']",
            "PolynomialFeatures(2), variables=['price', 'noise']",
            "SelectKBest(f_regression, k=3)",
            "KBinsDiscretizer(4, encode='ordinal'), variables=['price']",
        ),
    ),
    Entry("Pipeline", "categories/value", ("[('labels', OrdinalEncoder()), ('final', Ridge())]",), bare=True),
)
