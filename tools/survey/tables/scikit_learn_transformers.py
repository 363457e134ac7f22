"""scikit-learn's transformers."""

from tools.survey.cases import Entry

_VALUE = "numbers/value"
_TEXT = "texts/classes + texts/two"
_SCALE = "StandardScaler()"
_POSITIVE = "MinMaxScaler(clip=True)"
_DENSE = "OneHotEncoder(sparse_output=False, handle_unknown='ignore')"
_ONE_HOT = (
    "",
    "handle_unknown='ignore'",
    "sparse_output=False",
    "drop='first'",
    "drop='if_binary'",
    "min_frequency=30, handle_unknown='infrequent_if_exist'",
    "max_categories=3, sparse_output=False",
    "handle_unknown='ignore' @ labels with gaps/value",
    "handle_unknown='ignore' @ codes/value",
    "categories=[['Lyon', 'Graz', 'Łódź', 'Åre', 'Porto', 'Rome'], ['S', 'M', 'L']] @ labels/value",
    "handle_unknown='warn'",
)
_FILLED = "OrdinalEncoder(), SimpleImputer(), Ridge()"


def _scaled(name: str, *options: str, fits: str = _VALUE, before: str = _SCALE, refused: str = "") -> Entry:
    return Entry(name, fits, options or ("",), before=before, refused=refused)


