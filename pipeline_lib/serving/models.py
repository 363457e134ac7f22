"""The models of a server: found by name, and replaced while requests are answered."""

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pipeline_lib.errors import PipelineLibError
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.record import Record
from pipeline_lib.records.reference import find_record, record_at
from pipeline_lib.serving.http import HttpError
from pipeline_lib.serving.served_model import ServedModel, check_names, load_served
from pipeline_lib.serving.settings import Settings

_LOG = logging.getLogger("uvicorn.error")


class Models:
    """The served models by name. A request keeps the model that it began with."""

    def __init__(self, settings: Settings, load: Callable[[Record, Settings], ServedModel] = load_served) -> None:
        self._settings = settings
        self._load = load
        self._by_ref: dict[str, ServedModel] = {}
        self._by_name: Mapping[str, ServedModel] = {}
        self.refused: dict[str, str] = {}  # by reference: why its present record does not answer

    def load(self) -> None:
        """Load the record of every reference. Raises InputError or DifferenceError for one that may not answer."""
        for ref in self._settings.refs:
            self._by_ref[ref] = self._load(self._record(ref), self._settings)
        check_names(list(self._by_ref.values()))
        self._by_name = {served.name: served for served in self._by_ref.values()}

    def refresh(self) -> list[ServedModel]:
        """Load the records that the references name by now, and let those take over. Returns the new ones.

        A record that may not answer leaves the one before it in its place, and is said once in the log.
        """
        taken = []
        for ref, served in list(self._by_ref.items()):
            try:
                record = self._record(ref)
                if record.id == served.version:
                    self.refused.pop(ref, None)
                    continue
                new = self._load(record, self._settings)
            except (PipelineLibError, OSError) as error:
                if self.refused.get(ref) != str(error):
                    _LOG.error("%s stays: %s", served.reference, error)
                self.refused[ref] = str(error)
                continue
            self.refused.pop(ref, None)
            self._by_ref[ref] = new
            self._by_name = {each.name: each for each in self._by_ref.values()}
            _LOG.info("%s answers in place of %s", new.reference, served.reference)
            taken.append(new)
        return taken

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(self._by_name.values())

    @property
    def first(self) -> ServedModel:
        """The model of the first reference, which answers where a request names none."""
        return next(iter(self._by_name.values()))

    def find(self, name: str, version: str | None = None) -> ServedModel:
        """The model of a name, and of a version where it is given. Raises HttpError."""
        served = self._by_name.get(name)
        if served is None:
            raise HttpError(404, f"found no model of this name, expected one of {', '.join(self._by_name)}")
        if version is not None and version != served.version:
            raise HttpError(404, f"found another version of {name}, expected {served.version}, which is served")
        return served

    def _record(self, ref: str) -> Record:
        return record_at(Path(ref)) or find_record(ref, self._project)

    @property
    def _project(self) -> Project:
        return find_project(Path(self._settings.project))
