"""Raw rows from files: which they are, how far they are read, whether they have changed meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.scoring.blocks import Block
from pipeline_lib.scoring.csv_rows import TextOptions
from pipeline_lib.scoring.input_files import InputFile, changed, input_files
from pipeline_lib.scoring.read_blocks import read_blocks


class FileSource:
    """The rows of the files that `given` names, in blocks of so many rows; `keep` are columns for the output."""

    def __init__(
        self, given: str, *, format: str | None, keep: Sequence[str], options: TextOptions, block_rows: int
    ) -> None:
        self.given = given
        self.files = input_files(given, format)
        self.keep, self.options, self.block_rows = tuple(keep), options, block_rows
        self._before = self._bytes = 0  # of the files before the one that is read, and of all so far

    @property
    def identity(self) -> Mapping[str, Any]:
        """Every file with what changes when its content does, and how it is read."""
        return {
            "files": [[file.shown, file.format, file.stamp] for file in self.files],
            "keep": list(self.keep),
            "encoding": self.options.encoding,
            "delimiter": self.options.delimiter,
            "missing": list(self.options.missing),
            "block_rows": self.block_rows,
        }

    def blocks(self, schema: RowSchema, skip: int) -> Iterator[Block]:
        """The blocks after the first `skip`."""
        return read_blocks(
            self.files,
            schema,
            keep=self.keep,
            options=self.options,
            rows=self.block_rows,
            skip=skip,
            on_file=self._note,
        )

    def share(self) -> float | None:
        """The share of the files' bytes before the end of the one that is read; a single file does not tell."""
        total = sum(file.size for file in self.files)
        return self._before / total if total and len(self.files) > 1 else None

    def prepare(self, folder: Path) -> None:
        """Nothing to do: the files are there."""

    def refused(self) -> None:
        """Nothing to do: a file that is corrected is another one."""

    def check_unchanged(self) -> None:
        """Raise InputError for files that are no longer what they were at the beginning."""
        names = changed(self.files)
        if names:
            shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
            raise InputError(
                f"{shown}: found a file that has changed while it was read, expected the same rows to the end; run it "
                "again when nothing writes there"
            )

    def _note(self, file: InputFile) -> None:
        self._before, self._bytes = self._bytes, self._bytes + file.size
