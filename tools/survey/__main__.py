"""Run the survey: `make survey`, or for a part of it

python -m tools.survey [--workers 2] [--results FILE] [WORD ...]

WORD selects the cases whose name contains one of them. Without WORD the committed result and page are written at the
end. A run that was stopped goes on with the cases that FILE lacks; --again starts from the beginning.
"""

import argparse
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

from tools.survey.cases import cases
from tools.survey.checks import Result
from tools.survey.page import PAGE, page
from tools.survey.results import COMMITTED, write
from tools.survey.runner import ROOT, now, run

PARTIAL = ROOT / "build" / "survey.jsonl"


def main() -> None:
    """Run the cases that are left, print each that is not exact."""
    parser = argparse.ArgumentParser(prog="python -m tools.survey")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--results", type=Path, default=PARTIAL)
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    arguments.results.parent.mkdir(exist_ok=True)
    if arguments.again:
        arguments.results.unlink(missing_ok=True)
    finished = {result.case for result in read_results(arguments.results)}
    wanted = [case for case in cases(tuple(arguments.words)) if case.id not in finished]
    wanted.sort(key=lambda case: case.seed)  # a first answer for every class after half of the time
    count, seen = len(wanted), Counter[str]()
    print(f"{now()} {count} cases, {len(finished)} finished before", flush=True)
    with arguments.results.open("a", encoding="utf-8") as file:

        def progress(result: Result) -> None:
            file.write(json.dumps(result.to_json(), ensure_ascii=False) + "\n")
            file.flush()
            seen[result.outcome] += 1
            if result.outcome != "exact":
                print(f"{now()} {seen.total()}/{count} {result.outcome}: {result.case}: {result.why[:150]}", flush=True)

        run(wanted, arguments.workers, progress)
    print(now(), dict(seen))
    if not arguments.words:
        commit(read_results(arguments.results))


def commit(results: list[Result]) -> None:
    """Write the committed result, in the order of the tables, and its page."""
    latest = {result.case: result for result in results}
    ordered = [replace(latest[case.id], seconds=0.0) for case in cases() if case.id in latest]
    write(COMMITTED, ordered)
    PAGE.write_text(page(ordered), encoding="utf-8")
    print(f"{now()} wrote {COMMITTED.name} and {PAGE.name}: {len(ordered)} cases")


def read_results(path: Path) -> list[Result]:
    """The results of a file; none where there is none."""
    if not path.is_file():
        return []
    return [Result(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
