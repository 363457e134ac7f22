"""The models of a server: found by name, and replaced by a new champion while requests are answered."""

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pipeline_lib.errors import InputError, PipelineLibError
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.champion import read_champion
from pipeline_lib.records.champion_record import CHAMPION
from pipeline_lib.records.record import Record
from pipeline_lib.records.reference import find_record, record_at
from pipeline_lib.scoring.installed import FACTS, InstalledPackage, installed_package
from pipeline_lib.serving.http import HttpError
from pipeline_lib.serving.served_model import ServedModel, check_names, load_served
from pipeline_lib.serving.settings import Settings
from pipeline_lib.system.files import write_atomic

Load = Callable[[Record | InstalledPackage, Settings], ServedModel]
_LOG = logging.getLogger("uvicorn.error")


class Models:
    """The served models by name. A request keeps the model that it began with."""

    def __init__(self, settings: Settings, load: Load = load_served) -> None:
        self._settings = settings
        self._load = load
        self._by_ref: dict[str, ServedModel] = {}
        self._by_name: Mapping[str, ServedModel] = {}
        self._refused: dict[str, str] = {}  # by reference: why its present record does not answer

    def load(self) -> None:
        """Load the record of every reference. Raises InputError or DifferenceError for one that may not answer.

        A worker that starts later, after one that died, loads the last record that did answer in place of such a one.
        """
        twice = sorted({ref for ref in self._settings.refs if self._settings.refs.count(ref) > 1})
        if twice:
            raise InputError(f"found {', '.join(twice)} more than once, expected each record once; leave one out")
        for ref in self._settings.refs:
            try:
                self._by_ref[ref] = self._load(self._record(ref), self._settings)
            except (PipelineLibError, OSError) as error:
                noted = self._note(ref)
                if noted is None or not noted.is_file():
                    raise
                self._by_ref[ref] = self._load(_at(Path(noted.read_text(encoding="utf-8"))), self._settings)
                self._refuse(ref, error)
        check_names(list(self._by_ref.values()))
        self._answer()

    def load_one(self, ref: str) -> ServedModel:
        """Load the record of a reference that is not served itself. Raises as `load` does."""
        return self._load(self._record(ref), self._settings)

    def refresh(self) -> list[ServedModel]:
        """Load the champions that have changed, and let those take over. Returns the new ones.

        A champion that may not answer leaves the one before it in its place, and is said once in the log.
        """
        taken = []
        for ref, served in list(self._by_ref.items()):
            try:
                if not self._is_another(ref, served):
                    self._refused.pop(ref, None)
                    continue
                new = self._load(self._record(ref), self._settings)
            except (PipelineLibError, OSError) as error:
                self._refuse(ref, error)
                continue
            self._refused.pop(ref, None)
            self._by_ref[ref] = new
            self._answer()
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

    def _is_another(self, ref: str, served: ServedModel) -> bool:
        """Whether a champion's pointer names another record than the one that answers; other references are fixed."""
        name, _, which = ref.partition("@")
        if which != CHAMPION:
            return False
        champion = read_champion(self._project, name)
        return champion is not None and champion.record.digest != served.digest

    def _refuse(self, ref: str, error: Exception) -> None:
        if self._refused.get(ref) != str(error):
            _LOG.error("%s goes on to answer: %s", self._by_ref[ref].reference, error)
        self._refused[ref] = str(error)

    def _answer(self) -> None:
        """Answer with the models by reference, and note their records for workers that start later."""
        self._by_name = {served.name: served for served in self._by_ref.values()}
        for ref, served in self._by_ref.items():
            noted = self._note(ref)
            if noted is not None:
                write_atomic(noted, str(served.folder).encode())

    def _note(self, ref: str) -> Path | None:
        folder = self._settings.folder
        return None if folder is None else Path(folder) / f"record-{self._settings.refs.index(ref)}"

    def _record(self, ref: str) -> Record | InstalledPackage:
        return installed_package(ref) or record_at(Path(ref)) or find_record(ref, self._project)

    @property
    def _project(self) -> Project:
        return find_project(Path(self._settings.project))


def _at(folder: Path) -> Record | InstalledPackage:
    """The record or package whose folder a worker has noted."""
    return InstalledPackage(folder) if (folder / FACTS).is_file() else Record(folder)