TRANSFORMERS = (
    # scaling
    Entry("StandardScaler", _VALUE, ("", "with_mean=False", "with_std=False")),
    Entry("MinMaxScaler", _VALUE, ("", "feature_range=(-1, 1)", "clip=True")),
    Entry("MaxAbsScaler", _VALUE, ("", "clip=True")),
    Entry("RobustScaler", _VALUE, ("", "quantile_range=(10.0, 90.0)", "with_centering=False", "unit_variance=True")),
    Entry("StandardScaler", "gaps/value", after="SimpleImputer(), Ridge()"),
    Entry("Normalizer", _VALUE, ("", "norm='l1'", "norm='max'")),
    Entry("Binarizer", _VALUE, ("", "threshold=1.5")),
    _scaled("PowerTransformer", "", "standardize=False"),
    Entry("PowerTransformer", "positive/value", ("method='box-cox'", "")),
    Entry(
        "QuantileTransformer",
        _VALUE,
        ("n_quantiles=50", "n_quantiles=20, output_distribution='normal'", "n_quantiles=100, subsample=None"),
    ),
    Entry(
        "KBinsDiscretizer",
        _VALUE,
        (
            "quantile_method='averaged_inverted_cdf'",
            "3, encode='ordinal', strategy='uniform'",
            "4, encode='onehot-dense', quantile_method='linear'",
            "3, strategy='kmeans', random_state=0",
        ),
    ),
    Entry(
        "PolynomialFeatures",
        _VALUE,
        ("", "interaction_only=True", "include_bias=False", "degree=3", "degree=(2, 3)"),
        before=_SCALE,
    ),
    Entry(
        "SplineTransformer",
        _VALUE,
        (
            "",
            "n_knots=4, degree=2",
            "extrapolation='linear'",
            "knots='quantile', include_bias=False",
            "extrapolation='periodic'",
            "extrapolation='continue'",
        ),
    ),
    Entry(
        "FunctionTransformer",
        "positive/value",
        ("", "np.log1p", "np.sqrt", "func=np.log1p, inverse_func=np.expm1", "np.abs", "np.log10"),
    ),
    Entry("KernelCenterer", _VALUE, refused="takes a kernel matrix over all training rows"),
    # imputation
    Entry(
        "SimpleImputer",
        "gaps/value",
        (
            "",
            "strategy='median'",
            "strategy='most_frequent'",
            "strategy='constant', fill_value=-1.0",
            "add_indicator=True",
            "keep_empty_features=True",
            "missing_values=0 @ numbers/value",
        ),
    ),
    Entry(
        "SimpleImputer",
        "labels with gaps/value",
        ("strategy='most_frequent'", "strategy='constant', fill_value='none'"),
        after="OneHotEncoder(handle_unknown='ignore'), Ridge()",
        before="ColumnTransformer([('labels', 'passthrough', ['city', 'size'])])",
    ),
    Entry(
        "KNNImputer", "gaps/value", ("", "n_neighbors=2", "weights='distance'", "add_indicator=True", "n_neighbors=1")
    ),
    Entry("IterativeImputer", "gaps/value", ("random_state=0", "random_state=0, add_indicator=True, max_iter=3")),
    Entry("MissingIndicator", "gaps/value", ("", "features='all'", "sparse=True")),
    # categories
    Entry("OneHotEncoder", "labels/value", _ONE_HOT),
    Entry(
        "OrdinalEncoder",
        "labels/value",
        (
            "",
            "handle_unknown='use_encoded_value', unknown_value=-1",
            "min_frequency=30",
            "max_categories=3",
            "dtype=np.int64",
            "categories=[['Lyon', 'Graz', 'Łódź', 'Åre', 'Porto', 'Rome'], ['S', 'M', 'L']]",
            "handle_unknown='use_encoded_value', unknown_value=-2, encoded_missing_value=-1 @ labels with gaps/value",
        ),
    ),
    Entry(
        "OrdinalEncoder",
        "labels with gaps/value",
        ("handle_unknown='use_encoded_value', unknown_value=np.nan",),
        after="SimpleImputer(), Ridge()",
    ),
    Entry(
        "TargetEncoder",
        "labels/value",
        (
            "",
            "smooth=10.0",
            "target_type='continuous'",
            "cv=3, random_state=0, shuffle=True",
            " @ labels/two",
            " @ labels/classes",
            " @ labels with gaps/value",
        ),
    ),
    Entry("LabelBinarizer", "numbers/value", refused="encodes targets"),
    Entry("LabelEncoder", "numbers/value", refused="encodes targets"),
    Entry("MultiLabelBinarizer", "numbers/value", refused="encodes targets"),
    # text
    Entry(
        "CountVectorizer",
        _TEXT,
        (
            "",
            "binary=True",
            "ngram_range=(1, 2)",
            "analyzer='char', ngram_range=(2, 3)",
            "analyzer='char_wb', ngram_range=(2, 3)",
            "lowercase=False",
            "stop_words='english'",
            "token_pattern=r'[a-z]+'",
            "min_df=3, max_df=0.8",
            "max_features=10",
            "strip_accents='unicode'",
            "vocabulary=['good', 'bad', 'tea']",
        ),
    ),
    Entry(
        "TfidfVectorizer",
        _TEXT,
        (
            "",
            "sublinear_tf=True",
            "norm=None",
            "norm='l1'",
            "use_idf=False",
            "smooth_idf=False",
            "ngram_range=(1, 2), min_df=2",
            "analyzer='char_wb', ngram_range=(2, 4)",
            "token_pattern=r'(?u)\\b\\w+\\b'",
            "stop_words='english'",
            "binary=True, dtype=np.float32",
        ),
    ),
    Entry(
        "HashingVectorizer",
        _TEXT,
        (
            "",
            "n_features=64",
            "alternate_sign=False",
            "norm=None, n_features=256",
            "ngram_range=(1, 2), n_features=128",
        ),
    ),
    Entry("TfidfTransformer", "counts/two", ("", "sublinear_tf=True", "norm='l1'", "use_idf=False")),
    Entry("TfidfTransformer", _TEXT, ("",), before="CountVectorizer()"),
    Entry("DictVectorizer", "mappings/value", ("", "sparse=False"), refused="takes mappings, not rows of columns"),
    Entry("FeatureHasher", "mappings/value", ("n_features=32",), refused="takes mappings, not rows of columns"),
    Entry("PatchExtractor", _VALUE, refused="takes images"),
    # decomposition
    _scaled(
        "PCA",
        "",
        "n_components=3",
        "n_components=0.8",
        "whiten=True, n_components=3",
        "svd_solver='randomized', n_components=2, random_state=0",
    ),
    _scaled("IncrementalPCA", "", "n_components=3", "whiten=True, n_components=3"),
    _scaled(
        "KernelPCA",
        "n_components=3",
        "n_components=3, kernel='rbf'",
        "n_components=3, kernel='poly', degree=2",
        "n_components=3, kernel='cosine'",
        "n_components=3, kernel='sigmoid', gamma=0.01",
    ),
    _scaled(
        "FastICA",
        "n_components=3, random_state=0",
        "n_components=3, fun='exp', random_state=0",
        "n_components=3, whiten='arbitrary-variance', random_state=0",
    ),
    _scaled(
        "FactorAnalysis", "n_components=2", "n_components=2, rotation='varimax'", "n_components=2, svd_method='lapack'"
    ),
    _scaled("TruncatedSVD", "random_state=0", "n_components=3, algorithm='arpack', random_state=0"),
    Entry("TruncatedSVD", _TEXT, ("n_components=4, random_state=0",), before="TfidfVectorizer()"),
    _scaled(
        "NMF",
        "n_components=3, tol=0, max_iter=50, random_state=0",
        "n_components=3, random_state=0",
        "n_components=2, solver='mu', beta_loss='kullback-leibler', random_state=0, init='nndsvda'",
        "n_components=2, alpha_W=0.01, l1_ratio=0.5, random_state=0",
        before=_POSITIVE,
    ),
    Entry("NMF", _TEXT, ("n_components=3, random_state=0",), before="TfidfVectorizer()"),
    _scaled(
        "MiniBatchNMF",
        "n_components=3, random_state=0",
        "n_components=2, beta_loss='kullback-leibler', random_state=0",
        before=_POSITIVE,
    ),
    Entry(
        "LatentDirichletAllocation",
        "counts/two",
        (
            "n_components=3, random_state=0",
            "n_components=2, learning_method='online', random_state=0",
            "n_components=3, doc_topic_prior=0.5, max_doc_update_iter=20, random_state=0",
        ),
    ),
    Entry("LatentDirichletAllocation", _TEXT, ("n_components=3, random_state=0",), before="CountVectorizer()"),
    _scaled(
        "DictionaryLearning",
        "n_components=3, random_state=0, max_iter=20",
        "n_components=3, random_state=0, max_iter=20, transform_algorithm='lasso_lars'",
        "n_components=3, random_state=0, max_iter=20, transform_algorithm='threshold'",
    ),
    _scaled(
        "MiniBatchDictionaryLearning",
        "n_components=3, random_state=0, max_iter=20",
        "n_components=3, random_state=0, max_iter=20, transform_algorithm='threshold'",
    ),
    _scaled(
        "SparseCoder",
        "np.eye(6)",
        "np.eye(6), transform_algorithm='threshold', transform_alpha=0.1",
        "np.eye(6), transform_algorithm='lasso_lars'",
    ),
    _scaled(
        "SparsePCA",
        "n_components=3, random_state=0, max_iter=30",
        "n_components=2, alpha=0.5, ridge_alpha=0.1, random_state=0, max_iter=30",
    ),
    _scaled("MiniBatchSparsePCA", "n_components=3, random_state=0, max_iter=30"),
    _scaled(
        "GaussianRandomProjection",
        "n_components=3, random_state=0",
        "n_components=4, compute_inverse_components=True, random_state=0",
    ),
    _scaled(
        "SparseRandomProjection",
        "n_components=3, random_state=0",
        "n_components=3, dense_output=True, density=0.5, random_state=0",
    ),
    _scaled(
        "BernoulliRBM",
        "n_components=3, random_state=0, n_iter=3",
        "n_components=2, learning_rate=0.01, random_state=0, n_iter=3",
        before=_POSITIVE,
    ),
    _scaled("PLSSVD", fits="numbers/targets", refused="its fit_transform gives two arrays, which no pipeline takes"),
    _scaled(
        "NeighborhoodComponentsAnalysis",
        "n_components=2, max_iter=10, random_state=0",
        "init='pca', max_iter=10, random_state=0",
        fits="numbers/two",
    ),
    Entry(
        "LinearDiscriminantAnalysis",
        "numbers/classes",
        ("", "n_components=1", "solver='eigen', shrinkage=0.1"),
        before=_SCALE,
        after="LogisticRegression()",
    ),
    # kernel approximation
    _scaled(
        "Nystroem",
        "n_components=20, random_state=0",
        "n_components=10, kernel='poly', degree=2, random_state=0",
        "n_components=10, kernel='laplacian', random_state=0",
        "n_components=10, kernel='cosine', random_state=0",
    ),
    _scaled("RBFSampler", "random_state=0", "n_components=20, gamma='scale', random_state=0"),
    _scaled(
        "PolynomialCountSketch", "random_state=0, n_components=16", "degree=3, coef0=1, random_state=0, n_components=16"
    ),
    Entry("AdditiveChi2Sampler", "shares/value", ("", "sample_steps=1", "sample_steps=3")),
    Entry(
        "SkewedChi2Sampler",
        "shares/value",
        ("random_state=0, n_components=10", "skewedness=0.5, random_state=0, n_components=10"),
    ),
    # manifolds
    _scaled("Isomap", "", "n_neighbors=8, n_components=3", "metric='manhattan'"),
    _scaled("LocallyLinearEmbedding", "random_state=0", "method='modified', n_neighbors=8, random_state=0"),
    Entry("TSNE", _VALUE, ("random_state=0, max_iter=250",), refused="cannot answer for new rows"),
    Entry("MDS", _VALUE, ("random_state=0, n_init=1, init='random'",), refused="cannot answer for new rows"),
    Entry("ClassicalMDS", _VALUE, refused="cannot answer for new rows"),
    Entry("SpectralEmbedding", _VALUE, ("random_state=0",), refused="cannot answer for new rows"),
    # graphs of neighbours
    _scaled("KNeighborsTransformer", "n_neighbors=3", "n_neighbors=3, mode='connectivity'"),
    _scaled("RadiusNeighborsTransformer", "radius=2.0", "radius=2.0, mode='connectivity'"),
    # selection
    Entry(
        "SelectKBest",
        _VALUE,
        (
            "f_regression, k=3",
            "r_regression, k=2",
            "k=2 @ numbers/two",
            "chi2, k=2 @ counts/two",
            "lambda X, y: mutual_info_regression(X, y, random_state=0), k=3",
        ),
    ),
    Entry("SelectPercentile", _VALUE, ("f_regression, percentile=50", "percentile=30 @ numbers/classes")),
    Entry("SelectFpr", _VALUE, ("f_regression", "alpha=0.5 @ numbers/two")),
    Entry("SelectFdr", _VALUE, ("f_regression", "alpha=0.5 @ numbers/two")),
    Entry("SelectFwe", _VALUE, ("f_regression", "alpha=0.5 @ numbers/two")),
    Entry(
        "GenericUnivariateSelect",
        _VALUE,
        ("f_regression, mode='k_best', param=3", "mode='fpr', param=0.5 @ numbers/two"),
    ),
    Entry(
        "SelectFromModel",
        _VALUE,
        (
            "Lasso()",
            "RandomForestRegressor(n_estimators=5, random_state=0), threshold='median'",
            "Ridge(), max_features=2, threshold=-np.inf",
            "LogisticRegression() @ counts/two",
        ),
    ),
    Entry(
        "SequentialFeatureSelector",
        _VALUE,
        ("Ridge(), n_features_to_select=2, cv=2", "Ridge(), n_features_to_select=4, direction='backward', cv=2"),
    ),
    Entry(
        "RFE",
        _VALUE,
        (
            "Ridge()",
            "DecisionTreeRegressor(random_state=0), n_features_to_select=2",
            "LogisticRegression(), step=2 @ counts/two",
        ),
    ),
    Entry("RFE", _VALUE, ("Ridge()",), after="Ridge()"),
    Entry("RFECV", _VALUE, ("Ridge(), cv=3", "DecisionTreeRegressor(random_state=0), cv=3")),
    Entry("VarianceThreshold", "wide/value", ("", "threshold=1.0")),
    Entry(
        "RandomTreesEmbedding",
        _VALUE,
        ("n_estimators=5, max_depth=3, random_state=0", "n_estimators=5, sparse_output=False, random_state=0"),
    ),
    Entry(
        "FeatureAgglomeration",
        _VALUE,
        (
            "",
            "n_clusters=3, linkage='average'",
            "n_clusters=3, pooling_func=np.median",
            "n_clusters=2, pooling_func=np.max",
        ),
        before=_SCALE,
    ),
    # composition
    Entry(
        "ColumnTransformer",
        "categories/value",
        (
            f"[('labels', {_DENSE}, ['city', 'size'])], remainder='passthrough'",
            "[('labels', OneHotEncoder(), ['city', 'size']), ('scale', StandardScaler(), ['price'])]",
            "[('labels', 'drop', ['city', 'size']), ('scale', StandardScaler(), [2, 3])]",
            "[('all', MaxAbsScaler(), make_column_selector(dtype_include='number'))], verbose_feature_names_out=False",
            "[('labels', OneHotEncoder(), ['city', 'size'])], transformer_weights={'labels': 2.0}, sparse_threshold=0",
            "[('scale', StandardScaler(), lambda frame: ['price', 'income'])]",
        ),
    ),
    Entry(
        "FeatureUnion",
        _VALUE,
        (
            "[('scale', StandardScaler()), ('bins', KBinsDiscretizer(3, quantile_method='linear'))]",
            "[('scale', StandardScaler()), ('pca', PCA(2))], transformer_weights={'pca': 3.0}",
            "[('drop', 'drop'), ('same', 'passthrough')]",
        ),
    ),
)
