"""One parity check: fresh processes hand the evidence's rows over in every asked way, and every bit must agree."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline_lib.compiled.artifact import read_description
from pipeline_lib.errors import InputError, RunError
from pipeline_lib.evidence.evidence import other_artifact, read_evidence
from pipeline_lib.parity.causes import code_differences, environment_differences, with_causes
from pipeline_lib.parity.process_settings import AbsentError, Place, Setting
from pipeline_lib.parity.result import ARTIFACT, EDGES, FRESH, Outcome, Parity, write_parity_page
from pipeline_lib.parity.variations import OF_TABLES, QUICK, VARIATIONS, Variation, chosen
from pipeline_lib.records.layout import ENVIRONMENT, PARITY, PARITY_PAGE
from pipeline_lib.records.record import RECORD_VARIABLE, Record, checks_folder
from pipeline_lib.records.reference import as_record
from pipeline_lib.records.seal import verify
from pipeline_lib.system.files import canonical_json, read_json, write_atomic
from pipeline_lib.system.locks import locked_temporary_folder

LONGEST = 3_600
"""Seconds that one process may take."""
IN_EACH_PROCESS = (FRESH, "dict", EDGES)
"""What a process with a setting of its own repeats: all rows at once, each alone, and those at the edges."""


@dataclass(frozen=True)
class _Check:
    """One check: its record, and what preparing its processes needs."""

    record: Record
    place: Place
    other_artifact: Sequence[str]

    def hand_over(self, variations: Sequence[Variation]) -> list[Outcome]:
        """The outcomes of hand-overs, all in one fresh process, of which the first predicts all rows."""
        try:
            answer = self.answer(Setting({}), variations)
        except RunError as error:
            raise RunError(
                f"{self.record.reference}: the fresh process failed: {error}\nexpected it to load the artifact and "
                "predict; `pipeline-lib verify` says whether the record is whole"
            ) from error
        fresh_exact = answer["outcomes"][0]["verdict"] == "exact"
        if self.place.opaque and not fresh_exact:  # perhaps a feature reads the clock: who does?
            answer["readers"] = self.answer(Setting({}, days=0), variations[:1])["readers"]
        return self.explained(answer, variations, fresh_exact=fresh_exact)

    def in_process(self, variation: Variation, *, fresh_exact: bool) -> Outcome:
        """The outcome of a variation that is a process of its own."""
        started = time.perf_counter()
        begun = Outcome(variation.name, variation.group, "absent", what=variation.what)
        try:
            setting = variation.prepare(self.place) if variation.prepare else Setting({})
        except AbsentError as reason:
            return replace(begun, detail=str(reason))
        try:
            answer = self.answer(setting, [VARIATIONS[name] for name in IN_EACH_PROCESS])
        except RunError as error:
            return replace(begun, verdict="different", detail=f"the process failed: {error}")
        if unproven := _unproven(setting, answer["proof"]):
            return replace(begun, verdict="different", detail=unproven, proof=answer["proof"])
        found = self.explained(answer, [variation] * len(IN_EACH_PROCESS), fresh_exact=fresh_exact)
        first = next((outcome for outcome in found if outcome.verdict == "different"), found[0])
        seconds, proof = round(time.perf_counter() - started, 3), answer["proof"]
        named = replace(first, variation=variation.name, group=variation.group, what=variation.what)
        return replace(named, seconds=seconds, proof=proof)

    def answer(self, setting: Setting, variations: Sequence[Variation]) -> dict[str, Any]:
        """What a fresh process under a setting says; RunError, with its last words, where it fails."""
        with tempfile.TemporaryDirectory(dir=self.place.folder) as folder:
            result = Path(folder) / "result.json"
            request = {
                "record": str(self.record.folder),
                "library": self.place.library,
                "days": setting.days,
                "proof": list(setting.proof),
                "tasks": [variation.task() for variation in variations],
                "result": str(result),
                "parent": os.getpid(),
            }
            asked = Path(folder) / "request.json"
            asked.write_bytes(canonical_json(request))
            done = _ended(
                [setting.python, "-P", "-m", "pipeline_lib.parity.worker", str(asked)],
                cwd=folder,
                env=_environment(setting),
                capture_output=True,
                text=True,
                check=False,
                timeout=LONGEST,
            )
            if done.returncode:
                raise RunError((done.stderr.strip().splitlines() or ["no message"])[-1])
            answer: dict[str, Any] = json.loads(result.read_bytes())
            return answer

    def explained(self, answer: dict[str, Any], variations: Sequence[Variation], *, fresh_exact: bool) -> list[Outcome]:
        """The outcomes of an answer, one for each variation, each divergence with its causes."""
        outcomes = [Outcome.from_json(values) for values in answer["outcomes"]]
        readers = _own(answer["readers"], self.place.library)
        if all(outcome.verdict != "different" for outcome in outcomes):
            told = f"no value changed, but the wall clock is read: {'; '.join(readers)}" if readers else ""
            return [replace(outcome, detail=outcome.detail or told) for outcome in outcomes]
        opaque = bool(self.place.opaque)
        recorded = self.record.read_json(ENVIRONMENT)
        known = {
            "readers": readers,
            "environment": environment_differences(recorded, answer["environment"], opaque=opaque),
            "code": [*self.other_artifact, *(code_differences(self.record, self.place.library) if opaque else [])],
        }
        return [
            with_causes(outcome, variation, fresh_exact=fresh_exact, **known)
            if outcome.verdict == "different"
            else outcome
            for outcome, variation in zip(outcomes, variations, strict=True)
        ]


def check_parity(
    record: Record | str | Path,
    *,
    library: str = "pipeline_lib",
    variations: Sequence[str | Variation] = QUICK,
    progress: Callable[[Outcome], None] = lambda outcome: None,
) -> Parity:
    """Repeat a record's evidence in fresh processes, in every asked variation, and compare every bit.

    `record` is a record, a reference (`houses`) or a record's path. `variations` are names (`QUICK` or `FULL` of
    `pipeline_lib.parity.variations`, or some of them) or variations of your own; a fresh process that predicts all
    rows comes first in any case, and with all of `QUICK` opaque steps meet another day. `library` is the package
    whose steps may be loaded. The result is kept beside the record, as JSON and as a page, with what earlier checks
    found. Raises InputError for an unknown name, a record without evidence or with changed bytes, RunError when the
    fresh process fails or the result cannot be kept.
    """
    record = as_record(record)
    wanted = variations_of(record, variations)
    _check_intact(record)
    expected = read_evidence(record.evidence)
    opaque = tuple(_described(record)["opaque"])
    packages = (record.read_json(ENVIRONMENT) or {}).get("packages", {})
    with locked_temporary_folder("parity") as folder:
        check = _Check(record, Place(folder, opaque, library, packages), other_artifact(expected, record.artifact))
        outcomes = check.hand_over([variation for variation in wanted if variation.hands_over])
        if check.other_artifact:
            outcomes.append(Outcome(ARTIFACT, "record", "different", detail="; ".join(check.other_artifact)))
        for outcome in outcomes:
            progress(outcome)
        fresh_exact = outcomes[0].verdict == "exact"
        for variation in wanted:
            if not variation.hands_over:
                outcomes.append(check.in_process(variation, fresh_exact=fresh_exact))
                progress(outcomes[-1])
    steps = list(expected.steps)
    parity = Parity.of(record.reference, expected.inputs.num_rows, steps, outcomes)
    try:
        _keep(record, Parity.of(record.reference, parity.rows, steps, [*_others(record, outcomes), *outcomes]))
    except OSError as error:
        raise RunError(
            f"{record.reference}: {parity}\nfound {error}, so this is not kept; expected a folder beside the record "
            "that can be written"
        ) from error
    return parity


def variations_of(record: Record, variations: Sequence[str | Variation]) -> list[Variation]:
    """What is asked of a record: a fresh process first, and with all of `QUICK` what its kind of record needs."""
    wanted = {variation.name: variation for variation in (VARIATIONS[FRESH], *chosen(variations))}
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


def _unproven(setting: Setting, proof: dict[str, Any]) -> str:
    """What a process should have shown of its setting and did not; empty where it took effect."""
    wrong = {name: proof.get(name) for name, expected in setting.proof.items() if proof.get(name) != expected}
    if not wrong:
        return ""
    expected = {name: setting.proof[name] for name in wrong}
    return (
        f"found {wrong} in the process, expected {expected}: the setting took no effect, so nothing was shown; "
        "look for what overrides it on this machine"
    )


def _environment(setting: Setting) -> dict[str, str]:
    """This process's environment, as a setting changes it; none of our paths reach an environment of its own."""
    left = (RECORD_VARIABLE, "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in left}
    if setting.home:
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    else:
        environment["PYTHONNOUSERSITE"] = "1"
    return {**environment, **setting.variables}


def _ended(command: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[str]":
    """A process that has ended, and that ends with this one."""
    try:
        return subprocess.run(command, **options)  # noqa: S603 (a Python and our own module)
    except subprocess.TimeoutExpired as error:
        raise RunError(
            f"found no answer within {LONGEST:,} seconds, expected one; look for a step that waits"
        ) from error


def _own(readers: Sequence[str], library: str) -> list[str]:
    """Of those who read the clock, the code that makes features."""
    packages = (f"({library}.steps", f"({library}.pipelines", "(sklearn", "(feature_engine", "(pandas")
    return [reader for reader in readers if any(package in reader for package in packages)]


def _others(record: Record, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """What earlier checks of the same record found under other variations: a narrow check hides no difference."""
    now = {outcome.variation for outcome in outcomes}
    kept = (read_json(checks_folder(record) / PARITY) or {}).get("variations", [])
    return [Outcome.from_json(values) for values in kept if values["variation"] not in now]


def _keep(record: Record, parity: Parity) -> None:
    folder = checks_folder(record)
    folder.mkdir(parents=True, exist_ok=True)
    write_parity_page(folder / PARITY_PAGE, parity)
    write_atomic(folder / PARITY, canonical_json(parity.to_json()))
