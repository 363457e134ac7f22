"""The committed result of the survey, and what is worse than it.

`results.json` holds for each library, class and options the outcome on each data and seed, in one line; the reason
follows where it is not exact.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from tools.survey.cases import Case
from tools.survey.checks import OUTCOMES, Result

COMMITTED = Path(__file__).parent / "results.json"
_DISTRIBUTIONS = {
    "scikit-learn": "scikit-learn",
    "feature-engine": "feature-engine",
    "LightGBM": "lightgbm",
    "XGBoost": "xgboost-cpu",
    "CatBoost": "catboost",
    "category_encoders": "category-encoders",
    "imbalanced-learn": "imbalanced-learn",
}
SAMPLE = 20  # CI runs one case of so many


def sample(cases: Iterable[Case]) -> list[Case]:
    """A twentieth of the cases: by a checksum of the name, so that new cases do not move it."""
    return [case for case in cases if zlib.crc32(case.id.encode()) % SAMPLE == 0]


def versions() -> dict[str, str]:
    """The installed version of each library."""
    return {library: metadata.version(name) for library, name in _DISTRIBUTIONS.items()}


def write(path: Path, results: Sequence[Result]) -> None:
    """Write results, one line for each class and options, in the order of the results."""
    nested: dict[str, dict[str, dict[str, dict[str, str]]]] = {}
    for result in results:
        library, name, label, data, seed = result.case.split(" | ")
        outcome = f"{result.outcome}: {result.why}" if result.why else result.outcome
        nested.setdefault(library, {}).setdefault(name, {}).setdefault(label, {})[f"{data} | {seed}"] = outcome
    libraries = []
    for library, classes in nested.items():
        lines = [
            f"    {_text(name)}: {{\n"
            + ",\n".join(f"      {_text(label)}: {_text(outcomes)}" for label, outcomes in options.items())
            + "\n    }"
            for name, options in classes.items()
        ]
        libraries.append(f"  {_text(library)}: {{\n" + ",\n".join(lines) + "\n  }")
    head = f'"versions": {_text(versions())},\n'
    path.write_text("{\n" + head + '"classes": {\n' + ",\n".join(libraries) + "\n}}\n", encoding="utf-8")


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def read(path: Path = COMMITTED) -> list[Result]:
    """The results of a file that `write` wrote."""
    classes = json.loads(path.read_text(encoding="utf-8"))["classes"]
    return [
        Result(" | ".join((library, name, label, where)), *_split(outcome))
        for library, names in classes.items()
        for name, labels in names.items()
        for label, outcomes in labels.items()
        for where, outcome in outcomes.items()
    ]


def _split(outcome: str) -> tuple[str, str]:
    name, _, why = outcome.partition(": ")
    return name, why


def worse(results: Iterable[Result], committed: Mapping[str, Result]) -> Iterator[str]:
    """A line for each result that is worse than the committed one, or that the committed ones lack."""
    for result in results:
        before = committed.get(result.case)
        if before is None:
            yield f"{result.case}: not in results.json; make survey"
        elif OUTCOMES.index(result.outcome) > OUTCOMES.index(before.outcome):
            yield f"{result.case}: {before.outcome} before, now {result.outcome}: {result.why}"
