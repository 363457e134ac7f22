"""The values of a fitted object as a dictionary."""

from typing import Any

from pipeline_lib.evidence.fitted_state import BLOCK, fitted_values


def collect_fitted_state(fitted: Any) -> dict[str, Any]:
    """Each value of a fitted pipeline by step and name, such as `yeo_johnson.lambda_dict_["Lot.Area"]`.

    Array elements are named by their index, and by their feature where the array has one element for each:
    `price.regressor_.coef_[3] (Lot.Area)`. Parameters are values too. An object of unknown kind has its type as value.
    """
    state: dict[str, Any] = {}
    for item in fitted_values(fitted):
        if item.type == BLOCK:
            array, _, stretch = item.name.rpartition("[")
            first = int(stretch.partition(":")[0])
            state |= {f"{array}[{first + index}]": value for index, value in enumerate(item.value)}
        else:
            state[item.name] = item.value
    return state
