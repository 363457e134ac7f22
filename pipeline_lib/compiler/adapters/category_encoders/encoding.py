"""category_encoders: every encoder that gives each category of a column fixed numbers.

The encoders differ in what they learn, by a mean of the target, a contrast or the digits of a code. What they then do
is the same: the output columns of one input column depend on its category alone. So the numbers are not modelled. The
fitted encoder itself is asked once for each category, for a missing value and for unseen ones (`answers.py`), and its
answers become look-ups:

    city   ->  city_0  city_1            one look-up for each output column,
    Lyon         1.0     0.0             with the library's own bits
    Graz         0.0     1.0
    missing     -1.0    -1.0
    unseen       0.0     0.0
"""

from typing import Any

from pipeline_lib.compiler.adapters.category_encoders.answers import Answer, Encoder
from pipeline_lib.compiler.adapters.inputs import check_condition, check_present
from pipeline_lib.compiler.adapters.registry import Columns, option_error, transformer, use_fitted_names
from pipeline_lib.compiler.builder import Builder, Value

_OPTIONS = (  # of all encoders; what they mean is in the answers
    "verbose cols drop_invariant return_df handle_unknown handle_missing min_group_size min_group_name "
    "combine_min_nan_groups composite_cols keep_components mapping index_start base use_cat_names normalize "
    "min_samples_leaf smoothing hierarchy model m a regularization binomial_target quantile quantiles "
    "randomized sigma random_state"  # noise is for training rows only: `transform` without y adds none
)


@transformer(
    "category_encoders.ordinal.OrdinalEncoder",
    "category_encoders.one_hot.OneHotEncoder",
    "category_encoders.binary.BinaryEncoder",
    "category_encoders.basen.BaseNEncoder",
    "category_encoders.gray.GrayEncoder",
    "category_encoders.rankhot.RankHotEncoder",
    "category_encoders.sum_coding.SumEncoder",
    "category_encoders.helmert.HelmertEncoder",
    "category_encoders.polynomial.PolynomialEncoder",
    "category_encoders.backward_difference.BackwardDifferenceEncoder",
    "category_encoders.count.CountEncoder",
    "category_encoders.count_target.CountTargetEncoder",
    "category_encoders.target_encoder.TargetEncoder",
    "category_encoders.leave_one_out.LeaveOneOutEncoder",
    "category_encoders.james_stein.JamesSteinEncoder",
    "category_encoders.m_estimate.MEstimateEncoder",
    "category_encoders.cat_boost.CatBoostEncoder",
    "category_encoders.woe.WOEEncoder",
    "category_encoders.glmm.GLMMEncoder",
    "category_encoders.quantile_encoder.QuantileEncoder",
    "category_encoders.quantile_encoder.SummaryEncoder",
    options=_OPTIONS,
)
def fitted_numbers(step: Any, columns: Columns, build: Builder) -> Columns:
    """The numbers that the fitted encoder gives each category, a missing value and an unseen one."""
    columns = use_fitted_names(step, columns)
    if getattr(step, "composite_members_", {}):
        raise option_error(step, "composite_cols", "None: join these columns in a step of your own before")
    encoder = Encoder(step, columns)
    answers = encoder.answers()
    sources = {name: _checked(step, name, columns[name], encoder) for name in encoder.labels}
    return {
        name: _looked_up(sources[answers[name].source], answers[name], build) if name in answers else columns[name]
        for name in encoder.names
    }


def _checked(step: Any, name: str, value: Value, encoder: Encoder) -> Value:
    """An encoded column; values that the encoder refuses are refused."""
    if name in encoder.refuses_missing:
        value = check_present(value, name, step)
    if name in encoder.refuses_unseen:
        table = dict.fromkeys(encoder.labels[name], True)
        known = value.build.lookup(value, table, "bool", missing=True, unseen=False)
        value = check_condition(value, known, name, step, "a category of the training rows")
    return value


def _looked_up(value: Value, answer: Answer, build: Builder) -> Value:
    numbers = [number for number in (*answer.table.values(), answer.missing, answer.unseen) if number is not None]
    whole = answer.integers and all(float(number).is_integer() for number in numbers)
    table = {label: _plain(number, whole) for label, number in answer.table.items() if number != answer.unseen}
    missing, unseen = (_plain(number, whole) for number in (answer.missing, answer.unseen))
    return build.lookup(value, table, "int64" if whole else "float64", missing=missing, unseen=unseen)


def _plain(number: float | None, whole: bool) -> float | int | None:
    """A number as a table holds it; missing is None."""
    if number is None or number != number:
        return 0 if whole else None
    return int(number) if whole else number
