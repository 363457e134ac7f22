"""The parity check: fresh processes repeat the evidence under each variation, and every bit must agree."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline_lib.compiled.artifact import read_description
from pipeline_lib.compiled.opaque_versions import distributions
from pipeline_lib.errors import InputError, RunError
from pipeline_lib.evidence.evidence import other_artifact, read_evidence
from pipeline_lib.parity.causes import code_differences, environment_differences, with_causes
from pipeline_lib.parity.door_answers import first_difference
from pipeline_lib.parity.doors import Doors
from pipeline_lib.parity.process_settings import AbsentError, Preparation, Setting
from pipeline_lib.parity.replay_request import ReplayReply, ReplayRequest
from pipeline_lib.parity.result import ARTIFACT, EDGES, FRESH, Outcome, Parity, in_words, write_parity_page
from pipeline_lib.parity.variations import FULL, OF_TABLES, QUICK, VARIATIONS, Variation, find_variations
from pipeline_lib.project.project import library_around, trust_around
from pipeline_lib.records.forgotten import check_rows
from pipeline_lib.records.index import read_parity
from pipeline_lib.records.layout import ENVIRONMENT, PARITY, PARITY_PAGE
from pipeline_lib.records.record import RECORD_VARIABLE, Record, checks_folder
from pipeline_lib.records.reference import as_record
from pipeline_lib.records.report_checked import write_checked_report
from pipeline_lib.records.seal import verify
from pipeline_lib.system.files import canonical_json, read_json, write_atomic
from pipeline_lib.system.locks import locked_temporary_folder

TIMEOUT = 3_600
"""Seconds that one process may take."""
IN_EACH_PROCESS = (FRESH, "dict", EDGES)
"""The variations in a process with its own setting: all rows at once, each alone, and the edge rows."""


@dataclass(frozen=True)
class _Check:
    """One check: its record, what preparing its processes needs, and how the artifact differs from the evidence's."""

    record: Record
    preparation: Preparation
    other_artifact: Sequence[str]

    def deliveries(self, variations: Sequence[Variation]) -> list[Outcome]:
        """The outcomes of deliveries, all in one fresh process; the first one predicts all rows."""
        try:
            reply = self.replay(Setting({}), variations)
        except RunError as error:
            raise RunError(
                f"{self.record.reference}: the fresh process failed: {error}\nexpected it to load the artifact and "
                "predict; `pipeline-lib verify` says whether the record is whole"
            ) from error
        fresh_exact = reply.outcomes[0]["verdict"] == "exact"
        if self.preparation.opaque and not fresh_exact:  # a feature may read the clock: list what does
            reply = replace(reply, readers=self.replay(Setting({}, days=0), variations[:1]).readers)
        return self.explained(reply, variations, fresh_exact=fresh_exact)

    def in_process(self, variation: Variation, *, fresh_exact: bool) -> Outcome:
        """The outcome of a variation that needs a process of its own."""
        started = time.perf_counter()
        begun = Outcome(variation.name, variation.group, "absent", what=variation.what)
        try:
            setting = variation.prepare(self.preparation) if variation.prepare else Setting({})
        except AbsentError as reason:
            return replace(begun, detail=str(reason))
        try:
            reply = self.replay(setting, [VARIATIONS[name] for name in IN_EACH_PROCESS])
        except RunError as error:
            return replace(begun, verdict="different", detail=f"the process failed: {error}")
        if unproven := _unproven(setting, reply.proof):
            return replace(begun, verdict="different", detail=unproven, proof=reply.proof)
        outcomes = self.explained(reply, [variation] * len(IN_EACH_PROCESS), fresh_exact=fresh_exact)
        first = next((outcome for outcome in outcomes if outcome.verdict == "different"), outcomes[0])
        seconds = round(time.perf_counter() - started, 3)
        named = replace(first, variation=variation.name, group=variation.group, what=variation.what)
        return replace(named, seconds=seconds, proof=reply.proof)

    def replay(self, setting: Setting, variations: Sequence[Variation]) -> ReplayReply:
        """The reply of a fresh process under a setting; RunError, with its last line of text, where it fails."""
        with tempfile.TemporaryDirectory(dir=self.preparation.folder) as folder:
            result, file = Path(folder) / "result.json", Path(folder) / "request.json"
            request = ReplayRequest(
                record=str(self.record.folder),
                library=self.preparation.library,
                trust=self.preparation.trust,
                tasks=tuple(variation.task() for variation in variations),
                proof=tuple(setting.proof),
                days=setting.days,
                result=str(result),
                parent=os.getpid(),
            )
            file.write_bytes(canonical_json(request.to_json()))
            ended = _run(
                [setting.python, "-P", "-m", "pipeline_lib.parity.worker", str(file)],
                cwd=folder,
                env=_environment(setting),
                capture_output=True,
                text=True,
                check=False,
                timeout=TIMEOUT,
            )
            if ended.returncode:
                raise RunError((ended.stderr.strip().splitlines() or ["no message"])[-1])
            return ReplayReply.from_json(json.loads(result.read_bytes()))

    def explained(self, reply: ReplayReply, variations: Sequence[Variation], *, fresh_exact: bool) -> list[Outcome]:
        """The outcomes of a reply, one for each variation; different ones with their likely causes."""
        outcomes = [Outcome.from_json(values) for values in reply.outcomes]
        readers = _feature_readers(reply.readers, self.preparation.library)
        if all(outcome.verdict != "different" for outcome in outcomes):
            detail = f"no value changed, but the wall clock is read: {'; '.join(readers)}" if readers else ""
            return [replace(outcome, detail=outcome.detail or detail) for outcome in outcomes]
        opaque, library = bool(self.preparation.opaque), self.preparation.library
        recorded = self.record.read_json(ENVIRONMENT)
        environment = environment_differences(recorded, reply.environment or {}, opaque=opaque)
        code = [*self.other_artifact, *(code_differences(self.record, library) if opaque else [])]
        return [
            with_causes(
                outcome, variation, fresh_exact=fresh_exact, readers=readers, environment=environment, code=code
            )
            if outcome.verdict == "different"
            else outcome
            for outcome, variation in zip(outcomes, variations, strict=True)
        ]


