"""Options that say how models are compared, which compare and retrain share."""

from collections.abc import Callable
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, Any

import click

from pipeline_lib.errors import InputError

if TYPE_CHECKING:
    from pipeline_lib.comparison.late_labels import LateLabels

_OPTIONS = (
    click.option("--on", metavar="FILE", help="Fresh labelled rows instead of those that the run held out."),
    click.option("--target", metavar="COLUMN", help="Column of true values in FILE.  [default: the module's TARGET]"),
    click.option("--labels", metavar="FILE", help="True values that came later; the rows are those of --on."),
    click.option("--label-key", metavar="COLUMN", help="The column by which labels and rows belong together."),
    click.option("--label-delay", metavar="TIME", help="A row counts when its label is due, as 30d, after its time."),
    click.option("--strict", is_flag=True, help="Refuse where a model has seen more than 1 % of the rows."),
    click.option("--margin", type=float, metavar="X", help="The difference that matters, in the unit of what decides."),
    click.option("--volume", type=float, metavar="ROWS", help="Rows of a year: the answer says money for a year, too."),
    click.option("--delimiter", metavar="C", help="Between the fields of a CSV.  [default: , and a tab for .tsv]"),
    click.option("--encoding", default="utf-8", show_default=True, help="Of a CSV."),
    click.option("--missing", multiple=True, metavar="TEXT", help="A CSV text that means missing; can be repeated."),
)


def comparison_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; `comparison_arguments` takes their values."""
    return reduce(lambda made, option: option(made), reversed(_OPTIONS), command)


def comparison_arguments(options: dict[str, Any], as_of: date) -> dict[str, Any]:
    """What the options mean as arguments of `compare`; labels are due as of a day."""
    from pipeline_lib.scoring.csv_rows import TextOptions

    names = ("on", "target", "strict", "margin", "volume")
    text = TextOptions(options["encoding"], options["delimiter"], options["missing"])
    return {**{name: options[name] for name in names}, "options": text, "labels": _late_labels(options, as_of)}


def _late_labels(options: dict[str, Any], as_of: date) -> "LateLabels | None":
    """The labels that the options name. Raises InputError for one of them without the others that it needs."""
    file, key, delay = options["labels"], options["label_key"], options["label_delay"]
    if file is None:
        given = [name for name, value in (("--label-key", key), ("--label-delay", delay)) if value is not None]
        if given:
            raise InputError(f"found {given[0]} without --labels, expected the file of labels; add --labels FILE")
        return None
    if key is None or options["on"] is None:
        absent = "--label-key COLUMN" if key is None else "--on FILE"
        raise InputError(f"found --labels without {absent}, expected both; add it")
    from pipeline_lib.comparison.late_labels import LateLabels, parse_delay

    return LateLabels(file, key, as_of, parse_delay(delay or "0d"))
