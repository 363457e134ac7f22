"""Parity: production repeats the evidence bit for bit under every variation, or the first difference is named.

Names load when first used: the fresh process moves its clock before anything else is imported.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline_lib.parity.check import check_parity
    from pipeline_lib.parity.divergence import Divergence
    from pipeline_lib.parity.variations import FULL, QUICK, VARIATIONS, Delivery, Given, Variation
    from pipeline_lib.parity.verdicts import Outcome, Parity

__all__ = [
    "FULL",
    "QUICK",
    "VARIATIONS",
    "Delivery",
    "Divergence",
    "Given",
    "Outcome",
    "Parity",
    "Variation",
    "check_parity",
]

_HOMES = {"check_parity": "check", "Divergence": "divergence", "Outcome": "verdicts", "Parity": "verdicts"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'pipeline_lib.parity' has no attribute {name!r}")
    return getattr(importlib.import_module(f"pipeline_lib.parity.{_HOMES.get(name, 'variations')}"), name)
