"""The answer of a comparison in one sentence, with the money that is in it."""

from pipeline_lib.comparison.answer import Measured
from pipeline_lib.comparison.figures import count, difference_texts
from pipeline_lib.comparison.paired import PairedDifference
from pipeline_lib.comparison.rows_needed import rows_needed_sentence
from pipeline_lib.comparison.segments import Segments
from pipeline_lib.comparison.verdict import Verdict
from pipeline_lib.system.number_text import number_text

_SEGMENTS = 3  # named ones


def difference_text(measured: Measured) -> str:
    """The paired difference of a metric with its interval.

    `+812 dollars a row (95 % interval +340 to +1,290)`
    """
    difference = measured.difference
    if difference is None:
        return f"{number_text(measured.champion)} and {number_text(measured.challenger)}"
    unit = f" {measured.unit} a row" if measured.unit else ""
    estimate, interval = difference_texts(difference)
    return f"{estimate}{unit} (95 % interval {interval})"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{number_text(value)}"


def sentence_of(
    champion: str,
    challenger: str,
    measured: Measured,
    verdict: Verdict,
    *,
    rows: str,
    margin: float,
    volume: float | None,
) -> str:
    """One sentence: the verdict by a metric, how sure it is, and money per row and at `volume` rows a year.

    `rows` says how many rows were compared, and whether a model has seen them, as `rows_text` has it.
    """
    difference = measured.difference
    if difference is None:
        raise AssertionError("the criterion has a difference")
    what = f"{measured.name} {difference_text(measured)}{_yearly(measured, volume)}, {rows}"
    if difference.identical:
        return f"No difference: {challenger} and the champion {champion} have the same {measured.name} {rows}."
    if verdict == "no difference":
        unit = f" {measured.unit} a row" if measured.unit else ""
        return (
            f"No difference that matters between {challenger} and the champion {champion}: {what}; the margin is "
            f"{number_text(margin)}{unit}."
        )
    if verdict == "cannot tell":
        reason = _open(difference, margin, measured.p)
        return f"Cannot tell whether {challenger} is better than the champion {champion}: {what}; {reason}."
    return f"{challenger} is {verdict} than the champion {champion}: {what}."


def rows_text(rows: int, models: int, *, checked: bool) -> str:
    """Which rows were compared: of rows that were given by hand it may not be known whether a model has seen them.

    >>> rows_text(1200, 2, checked=True), rows_text(1, 3, checked=True), rows_text(90, 2, checked=False)
    ('on 1,200 rows that neither has seen', 'on 1 row that none has seen', 'on 90 rows taken as unseen')
    """
    if not checked:
        return f"on {count(rows, 'row')} taken as unseen"
    return f"on {count(rows, 'row')} that {'neither' if models == 2 else 'none'} has seen"


def _yearly(measured: Measured, volume: float | None) -> str:
    if volume is None or not measured.unit or measured.difference is None:
        return ""
    yearly = measured.difference.estimate * volume
    return f", {_signed(yearly)} {measured.unit} a year at {number_text(volume)} rows a year"


def _open(difference: PairedDifference, margin: float, p: float | None) -> str:
    """Why a comparison is open, and what would settle it."""
    settled = rows_needed_sentence(difference, margin, p=p)
    return settled if difference.reliable else f"{difference.unreliable}; {settled}"


def worse_segments_text(segments: Segments) -> str:
    """Where the challenger loses, as a sentence; empty where it is nowhere shown to be worse."""
    worse = segments.worse
    if not worse:
        return ""
    unit = f" {segments.unit} a row" if segments.unit else ""
    names = [
        f"{each.column} {each.label} ({segments.measure} {_signed(each.difference.estimate)}{unit}, {each.rows:,} rows)"
        for each in worse[:_SEGMENTS]
    ]
    more = f" and {len(worse) - _SEGMENTS} more segments" if len(worse) > _SEGMENTS else ""
    return f" It is worse in {', '.join(names)}{more}."
