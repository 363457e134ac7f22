"""A process that takes cases in turn: their ids come on standard input, results go to standard output as JSON lines.

python -m tools.survey.worker [FOLDER]: models are saved in FOLDER, a folder for each.
python -m tools.survey.worker --fresh: what comes are folders; each model there must repeat its predictions.
"""

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import TextIO

from tools.survey.cases import cases
from tools.survey.checks import Result, check_case


def main(arguments: list[str]) -> None:
    """Take cases until standard input ends."""
    output = _own_output()
    warnings.simplefilter("ignore")
    if arguments == ["--fresh"]:
        from tools.survey.fresh import check_folder

        for line in sys.stdin:
            _tell(output, check_folder(Path(line.rstrip("\n"))))
        return
    known = {case.id: case for case in cases()}
    folder = Path(arguments[0]) if arguments else None
    for number, line in enumerate(sys.stdin):
        case = known[line.rstrip("\n")]
        start = time.perf_counter()
        result = check_case(case, folder and folder / f"{os.getpid()}-{number}")
        _tell(output, Result(result.case, result.outcome, result.why, round(time.perf_counter() - start, 2)))


def _own_output() -> TextIO:
    """Standard output for results alone: what libraries print goes to standard error."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return output


def _tell(output: TextIO, result: Result) -> None:
    output.write(json.dumps(result.to_json(), ensure_ascii=False) + "\n")
    output.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
