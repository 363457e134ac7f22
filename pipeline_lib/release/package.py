"""Packaging: a record becomes a wheel that is proven before it has its name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.errors import InputError, RunError
from pipeline_lib.project.project import Project
from pipeline_lib.records.record import Record
from pipeline_lib.release.contents import package_files, package_name, package_version
from pipeline_lib.release.packageable import check_packageable
from pipeline_lib.release.prove import prove
from pipeline_lib.release.wheel import wheel_name, write_wheel
from pipeline_lib.system.files import write_atomic
from pipeline_lib.system.locks import locked_temporary_folder


@dataclass(frozen=True)
class Packaged:
    """A proven wheel: its path, the name it is imported by, how many rows of evidence it repeated."""

    wheel: Path
    name: str
    evidence_rows: int


def package(
    record: Record,
    project: Project,
    target: Path,
    *,
    include_rows: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> Packaged:
    """Package a record into the folder `target`, under its name once it is built twice with the same bytes and proven.

    Raises InputError for a record or checkout that may not be packaged, DifferenceError where the installed package
    answers otherwise than the record; nothing is left in `target` then.
    """
    from pipeline_lib.compiled.artifact import read_description
    from pipeline_lib.compiled.opaque_versions import distributions

    check_packageable(record, project)
    name, version = package_name(record), package_version(record)
    target.mkdir(parents=True, exist_ok=True)
    with locked_temporary_folder("package") as folder:
        built = []
        for again in ("first", "second"):
            place = folder / again
            place.mkdir()
            files, metadata = package_files(record, project, include_rows=include_rows)
            built.append(write_wheel(place, name, version, files, metadata))
        if built[0].read_bytes() != built[1].read_bytes():
            raise RunError(f"{built[0].name}: found other bytes when it was built again, expected the same: a bug")
        progress(f"built twice, the same bytes: {wheel_name(name, version)}")
        opaque = bool(read_description(record.artifact)["opaque"])
        needs = tuple(distributions(record.artifact)) if opaque else ()
        rows = prove(built[0], name, record, library=project.library, opaque=opaque, needs=needs)
        final = target / built[0].name
        if final.exists() and final.read_bytes() != built[0].read_bytes():
            raise InputError(
                f"{final}: found another package of this record, expected none or the same; move it away (with or "
                "without --include-rows gives other bytes)"
            )
        write_atomic(final, built[0].read_bytes())
    return Packaged(final, name, rows)
