"""Whether a record may answer in production: every byte as it was sealed, parity exact."""

from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.records.index import read_parity
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import verify


def check_proven(record: Record, *, allow_unproven: bool = False) -> None:
    """Raise DifferenceError for a record that has changed since its seal, InputError for one without exact parity.

    With `allow_unproven` parity is not asked for; a changed record is refused in any case.
    """
    problems = verify(record)
    if problems:
        shown = "\n".join(f"{record.reference}: {problem}" for problem in problems[:5])
        raise DifferenceError(f"{shown}\n`pipeline-lib verify {record.reference}` lists all that is damaged")
    parity = read_parity(record)
    if allow_unproven or (parity is not None and parity["exact"]):
        return
    found = "no parity check" if parity is None else "parity that differs"
    raise InputError(
        f"{record.reference}: found {found}, expected an exact one before the record answers in production; "
        f"`pipeline-lib parity {record.reference}`, or --allow-unproven"
    )