def through_door(variation: Variation, doors: Doors) -> Outcome:
    """The outcome of asking a command or a server for the evidence's rows."""
    started = time.perf_counter()
    begun = Outcome(variation.name, variation.group, "different", what=variation.what)
    try:
        answers = variation.door(doors) if variation.door else {}
        difference = first_difference(doors, answers)
    except AbsentError as reason:
        return replace(begun, verdict="absent", detail=str(reason))
    except RunError as error:
        return replace(begun, detail=f"failed: {error}")
    rows = max(map(len, answers.values()), default=0)
    ended = replace(begun, rows=rows, seconds=round(time.perf_counter() - started, 3))
    if difference is None:
        return replace(ended, verdict="exact")
    return replace(ended, differing=difference[0], detail=difference[1])


def check_parity(
    record: Record | str | Path,
    *,
    library: str | None = None,
    trust: Sequence[str] | None = None,
    variations: Sequence[str | Variation] = QUICK,
    progress: Callable[[Outcome], None] = lambda outcome: None,
) -> Parity:
    """Repeat a record's evidence in fresh processes, under each variation, and compare every bit.

    `record` is a record, a reference (`houses`) or a record's path. `variations` are names (`QUICK` or `FULL` of
    `pipeline_lib.parity.variations`, or some of them) or variations of your own; a fresh process that predicts all
    rows always comes first, and with all of `QUICK` opaque steps also run on another day. `library` is the package
    whose steps may be loaded, `trust` are other packages whose classes opaque steps may hold: by default those of the
    project around the record or the working folder. `progress` is called with each outcome. The result is written to a
    folder next to the record, as JSON and as a page, with the outcomes of earlier checks under other variations. Raises
    InputError for an unknown name, a record without evidence or with changed bytes, RunError when the fresh process
    fails or the result cannot be written.
    """
    record = as_record(record)
    wanted = variations_of(record, variations)
    _check_intact(record)
    expected = read_evidence(record.evidence)
    opaque = tuple(_described(record)["opaque"])
    packages = (record.read_json(ENVIRONMENT) or {}).get("packages", {})
    with locked_temporary_folder("parity") as folder:
        package = library or library_around(record.folder, Path.cwd())
        trusted = trust_around(record.folder, Path.cwd()) if trust is None else tuple(trust)
        needs = distributions(record.artifact) if opaque else ()
        preparation = Preparation(folder, opaque, package, packages, trusted, needs)
        check = _Check(record, preparation, other_artifact(expected, record.artifact))
        outcomes = check.deliveries([variation for variation in wanted if variation.is_delivery])
        if check.other_artifact:
            outcomes.append(Outcome(ARTIFACT, "record", "different", detail="; ".join(check.other_artifact)))
        for outcome in outcomes:
            progress(outcome)
        fresh_exact = outcomes[0].verdict == "exact"
        with closing(Doors(record, folder, trusted)) as doors:
            for variation in wanted:
                if variation.is_delivery:
                    continue
                if variation.door is not None:
                    outcomes.append(through_door(variation, doors))
                else:
                    outcomes.append(check.in_process(variation, fresh_exact=fresh_exact))
                progress(outcomes[-1])
    steps = list(expected.steps)
    parity = Parity.of(record.reference, expected.inputs.num_rows, steps, outcomes)
    try:
        _write(record, Parity.of(record.reference, parity.rows, steps, [*_earlier(record, outcomes), *outcomes]))
    except OSError as error:
        raise RunError(
            f"{record.reference}: {parity}\nfound {error}, so this result is not kept; expected a folder next to the "
            "record that can be written"
        ) from error
    return parity


