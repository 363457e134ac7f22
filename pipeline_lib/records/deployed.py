"""What answers in production: a record, or an installed package of one. Verified before anything in it is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.project.project import library_around, trust_around
from pipeline_lib.records.index import read_parity
from pipeline_lib.records.layout import METRICS
from pipeline_lib.records.proven import check_proven
from pipeline_lib.records.record import Record
from pipeline_lib.scoring.installed import InstalledPackage


@dataclass(frozen=True)
class Deployed:
    """A verified model on disk: which record it is of, where its artifact is, what its opaque steps may load.

    `version` is the record's ID, `digest` that of its manifest. `evidence` holds raw rows, where there are any.
    """

    name: str
    version: str
    digest: str
    artifact: Path
    library: str
    trust: tuple[str, ...]
    hashes: dict[str, Any]
    metrics: dict[str, Any]
    parity: dict[str, Any] | None
    evidence: Path | None

    @property
    def reference(self) -> str:
        """The pipeline and the record's ID."""
        return f"{self.name}/{self.version}"

    def load(self, *, other_versions: bool = False) -> CompiledPipeline:
        """The model; `other_versions` as for `load_model`."""
        return load_model(self.artifact, library=self.library, trust=self.trust, other_versions=other_versions)


def deployed(
    given: Record | InstalledPackage,
    *,
    allow_unproven: bool = False,
    library: str | None = None,
    trust: Sequence[str] = (),
) -> Deployed:
    """Verify a record or an installed package.

    Raises DifferenceError for a byte that has changed, InputError for a record whose parity is not exact. `library`
    and `trust` go before what the project, or the package, says.
    """
    if isinstance(given, InstalledPackage):
        given.verify()
        facts = given.facts
        return Deployed(
            given.pipeline,
            given.reference.partition("/")[2],
            str(facts["digest"]),
            given.artifact,
            library or str(facts["library"]),
            tuple(trust) or tuple(facts["trust"]),
            dict(facts["hashes"]),
            dict(facts["metrics"]),
            dict(facts["parity"]),
            None,
        )
    check_proven(given, allow_unproven=allow_unproven)
    return Deployed(
        given.pipeline,
        given.id,
        str(given.manifest()["digest"]),
        given.artifact,
        library or library_around(given.folder, Path.cwd()),
        tuple(trust) or trust_around(given.folder, Path.cwd()),
        dict(given.manifest().get("hashes") or {}),
        dict(given.read_json(METRICS) or {}),
        read_parity(given),
        given.evidence / "inputs.parquet",
    )
