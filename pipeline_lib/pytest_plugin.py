"""Parity as tests: `pytest --records runs` tests records, `assert_parity` is one line in a project's own test.

pytest loads this module wherever the distribution is installed, so heavy imports wait until they are used.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_lib.errors import PipelineLibError

if TYPE_CHECKING:
    from pipeline_lib.parity.result import Parity
    from pipeline_lib.parity.variations import Variation
    from pipeline_lib.records.record import Record

RunResearch = Callable[[str | Path], "Record"]
"""The fixture `run_research`: a parameters file in, the sealed record of its run out."""
_MARK = "parity"
_RECORDS, _PARITY = "pipeline_lib_records", "pipeline_lib_parity"


def assert_parity(
    record: "Record | str | Path",
    *,
    library: str | None = None,
    variations: "Sequence[str | Variation] | None" = None,
) -> "Parity":
    """Fail the test, with the parity report as its text, unless production repeats a record bit for bit.

    `record` is a record, a reference (`houses`) or a path; `library` the package whose steps may be loaded, by
    default that of the project in which the record, or else the working directory, lies; `variations` as
    `check_parity` takes them. Nothing is written next to the record. Raises the errors of `check_parity`.
    """
    from pipeline_lib.records.reference import as_record

    return _fail_unless_exact(_check(as_record(record), library, variations))


@pytest.fixture(scope="session")
def run_research(tmp_path_factory: pytest.TempPathFactory) -> RunResearch:
    """A function that runs the research notebook of a parameters file, once a session, and returns its record."""
    known: dict[Path, Record] = {}

    def run(params_file: str | Path) -> "Record":
        from pipeline_lib.runner.run import run_pipeline

        path = Path(params_file).resolve()
        if path not in known:
            known[path] = run_pipeline(path, runs=tmp_path_factory.mktemp("runs"))
        return known[path]

    return run


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("pipeline-lib")
    group.addoption(
        "--records",
        dest=_RECORDS,
        metavar="PATH",
        help="Test also the parity of every finished record in a folder (runs), or of one record: one test, marked "
        f"`{_MARK}`, for each variation.",
    )
    group.addoption(
        "--parity",
        dest=_PARITY,
        choices=("quick", "full"),
        default="quick",
        help="Which variations --records tests: deliveries of rows (quick), or also other processes, machines and "
        "environments (full).",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark of tests of records, and refuse a path without records before tests are collected."""
    if config.getoption(_RECORDS):
        _records(config.invocation_params.dir / config.getoption(_RECORDS))
        config.addinivalue_line("markers", f"{_MARK}: a record under one variation, collected by --records")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for each record and variation, before others select and shuffle."""
    option = config.getoption(_RECORDS)
    if option:
        for record in _records(config.invocation_params.dir / option):
            node = RecordNode.from_parent(session, name=record.reference, nodeid=record.reference, path=record.folder)
            items += session.genitems(node)


class RecordNode(pytest.Collector):
    """A record; its tests are the variations."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._known: dict[str, Parity | PipelineLibError] = {}

    def collect(self) -> "Iterator[VariationItem]":
        """One test for each variation, in their order."""
        from pipeline_lib.parity.check import variations_of
        from pipeline_lib.parity.variations import FULL, QUICK
        from pipeline_lib.records.record import Record

        names = FULL if self.config.getoption(_PARITY) == "full" else QUICK
        for variation in variations_of(Record(self.path), names):
            yield VariationItem.from_parent(self, name=variation.name)

    def parity(self, name: str) -> "Parity":
        """The parity under one variation. All selected deliveries are checked together, the first time."""
        if name not in self._known:
            self._check(self._together(name))
        known = self._known[name]
        if isinstance(known, PipelineLibError):
            raise known
        return known

    def _together(self, name: str) -> list[str]:
        from pipeline_lib.parity.variations import VARIATIONS

        if not VARIATIONS[name].is_delivery:
            return [name]
        return [item.name for item in self.session.items if item.parent is self and VARIATIONS[item.name].is_delivery]

    def _check(self, names: list[str]) -> None:
        from pipeline_lib.parity.result import ARTIFACT, FRESH
        from pipeline_lib.records.record import Record

        try:
            parity = _check(Record(self.path), None, names)
        except PipelineLibError as error:
            self._known |= dict.fromkeys(names, error)
            return
        for name in names:
            outcomes = tuple(outcome for outcome in parity.outcomes if outcome.variation in (FRESH, ARTIFACT, name))
            self._known[name] = replace(parity, outcomes=outcomes)


class VariationItem(pytest.Item):
    """A record under one variation: passed, failed with the parity report, or skipped where it cannot run here.

    A delivery that is known to change values, and does, is an expected failure.
    """

    parent: RecordNode

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_marker(_MARK)

    def runtest(self) -> None:
        """Judge by the parity under this variation."""
        from pipeline_lib.records.forgotten import forgotten_at

        forgotten = forgotten_at(self.path)
        if forgotten:
            pytest.skip(str(forgotten))
        parity = _fail_unless_exact(self.parent.parity(self.name))
        outcome = next(outcome for outcome in parity.outcomes if outcome.variation == self.name)
        if outcome.verdict == "absent":
            pytest.skip(outcome.detail)
        if outcome.verdict == "lossy" and (outcome.divergence or not outcome.rows):
            pytest.xfail(outcome.detail)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The message of an error of this library; for other errors the traceback."""
        if isinstance(excinfo.value, PipelineLibError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        """The record's folder, and the name of the test."""
        return self.path, None, self.nodeid


def _fail_unless_exact(parity: "Parity") -> "Parity":
    if not parity.exact:
        pytest.fail(str(parity), pytrace=False)
    return parity


def _records(path: Path) -> "list[Record]":
    from pipeline_lib.records.record import DAMAGED, all_records
    from pipeline_lib.records.reference import record_at

    one = record_at(path)
    below = all_records(path) or [r for r in all_records(path.parent) if r.pipeline == path.name]
    records = [one] if one else [r for r in below if r.status() in ("finished", DAMAGED)]
    if not records:
        raise pytest.UsageError(
            f"--records: found no finished record in {path}, expected a folder of runs, of one pipeline, or a record; "
            "`pipeline-lib run` makes one"
        )
    return records


def _check(record: "Record", library: str | None, variations: "Sequence[str | Variation] | None") -> "Parity":
    """Check parity through a temporary link to the record, so that the result is not written next to the record."""
    from pipeline_lib.parity.check import check_parity
    from pipeline_lib.parity.variations import QUICK
    from pipeline_lib.project.project import library_around
    from pipeline_lib.records.record import Record
    from pipeline_lib.system.locks import locked_temporary_folder

    with locked_temporary_folder("record") as folder:
        link = folder.joinpath(*record.folder.resolve().parts[-3:])  # the parts that make the reference
        link.parent.mkdir(parents=True)
        link.symlink_to(record.folder.resolve(), target_is_directory=True)
        package = library or library_around(record.folder, Path.cwd())
        return check_parity(Record(link), library=package, variations=QUICK if variations is None else variations)