def read_or_check_parity(record: Record, library: str) -> dict[str, Any]:
    """The stored result of a record's last parity check as JSON values; where there is none, of a check now."""
    return read_parity(record) or check_parity(record, library=library).to_json()


def variations_of(record: Record, variations: Sequence[str | Variation]) -> list[Variation]:
    """The variations of a check: a fresh process first, and with all of `QUICK` those that the record's kind needs."""
    wanted = {variation.name: variation for variation in (VARIATIONS[FRESH], *find_variations(variations))}
    if wanted.keys() >= set(QUICK):
        described = _described(record)
        # library code may read the clock; a plan cannot
        more = (*(OF_TABLES if len(described["tables"]) > 1 else ()), *(["another day"] if described["opaque"] else ()))
        wanted |= {name: VARIATIONS[name] for name in more}
    return list(wanted.values())


def _described(record: Record) -> dict[str, Any]:
    return read_description(record.artifact) if record.artifact.is_dir() else {"opaque": (), "tables": ()}


def _check_intact(record: Record) -> None:
    status = record.status()
    if status == "scratch":
        return
    problems = verify(record)
    if problems or status != "finished":
        raise InputError(
            f"{record.reference}: found {'; '.join(problems[:3]) or f'a record that is {status}'}\n"
            "expected a finished record, every byte as it was sealed; run again"
        )
    check_rows(record, "to repeat")


def _unproven(setting: Setting, proof: dict[str, Any]) -> str:
    """The values of a setting that a process did not show; empty where the setting took effect."""
    wrong = {name: proof.get(name) for name, expected in setting.proof.items() if proof.get(name) != expected}
    if not wrong:
        return ""
    expected = {name: setting.proof[name] for name in wrong}
    return (
        f"found {wrong} in the process, expected {expected}: the setting took no effect, so nothing was shown; "
        "look for what overrides it on this machine"
    )


def _environment(setting: Setting) -> dict[str, str]:
    """This process's environment variables with those of a setting; none of our paths for an environment of its own."""
    left_out = (RECORD_VARIABLE, "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    if setting.own_packages:
        environment["PYTHONNOUSERSITE"] = "1"
    else:
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return {**environment, **setting.variables}


def _run(command: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a process to its end. RunError after the timeout."""
    try:
        return subprocess.run(command, **options)  # noqa: S603 (a Python and our own module)
    except subprocess.TimeoutExpired as error:
        raise RunError(
            f"found no answer within {TIMEOUT:,} seconds, expected one; look for a step that waits"
        ) from error


def _feature_readers(readers: Sequence[str], library: str) -> list[str]:
    """Of the functions that read the clock, those that compute features."""
    packages = (f"({library}.steps", f"({library}.pipelines", "(sklearn", "(feature_engine", "(pandas")
    return [reader for reader in readers if any(package in reader for package in packages)]


def _earlier(record: Record, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes of earlier checks under other variations: a narrow check hides no difference."""
    now = {outcome.variation for outcome in outcomes}
    kept = (read_json(checks_folder(record) / PARITY) or {}).get("variations", [])
    return [Outcome.from_json(values) for values in kept if values["variation"] not in now]


def _write(record: Record, parity: Parity) -> None:
    folder = checks_folder(record)
    folder.mkdir(parents=True, exist_ok=True)
    write_parity_page(folder / PARITY_PAGE, parity)
    write_checked_report(record, *in_words(parity), "good" if parity.exact else "bad")
    checked = {outcome.variation for outcome in parity.outcomes}
    full = {variation.name for variation in variations_of(record, FULL)} <= checked
    write_atomic(folder / PARITY, canonical_json({**parity.to_json(), "full": full}))
