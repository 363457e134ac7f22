"""What ran and what came out, as digests: commit, notebook, library, parameters; raw input, artifact, outputs."""

import subprocess

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import digest
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.project.params import params_to_json
from pipeline_lib.project.project import Project
from pipeline_lib.records.layout import GIT_DIFF, TRAINING
from pipeline_lib.records.manifest import Git, Provenance
from pipeline_lib.records.record import Record
from pipeline_lib.runner.preflight import Request
from pipeline_lib.system.files import canonical_json, sha256_bytes, sha256_file, sha256_tree, write_atomic


def describe_provenance(request: Request, record: Record) -> Provenance:
    """The commit and the digests of what is about to run; the difference from the commit is written to the record."""
    return Provenance(record_commit(request.project, record), code_hashes(request))


def code_hashes(request: Request) -> dict[str, str]:
    """Digests of the research notebook, the generated library and the parameters, as they are now."""
    project = request.project
    return {
        "notebook": sha256_file(project.research_notebook(request.pipeline)),
        "library": sha256_bytes(canonical_json(project.generated_digests())),
        "parameters": sha256_bytes(canonical_json(params_to_json(request.params))),
    }


def result_hashes(record: Record) -> dict[str, str | None]:
    """Digests of raw input, artifact and outputs; None for what the run did not reach."""
    hashes: dict[str, str | None] = {"raw_input": None, "artifact": None, "outputs": None}
    if record.artifact.is_dir():
        hashes["artifact"] = sha256_tree(record.artifact)
    try:
        evidence = read_evidence(record.evidence)
    except InputError:
        return hashes
    training = (record.read_json(TRAINING) or {}).get("digest", "")
    hashes["raw_input"] = sha256_bytes(f"{training}\n{digest(evidence.inputs)}".encode())
    hashes["outputs"] = digest(evidence.outputs)
    return hashes


def record_commit(project: Project, record: Record) -> Git | None:
    """Write the difference from the commit to `git.diff`, and return the commit; None outside git."""
    commit = _git(project, "rev-parse", "HEAD")
    if commit is None:
        return None
    difference = _git(project, "diff", "HEAD", "--binary") or b""
    untracked = (_git(project, "ls-files", "--others", "--exclude-standard", "-z") or b"").split(b"\0")[:-1]
    if difference:
        write_atomic(record.folder / GIT_DIFF, difference)
    names = tuple(name.decode(errors="backslashreplace") for name in untracked)
    return Git(commit.decode().strip(), bool(difference), names)


def _git(project: Project, *arguments: str) -> bytes | None:
    command = ["git", "-C", str(project.root), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
