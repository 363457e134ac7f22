"""What looks at answers after they are made: the log, and a second record. Neither changes an answer or fails one."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pyarrow as pa

from pipeline_lib.answers.log_writer import Limits, LogWriter
from pipeline_lib.answers.shadow import Shadow
from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.serving.counters import Counters
from pipeline_lib.serving.served_model import ServedModel
from pipeline_lib.serving.settings import Settings


@dataclass
class Observers:
    """The observers of a worker's models; each model's begin when it does and end when it is replaced."""

    settings: Settings
    counters: Counters
    shadow: ServedModel | None = None

    def begin(self, served: ServedModel) -> None:
        """Let what the settings say look at a model's answers."""
        if self.settings.log is not None:
            served.observers.append(_Logged(self.settings, served, self.counters))
        if self.shadow is not None and self.shadow.name == served.name:
            served.observers.append(_Shadowed(self.shadow, served, self.counters))

    def end(self, served: ServedModel) -> None:
        """Write what waits to be written."""
        while served.observers:
            served.observers.pop().close()


def kept_columns(served: ServedModel) -> RowSchema | None:
    """The raw columns that a log keeps: those that are read, without sensitive ones; None where rows are not kept.

    Rows that need earlier rows, or rows of other tables, are not kept.
    """
    names = [name for name in served.row.names if name not in served.sensitive]
    if served.row.key is not None or served.model.context or not names:
        return None
    return served.row.keep(names)


def _folder(settings: Settings, served: ServedModel) -> Path:
    return Path(str(settings.log)) / served.name / served.version


class _Logged:
    """The log of a model's answers."""

    def __init__(self, settings: Settings, served: ServedModel, counters: Counters) -> None:
        row = kept_columns(served)
        description = {"record": served.reference, "digest": served.digest, "left_out": list(served.sensitive)}
        limits = Limits(total_bytes=settings.log_megabytes << 20, days=settings.log_days)
        self._writer = LogWriter(
            _folder(settings, served),
            row,
            served.output_schema,
            description,
            limits,
            partial(counters.dropped, served.name),
        )

    def add(self, answer: str, rows: Any, outputs: pa.Table) -> None:
        """Log answers."""
        self._writer.add(answer, rows, outputs)

    def close(self) -> None:
        """Write what waits."""
        self._writer.close()


class _Shadowed:
    """A second model that answers the same rows."""

    def __init__(self, second: ServedModel, served: ServedModel, counters: Counters) -> None:
        def count(rows: int, differing: int, refused: int) -> None:
            counters.shadowed(served.reference, second.reference, rows, differing, refused)

        self._shadow = Shadow(second.model, count, partial(counters.shadow_dropped, served.reference, second.reference))

    def add(self, answer: str, rows: Any, outputs: pa.Table) -> None:
        """Ask the second model."""
        self._shadow.add(answer, rows, outputs)

    def close(self) -> None:
        """Answer what waits."""
        self._shadow.close()


def check_shadow(shadow: ServedModel, served: list[ServedModel]) -> None:
    """Raise InputError for a second record of a pipeline that is not served, or that is served itself."""
    same = [each for each in served if each.name == shadow.name]
    if not same:
        raise InputError(
            f"--shadow: found a record of {shadow.name}, expected one of {', '.join(each.name for each in served)}"
        )
    if shadow.model.context:
        raise InputError(f"--shadow: found {shadow.reference}, whose rows need earlier ones, expected rows that do not")
    if same[0].version == shadow.version:
        raise InputError(f"--shadow: found {shadow.reference}, which is served itself, expected another record of it")


def check_log(settings: Settings, served: Iterable[ServedModel]) -> None:
    """Raise OSError where no file can be written in the folder of a model's log."""
    for each in served:
        folder = _folder(settings, each)
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass


def told_at_start(served: ServedModel) -> str | None:
    """What a log cannot keep of a model's rows; None where it keeps all that is read."""
    if served.sensitive:
        return (
            f"{served.name} is logged without the sensitive columns {', '.join(served.sensitive)}: its rows cannot be "
            "repeated"
        )
    if kept_columns(served) is None:
        return f"{served.name} is logged without rows, as they need others: they cannot be repeated"
    return None
