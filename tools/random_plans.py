"""Random plans over all operations, evaluated by NumPy and by the native core at every level: no bit may differ.

    python -m tools.random_plans                       4,000 plans
    python -m tools.random_plans --plans 40 --seed 7   fewer, from another seed

A plan is drawn with its rows from a seed (`tests/support/random_plans.py`). Its rows are evaluated one by one, as a
batch of more than a block, and in parts; rows that NumPy refuses the core must refuse, and no others. Prints every
difference with its seed and the first operation that has it; exits with 1 if there is one, or if an operation that the
core carries is in no plan.
"""

import argparse
import importlib
import sys
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
random_plans: Any = importlib.import_module("random_plans")  # the tests' own generator
_EVERY = 500
_LONG = 300  # characters of a difference that are printed
_ENOUGH = 1000  # plans in which every operation has to be


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare plans and print what differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.random_plans", description=__doc__.splitlines()[0])
    parser.add_argument("--plans", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    operations, carried = random_plans.names(), random_plans.carried_names()
    used, refused, wrong, start = Counter[str](), 0, 0, time.monotonic()
    for number in range(options.plans):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            compared = random_plans.differences(options.seed + number, operations)
        used.update(compared.carried)
        refused += compared.refused
        wrong += bool(compared.differences)
        for line in compared.differences[:3]:
            print(line[:_LONG], flush=True)
        if (number + 1) % _EVERY == 0:
            print(f"{number + 1:,} plans, {time.monotonic() - start:.0f} seconds", flush=True)
    absent = sorted(carried - set(used))
    rows = options.plans * random_plans.FEW
    print(f"{options.plans:,} plans, {sum(used.values()):,} operations in the core, of {len(used)} kinds")
    print(f"{rows:,} rows, of which {refused:,} are refused; {wrong} plans differ")
    if absent and options.plans >= _ENOUGH:
        print(f"in no plan: {', '.join(absent)}")
    return 1 if wrong or (absent and options.plans >= _ENOUGH) else 0


if __name__ == "__main__":
    sys.exit(main())
