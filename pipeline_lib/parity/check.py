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

from pipeline_lib.compiled import read_description
from pipeline_lib.errors import InputError, RunError
from pipeline_lib.evidence import other_artifact, read_evidence
from pipeline_lib.files import canonical_json, write_atomic
from pipeline_lib.parity.causes import code_differences, environment_differences, with_causes
from pipeline_lib.parity.page import PAGE, write_page
from pipeline_lib.parity.settings import AbsentError, Place, Setting
from pipeline_lib.parity.variations import FULL, OF_TABLES, QUICK, VARIATIONS, Variation, chosen
from pipeline_lib.parity.verdicts import ARTIFACT, EDGES, FRESH, Outcome, Parity
from pipeline_lib.record import ENVIRONMENT, RECORD_VARIABLE, Record, checks_folder, verify

RESULT = "parity.json"
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
        begun = Outcome(variation.name, variation.group, "absent")
        try:
            setting = variation.prepare(self.place) if variation.prepare else Setting({})
        except AbsentError as reason:
            return replace(begun, detail=str(reason))
        try:
            answer = self.answer(setting, [VARIATIONS[name] for name in IN_EACH_PROCESS])
        except RunError as error:
            return replace(begun, verdict="different", detail=f"the process failed: {error}")
        _check_proof(variation, setting, answer["proof"])
        found = self.explained(answer, [variation] * len(IN_EACH_PROCESS), fresh_exact=fresh_exact)
        first = next((outcome for outcome in found if outcome.verdict == "different"), found[0])
        seconds, proof = round(time.perf_counter() - started, 3), answer["proof"]
        return replace(first, variation=variation.name, group=variation.group, seconds=seconds, proof=proof)

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
            }
            asked = Path(folder) / "request.json"
            asked.write_bytes(canonical_json(request))
            done = subprocess.run(  # noqa: S603 (a Python and our own module)
                [setting.python, "-P", "-m", "pipeline_lib.parity.worker", str(asked)],
                cwd=folder,
                env=_environment(setting),
                capture_output=True,
                text=True,
                check=False,
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
            replace(outcome, divergence=with_causes(outcome.divergence, variation, fresh_exact=fresh_exact, **known))
            if outcome.divergence and outcome.verdict == "different"
            else outcome
            for outcome, variation in zip(outcomes, variations, strict=True)
        ]


def check_parity(
    record: Record,
    *,
    library: str = "pipeline_lib",
    variations: Sequence[str | Variation] = QUICK,
    progress: Callable[[Outcome], None] = lambda outcome: None,
) -> Parity:
    """Repeat a record's evidence in fresh processes, in every asked variation, and compare every bit.

    `variations` are names (`QUICK` or `FULL` of `pipeline_lib.parity`, or some of them) or variations of your own;
    a fresh process that predicts all rows comes first in any case, and opaque steps meet another day. `library` is
    the package whose steps may be loaded. The result is kept beside the record, as JSON and as a page. Raises
    InputError for an unknown name, a record without evidence or with changed bytes, RunError when the fresh process
    fails or a setting took no effect.
    """
    wanted = [VARIATIONS[FRESH], *(variation for variation in chosen(variations) if variation.name != FRESH)]
    _check_intact(record)
    expected = read_evidence(record.evidence)
    described = read_description(record.artifact) if record.artifact.is_dir() else {"opaque": (), "tables": ()}
    opaque = tuple(described["opaque"])
    if len(described["tables"]) > 1 and variations in (QUICK, FULL):
        wanted += [VARIATIONS[name] for name in OF_TABLES]
    if opaque and variations == QUICK:  # library code may read the clock; a plan cannot
        wanted.append(VARIATIONS["another day"])
    packages = (record.read_json(ENVIRONMENT) or {}).get("packages", {})
    with tempfile.TemporaryDirectory(prefix="pipeline-lib-parity-") as folder:
        check = _Check(
            record, Place(Path(folder), opaque, library, packages), other_artifact(expected, record.artifact)
        )
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
    parity = Parity.of(record.reference, expected.inputs.num_rows, list(expected.steps), outcomes)
    _keep(record, parity)
    return parity


def _check_intact(record: Record) -> None:
    status = record.status()
    if status == "scratch":
        return
    problems = verify(record)
    if problems or status != "finished":
        raise InputError(
            f"{record.reference}: found a record that is {status}{': ' if problems else ''}{'; '.join(problems[:3])}, "
            "expected a finished one with every byte as it was sealed; run again"
        )


def _check_proof(variation: Variation, setting: Setting, proof: dict[str, Any]) -> None:
    wrong = {name: proof.get(name) for name, expected in setting.proof.items() if proof.get(name) != expected}
    if wrong:
        expected = {name: setting.proof[name] for name in wrong}
        raise RunError(
            f"{variation.name}: found {wrong} in the process, expected {expected}: the setting took no effect, so "
            "nothing was shown; leave this variation out on this machine"
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


def _own(readers: Sequence[str], library: str) -> list[str]:
    """Of those who read the clock, the code that makes features."""
    packages = (f"({library}.steps", f"({library}.pipelines", "(sklearn", "(feature_engine", "(pandas")
    return [reader for reader in readers if any(package in reader for package in packages)]


def _keep(record: Record, parity: Parity) -> None:
    folder = checks_folder(record)
    folder.mkdir(parents=True, exist_ok=True)
    write_page(folder / PAGE, parity)
    write_atomic(folder / RESULT, canonical_json(parity.to_json()))
