"""imbalanced-learn: samplers, which change training rows only, and classifiers that sample."""

from tools.survey.cases import Entry

_FITS = "numbers/rare + gaps/rare"
_SCALED = "SimpleImputer(), StandardScaler()"


def _sampler(name: str, *options: str, fits: str = _FITS, before: str = _SCALED) -> Entry:
    return Entry(name, fits, ("", *options), before=before)


ENTRIES = (
    _sampler("RandomOverSampler", "random_state=0", "shrinkage=0.1", "sampling_strategy=0.8"),
    _sampler("SMOTE", "k_neighbors=3", "sampling_strategy=0.9"),
    _sampler("ADASYN", "n_neighbors=3"),
    _sampler("BorderlineSMOTE", "kind='borderline-2'"),
    _sampler("SVMSMOTE", "k_neighbors=3"),
    _sampler("KMeansSMOTE", "cluster_balance_threshold=0.05", fits="numbers/rare"),
    _sampler("SMOTEN", fits="codes/rare", before=""),
    Entry("SMOTENC", "codes/rare", ("categorical_features=[0, 1]",)),
    _sampler("RandomUnderSampler", "replacement=True"),
    _sampler("ClusterCentroids", "voting='hard'"),
    _sampler("AllKNN", "n_neighbors=2"),
    _sampler("CondensedNearestNeighbour", "n_neighbors=2"),
    _sampler("EditedNearestNeighbours", "kind_sel='mode'"),
    _sampler("InstanceHardnessThreshold", "cv=3"),
    _sampler("NearMiss", "version=2", "version=3"),
    _sampler("NeighbourhoodCleaningRule", "threshold_cleaning=0.1"),
    _sampler("OneSidedSelection", "n_seeds_S=5"),
    _sampler("RepeatedEditedNearestNeighbours", "max_iter=5"),
    _sampler("TomekLinks", "sampling_strategy='all'"),
    _sampler("SMOTEENN", "random_state=0"),
    _sampler("SMOTETomek", "random_state=0"),
    Entry("FunctionSampler", "numbers/rare", ("", "validate=False")),
    Entry(
        "Pipeline",
        "gaps/rare",
        ("[('fill', SimpleImputer()), ('more', SMOTE()), ('final', LogisticRegression())]",),
        bare=True,
    ),
    Entry(
        "BalancedBaggingClassifier",
        _FITS,
        ("n_estimators=5", "n_estimators=5, estimator=GaussianNB()", "n_estimators=5, sampler=RandomUnderSampler()"),
        before=_SCALED,
    ),
    Entry(
        "BalancedRandomForestClassifier",
        _FITS,
        (
            "n_estimators=10",
            "n_estimators=10, max_depth=3, class_weight='balanced'",
            "n_estimators=10, bootstrap=True, sampling_strategy='auto', replacement=False",
        ),
        before="SimpleImputer()",
    ),
    Entry(
        "EasyEnsembleClassifier",
        _FITS,
        ("n_estimators=4", "n_estimators=4, estimator=AdaBoostClassifier(n_estimators=5)"),
        before="SimpleImputer()",
    ),
    Entry(
        "RUSBoostClassifier", _FITS, ("n_estimators=8", "n_estimators=8, learning_rate=0.3"), before="SimpleImputer()"
    ),
)
