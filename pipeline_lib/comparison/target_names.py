"""Several targets in one order: predictions have numbers only, so the names of the true values say which is which."""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow.parquet as pq

from pipeline_lib.comparison.contenders import Contender
from pipeline_lib.comparison.held_out import LabelledRows
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.targets import TARGET


def target_names(one: Contender) -> tuple[str, ...]:
    """The names of the targets that a run was tested on, in their order; none of one target, or of forgotten rows."""
    path = one.record.evidence / f"{TARGET}.parquet"
    names = pq.read_schema(path).names if path.is_file() else []
    return tuple(name[len(TARGET) + 1 : -1] for name in names if name != TARGET)


def in_one_order(contenders: Sequence[Contender], given: LabelledRows) -> LabelledRows:
    """The labelled rows with their targets in the order of the challenger's.

    Raises InputError where a model has other targets, or the same in another order, and where the rows have others.
    """
    wanted = target_names(contenders[1])
    if not _named(wanted):
        return given
    for one in contenders:
        own = target_names(one)
        if _named(own) and own != wanted:
            raise InputError(
                f"{one.reference}: found the targets {', '.join(own)}, expected {', '.join(wanted)} in this order, as "
                f"{contenders[1].reference} has them; compare models that answer the same question"
            )
    if given.target.ndim < 2 or given.names == wanted:
        return given
    if not _named(given.names):
        return replace(given, names=wanted) if len(given.names) == len(wanted) else given
    if sorted(given.names) != sorted(wanted):
        raise InputError(
            f"found true values of {', '.join(given.names)}, expected {', '.join(wanted)}, which the models predict"
        )
    return replace(given, target=given.target[:, [given.names.index(name) for name in wanted]], names=wanted)


def _named(names: tuple[str, ...]) -> bool:
    """Whether several targets have names, not only numbers."""
    return len(names) > 1 and names != tuple(map(str, range(len(names))))
