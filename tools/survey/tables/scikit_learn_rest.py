"""scikit-learn's clusters, outliers, densities, searches, and estimators around others."""

from tools.survey.cases import Entry

_VALUE = "numbers/value"
_VALUES = "numbers/value + numbers/targets"
_CLASS = "numbers/two + numbers/classes"
_NONE = "numbers/none"
_SCALE = "StandardScaler()"
_NEW = "cannot answer for new rows"
_NO_PREDICT = "has no predict"
_TREE = "DecisionTreeClassifier(max_depth=3, random_state=0)"


def _scaled(name: str, fits: str, *options: str, after: str = "", refused: str = "") -> Entry:
    return Entry(name, fits, options or ("",), before=_SCALE, after=after, refused=refused)


REST = (
    # clusters
    _scaled(
        "KMeans",
        _NONE,
        "3, random_state=0",
        "4, algorithm='elkan', random_state=0",
        "3, init='random', n_init=2, random_state=0",
    ),
    _scaled("KMeans", _VALUE, "5, random_state=0", after="Ridge()"),
    _scaled("MiniBatchKMeans", _NONE, "3, random_state=0", "4, batch_size=50, random_state=0"),
    _scaled("BisectingKMeans", _NONE, "3, random_state=0", "4, bisecting_strategy='largest_cluster', random_state=0"),
    _scaled("Birch", _NONE, "", "n_clusters=None", "n_clusters=4, threshold=1.0"),
    _scaled("MeanShift", _NONE, "", "bandwidth=2.0", "bandwidth=2.0, bin_seeding=True"),
    _scaled("AffinityPropagation", _NONE, "random_state=0", "damping=0.8, random_state=0"),
    _scaled("AgglomerativeClustering", _NONE, refused=_NEW),
    _scaled("DBSCAN", _NONE, refused=_NEW),
    _scaled("HDBSCAN", _NONE, "copy=True", refused=_NEW),
    _scaled("OPTICS", _NONE, refused=_NEW),
    _scaled("SpectralClustering", _NONE, "3, random_state=0", refused=_NEW),
    Entry("SpectralBiclustering", "positive/none", ("2, random_state=0",), refused=_NEW),
    Entry("SpectralCoclustering", "positive/none", ("2, random_state=0",), refused=_NEW),
    # densities and outliers
    _scaled(
        "GaussianMixture",
        _NONE,
        "2, random_state=0",
        "2, covariance_type='diag', random_state=0",
        "2, covariance_type='tied', random_state=0",
        "3, covariance_type='spherical', random_state=0",
    ),
    _scaled(
        "BayesianGaussianMixture",
        _NONE,
        "n_components=2, random_state=0",
        "n_components=3, covariance_type='diag', random_state=0",
        "n_components=2, weight_concentration_prior_type='dirichlet_distribution', random_state=0",
        "n_components=2, covariance_type='spherical', random_state=0",
        "n_components=2, covariance_type='tied', random_state=0",
    ),
    _scaled(
        "IsolationForest",
        "numbers/none + gaps/none",
        "n_estimators=20, random_state=0",
        "n_estimators=20, contamination=0.1, random_state=0",
        "n_estimators=20, max_features=2, max_samples=50, random_state=0",
    ),
    _scaled(
        "LocalOutlierFactor",
        _NONE,
        "novelty=True",
        "novelty=True, n_neighbors=5, contamination=0.1",
        "novelty=True, metric='manhattan'",
    ),
    _scaled("LocalOutlierFactor", _NONE, "", refused=_NEW),
    _scaled(
        "EllipticEnvelope",
        _NONE,
        "random_state=0",
        "contamination=0.2, random_state=0",
        "assume_centered=True, random_state=0",
    ),
    _scaled("OneClassSVM", _NONE, "", "nu=0.1, kernel='linear'", "nu=0.2, gamma=0.1", "kernel='poly', degree=2"),
    _scaled("SGDOneClassSVM", _NONE, "random_state=0", "nu=0.1, average=True, random_state=0"),
    _scaled("KernelDensity", _NONE, refused=_NO_PREDICT),
    _scaled("NearestNeighbors", _NONE, refused=_NO_PREDICT),
    _scaled("EmpiricalCovariance", _NONE, refused=_NO_PREDICT),
    _scaled("GraphicalLasso", _NONE, refused=_NO_PREDICT),
    _scaled("GraphicalLassoCV", _NONE, "cv=2", refused=_NO_PREDICT),
    _scaled("LedoitWolf", _NONE, refused=_NO_PREDICT),
    _scaled("MinCovDet", _NONE, "random_state=0", refused=_NO_PREDICT),
    _scaled("OAS", _NONE, refused=_NO_PREDICT),
    _scaled("ShrunkCovariance", _NONE, refused=_NO_PREDICT),
    # estimators around others
    _scaled(
        "BaggingClassifier",
        _CLASS,
        "n_estimators=4, random_state=0",
        "LogisticRegression(), n_estimators=4, max_features=0.5, random_state=0",
        "n_estimators=4, bootstrap_features=True, oob_score=False, random_state=0",
        "SVC(), n_estimators=3, random_state=0",
    ),
    _scaled(
        "BaggingRegressor",
        _VALUES,
        "n_estimators=4, random_state=0",
        "Ridge(), n_estimators=4, max_features=0.5, random_state=0",
        "KNeighborsRegressor(), n_estimators=3, random_state=0",
    ),
    _scaled(
        "CalibratedClassifierCV",
        _CLASS,
        "",
        "LinearSVC(random_state=0), cv=3",
        "GaussianNB(), method='isotonic', cv=3",
        "LogisticRegression(), ensemble=False, cv=3",
        "LogisticRegression(), method='temperature', cv=3",
    ),
    _scaled(
        "ClassifierChain",
        "numbers/labels",
        "LogisticRegression()",
        "LogisticRegression(), order=[1, 0]",
        "DecisionTreeClassifier(max_depth=3, random_state=0), cv=3",
    ),
    _scaled(
        "RegressorChain",
        "numbers/targets",
        "Ridge()",
        "DecisionTreeRegressor(max_depth=3, random_state=0), order=[1, 0]",
        "Ridge(), cv=3",
    ),
    _scaled(
        "MultiOutputClassifier",
        "numbers/labels + numbers/several",
        "LogisticRegression()",
        "DecisionTreeClassifier(max_depth=3, random_state=0)",
        "GaussianNB()",
    ),
    _scaled(
        "MultiOutputRegressor",
        "numbers/targets",
        "Ridge()",
        "GradientBoostingRegressor(n_estimators=5, random_state=0)",
        "SVR()",
    ),
    _scaled(
        "OneVsRestClassifier",
        f"{_CLASS} + numbers/labels",
        "LogisticRegression()",
        "LinearSVC(random_state=0)",
        "SVC()",
        "DecisionTreeClassifier(max_depth=3, random_state=0)",
    ),
    _scaled("OneVsOneClassifier", _CLASS, "LogisticRegression()", "LinearSVC(random_state=0)", "GaussianNB()"),
    _scaled(
        "OutputCodeClassifier",
        _CLASS,
        "LogisticRegression(), random_state=0",
        "LinearSVC(random_state=0), code_size=3.0, random_state=0",
    ),
    _scaled(
        "StackingClassifier",
        _CLASS,
        "[('a', LogisticRegression()), ('b', GaussianNB())], cv=3",
        f"[('a', LogisticRegression()), ('b', {_TREE})], passthrough=True, cv=3",
        f"[('a', LinearSVC(random_state=0)), ('b', GaussianNB())], final_estimator={_TREE}, cv=3",
    ),
    _scaled(
        "StackingRegressor",
        _VALUE,
        "[('a', Ridge()), ('b', DecisionTreeRegressor(max_depth=3, random_state=0))], cv=3",
        "[('a', Ridge()), ('b', SVR())], passthrough=True, cv=3",
        "[('a', Ridge()), ('b', KNeighborsRegressor())], final_estimator=Ridge(), cv=3",
    ),
    _scaled("StackingRegressor", _VALUE, "[('a', Ridge()), ('b', Lasso())], cv=3", after="Ridge()"),
    _scaled(
        "VotingClassifier",
        _CLASS,
        "[('a', LogisticRegression()), ('b', GaussianNB())]",
        "[('a', LogisticRegression()), ('b', GaussianNB())], voting='soft', weights=[2, 1]",
        f"[('a', LogisticRegression()), ('b', {_TREE}), ('c', LinearSVC(random_state=0))]",
    ),
    _scaled(
        "VotingRegressor",
        _VALUE,
        "[('a', Ridge()), ('b', DecisionTreeRegressor(max_depth=3, random_state=0))]",
        "[('a', Ridge()), ('b', 'drop'), ('c', Lasso())], weights=[2, 3, 1]",
    ),
    _scaled(
        "TransformedTargetRegressor",
        _VALUES,
        "Ridge()",
        "Ridge(), transformer=StandardScaler()",
        "Ridge(), func=np.log1p, inverse_func=np.expm1 @ numbers/positive",
        "Ridge(), transformer=QuantileTransformer(n_quantiles=20) @ numbers/value",
        "DecisionTreeRegressor(max_depth=3, random_state=0), transformer=PowerTransformer() @ numbers/value",
    ),
    _scaled("SelfTrainingClassifier", _CLASS, "LogisticRegression()", "GaussianNB(), criterion='k_best'"),
    _scaled(
        "FixedThresholdClassifier",
        "numbers/two + numbers/words",
        "LogisticRegression()",
        "LogisticRegression(), threshold=0.3",
        "LogisticRegression(), threshold=0.0, response_method='decision_function'",
    ),
    _scaled(
        "TunedThresholdClassifierCV",
        "numbers/two",
        "LogisticRegression(), cv=3",
        "LogisticRegression(), cv=3, scoring='f1', store_cv_results=True",
    ),
    _scaled(
        "FrozenEstimator",
        _VALUE,
        "Ridge().fit(np.eye(6), range(6))",
        "DecisionTreeRegressor().fit(np.eye(6), range(6))",
    ),
    # searches and pipelines
    _scaled(
        "GridSearchCV",
        _VALUE,
        "Ridge(), {'alpha': [0.1, 1.0]}, cv=3",
        "SVR(), {'C': [1.0, 10.0]}, cv=3",
        "LogisticRegression(), {'C': [0.1, 1.0]}, cv=3 @ numbers/classes",
    ),
    Entry(
        "GridSearchCV",
        "numbers/value",
        (
            "make_pipeline(StandardScaler(), Ridge()), {'ridge__alpha': [0.1, 1.0]}, cv=3",
            "RandomForestRegressor(n_estimators=5, random_state=0), {'max_depth': [2, 3]}, cv=3",
        ),
        bare=True,
    ),
    _scaled("RandomizedSearchCV", _VALUE, "Ridge(), {'alpha': [0.1, 1.0, 5.0]}, n_iter=2, random_state=0, cv=3"),
    _scaled("HalvingGridSearchCV", _VALUE, "Ridge(), {'alpha': [0.1, 1.0]}, cv=3, random_state=0"),
    _scaled("HalvingRandomSearchCV", _VALUE, "Ridge(), {'alpha': [0.1, 1.0, 5.0]}, cv=3, random_state=0"),
    Entry(
        "RandomizedSearchCV",
        "numbers/two",
        ("make_pipeline(StandardScaler(), Perceptron()), {'perceptron__alpha': [0.1, 1e-4]}, n_iter=2, cv=3",),
        bare=True,
    ),
    Entry(
        "Pipeline",
        "gaps/value",
        (
            "[('fill', SimpleImputer()), ('final', Ridge())]",
            "[('fill', SimpleImputer()), ('skip', 'passthrough'), ('inner', make_pipeline(StandardScaler(), Ridge()))]",
        ),
        bare=True,
    ),
    # columns of float32
    *(
        Entry(name, "float32/value")
        for name in ("LinearRegression", "HuberRegressor", "StandardScaler", "MinMaxScaler", "MaxAbsScaler")
    ),
    *(Entry(name, "float32/value") for name in ("RobustScaler", "SplineTransformer", "PolynomialFeatures")),
    *(_scaled(name, "float32/value") for name in ("Ridge", "Lasso", "SVR", "PCA")),
    *(_scaled(name, "float32/two + float32/classes") for name in ("LogisticRegression", "GaussianNB", "LinearSVC")),
    _scaled("KMeans", "float32/value", "3, random_state=0", after="Ridge()"),
    Entry("QuantileTransformer", "float32/value", ("n_quantiles=20, output_distribution='normal'",)),
)
