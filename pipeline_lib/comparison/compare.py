"""Is the new model truly better? Both models on the same rows, paired, with an interval, a test and money."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pipeline_lib.comparison.answer import Answer, Measured, Seen
from pipeline_lib.comparison.contenders import Contender, contender
from pipeline_lib.comparison.differences import differences_by
from pipeline_lib.comparison.held_out import LabelledRows, given_rows, held_out_rows
from pipeline_lib.comparison.judge import Judge, judge_of
from pipeline_lib.comparison.keep import keep
from pipeline_lib.comparison.late_labels import LateLabels
from pipeline_lib.comparison.measures import VALUE, measured
from pipeline_lib.comparison.multiplicity import holm
from pipeline_lib.comparison.result import Comparison
from pipeline_lib.comparison.rows_needed import rows_needed
from pipeline_lib.comparison.score import score
from pipeline_lib.comparison.scored import Scored
from pipeline_lib.comparison.sentence import rows_text, sentence_of, worse_segments_text
from pipeline_lib.comparison.target_names import in_one_order
from pipeline_lib.comparison.task import check_question, unknown_labels
from pipeline_lib.comparison.unseen import Unseen, unseen_rows
from pipeline_lib.comparison.verdict import is_not_worse, verdict_of
from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.record import Record
from pipeline_lib.records.reference import as_record
from pipeline_lib.scoring.csv_rows import TextOptions

_DEFAULT = {"regression": "absolute error", "several targets": "absolute error"}
Reference = Record | str | Path
MOST_REPEATED = 0.01
"""Share of rows that repeat another one, past which the answer says so."""


def compare(
    champion: Reference,
    challenger: Reference,
    *more: Reference,
    on: Any = None,
    target: str | None = None,
    strict: bool = False,
    margin: float | None = None,
    volume: float | None = None,
    options: TextOptions | None = None,
    labels: LateLabels | None = None,
    project: Project | None = None,
) -> Comparison:
    """Compare the model in use with one or more that may replace it, row by row.

    Each is a reference (`houses@champion`, `houses/ID`) or a record. Both answer the rows that the first challenger's
    run held out; rows that one of the models was fitted on, themselves or by their entity, are left out and counted.
    `on` are fresh labelled rows instead: a file, a DataFrame, or a pair of rows and true values; `target` names the
    column of true values, by default the module's TARGET. With `strict` more than 1 % of seen rows are refused.
    `margin` is the difference that matters in practice, in the unit of the criterion: the business value of a row
    where the pipeline exports `value`, else METRIC. `volume` are the rows of a year. `options` say how text files are
    written, `labels` names a file of true values that came later than the rows of `on`.

    Raises InputError for records without exact parity, for rows that cannot be known to be unseen, and for models that
    answer different questions. The result is kept beside the challenger's record, as JSON and as a page.

        comparison = compare("houses@champion", "houses", volume=12_000)
        comparison.answers[0].verdict  # "better", "worse", "no difference" or "cannot tell"
    """
    project = project or find_project()
    check_amounts(margin, volume)
    contenders = [contender(as_record(each)) for each in (champion, challenger, *more)]
    check_question(contenders, fresh=on is not None)
    found = judge_of(contenders[1].record, project)
    judge, notes = (None, [found]) if isinstance(found, str) else (found, [])
    given = _rows(contenders, judge, on, target, options, labels)
    given = in_one_order(contenders, given)
    unseen = unseen_rows(contenders, given, project.row_key, strict=strict)
    scored, refusals = score(contenders, given, judge, unseen.mask)
    notes += [*_notes(given, unseen, refusals), *_unknown_labels(scored), *_repeated(scored)]
    if volume is not None and not scored.unit:
        notes.append("--volume changes nothing: the pipeline exports no value, so there is no money for a year")
    scored = replace(scored, notes=tuple(notes))
    seen = Seen(given.rows.num_rows, int((~unseen.mask).sum()), unseen.seen)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    rows = rows_text(len(scored.target), len(contenders), checked=unseen.checked)
    answers = _answers(scored, judge, given.names, rows, margin or 0.0, volume)
    return keep(Comparison(contenders[0].reference, answers, scored, seen, given.shown, margin or 0.0, volume, created))


def check_amounts(margin: float | None, volume: float | None) -> None:
    """Raise InputError for a margin below 0, and for a year without rows."""
    _check_amount("margin", margin)
    _check_amount("volume", volume)


def _check_amount(name: str, value: float | None) -> None:
    if value is None:
        return
    if isinstance(value, bool | str) or not (0 <= value < float("inf")):
        raise InputError(f"--{name}: found {value!r}, expected a number from 0 on; correct it")
    if name == "volume" and not value:
        raise InputError("--volume: found 0 rows a year, expected more; correct it, or leave it out")


def _rows(
    contenders: Sequence[Contender],
    judge: Judge | None,
    on: Any,
    target: str | None,
    options: TextOptions | None,
    labels: LateLabels | None,
) -> LabelledRows:
    if on is None:
        return held_out_rows(contenders[1])
    named = target or (getattr(judge.module, "TARGET", None) if judge else None)
    name = named if isinstance(named, str) else None
    return given_rows(on, contenders, name, options or TextOptions(), labels)


def _notes(given: LabelledRows, unseen: Unseen, refusals: dict[str, int]) -> list[str]:
    """What the reader must know of the rows."""
    notes = [*given.notes, *unseen.notes]
    if given.unlabelled:
        notes.append(f"{given.unlabelled:,} rows without a true value are left out")
    notes += [f"{name} refuses {count:,} rows, which are left out for all" for name, count in refusals.items()]
    return notes


def _unknown_labels(scored: Scored) -> list[str]:
    """A note on true values that no model can predict."""
    if scored.kind not in ("binary", "multiclass"):
        return []
    unknown = unknown_labels(scored.target.tolist(), scored.classes)
    if not unknown:
        return []
    shown = ", ".join(map(repr, list(dict.fromkeys(unknown))[:5]))
    return [f"{len(unknown):,} rows have a true value that no model knows ({shown}): every model is wrong there"]


def _repeated(scored: Scored) -> list[str]:
    """A note on rows that are there more than once, as from files that overlap: the interval is then too short."""
    if scored.groups is not None or scored.row.children:
        return []
    table = scored.rows.to_pandas()
    for number, values in enumerate(np.atleast_2d(scored.target.T)):
        table[f"true value {number}"] = values
    repeated = int(table.duplicated().sum())
    if repeated <= MOST_REPEATED * len(table):
        return []
    return [
        f"{repeated:,} rows repeat another one in every column, and count as rows of their own: the interval is too "
        "short if they are the same"
    ]


def _answers(
    scored: Scored, judge: Judge | None, names: tuple[str, ...], rows: str, margin: float, volume: float | None
) -> tuple[Answer, ...]:
    tables = [measured(scored, side, judge, names) for side in scored.challengers]
    corrected = _after_holm(tables)
    criterion = _criterion(scored, judge, corrected)
    tell = partial(_answer, scored, criterion=criterion, rows=rows, margin=margin, volume=volume)
    return tuple(tell(number, table) for number, table in enumerate(corrected, 1))


def _after_holm(tables: Sequence[Sequence[Measured]]) -> list[list[Measured]]:
    """The metrics of each challenger with p values corrected over the challengers, metric by metric."""
    if len(tables) == 1:
        return [list(tables[0])]
    result = [list(table) for table in tables]
    for name in dict.fromkeys(each.name for table in tables for each in table):
        places = [(t, i) for t, table in enumerate(tables) for i, each in enumerate(table) if each.name == name]
        values = holm([float(tables[t][i].p or 0.0) for t, i in places])
        for (t, i), p in zip(places, values, strict=True):
            result[t][i] = replace(result[t][i], p=float(p))
    return result


def _criterion(scored: Scored, judge: Judge | None, tables: Sequence[Sequence[Measured]]) -> str:
    """What decides: the value, else METRIC, else the loss that suits the kind of prediction."""
    present = set.intersection(*({each.name for each in table} for table in tables))
    if VALUE in present:
        return VALUE
    if judge and judge.metric and judge.metric.name in present:
        return judge.metric.name
    default = _DEFAULT.get(scored.kind, "log loss")
    return default if default in present else "error"


def _answer(
    scored: Scored,
    number: int,
    table: Sequence[Measured],
    *,
    criterion: str,
    rows: str,
    margin: float,
    volume: float | None,
) -> Answer:
    one = next(each for each in table if each.name == criterion)
    difference = one.difference
    if difference is None or one.direction is None:
        raise AssertionError(f"{criterion}: a criterion has a difference and a direction")
    verdict = verdict_of(difference, direction=one.direction, margin=margin, p=one.p)
    needed = rows_needed(difference, margin, p=one.p) if verdict == "cannot tell" else None
    challenger = scored.sides[number].reference
    differences = differences_by(scored, number, criterion, margin)
    sentence = sentence_of(
        scored.champion.reference,
        challenger,
        one,
        verdict,
        rows=rows,
        margin=margin,
        volume=volume,
    )
    not_worse = is_not_worse(difference, direction=one.direction, margin=margin, p=one.p)
    if verdict != "worse":
        sentence += worse_segments_text(differences.segments)
    return Answer(challenger, criterion, verdict, sentence, tuple(table), not_worse, differences, needed, scored.notes)
