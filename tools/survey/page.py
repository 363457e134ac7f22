"""The page docs/what-compiles.md, written from the committed result of the survey."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.survey.cases import LIBRARIES, cases, tables
from tools.survey.checks import OUTCOMES, Result
from tools.survey.results import COMMITTED
from tools.survey.runner import ROOT

PAGE = ROOT / "docs" / "what-compiles.md"
_INTRO = """# What compiles

Search this page for your class: the tables have every public estimator and transformer of seven libraries, with the
options that were tried. For another option, ask; the answer takes seconds, and a refusal says which step, why, and what
to do:

```python
model = pipeline_lib.compile_pipeline(fitted, like=X_train)
model.exact  # True, or a step is opaque
model.report  # each step, and how far it is from its library
```

- **exact**: our operations give the library's answer within rounding, and the same bits everywhere, from data in the
  artifact.
- **opaque**: no exact plan; with `allow_opaque=True` the step runs through its own library.
- **refused**: the class cannot serve production, for the reason in the row.
{no_plan}
Where options differ, the row says which are exact. This summary counts a class as opaque where one of its options is,
as refused where all are, else as exact. Where some options are refused the row says "exact (some options)".

{summary}

Code of your own is in no table: [steps and estimators](own-steps.md) written as classes, and [rules](rules.md), which
`RuleModel` makes of functions, are recorded line by line, and are exact or refused at a line.
"""
_METHOD = """## How it was tried

The tables are generated from {cases:,} cases that were run. The data have ties, duplicate rows, negative and large
values, and missing ones where the class takes them; each class is fitted to data of two seeds, classifiers to two and
to more classes, many regressors to several targets, common classes to columns of float32. In every case predictions,
probabilities and decision values are compared with the library's: a difference of more than 1e-9 must be in the compile
report. Rows alone and in reverse must have the bits of the batch. Every opaque model, and a sample of the exact ones,
is saved and must repeat its predictions in a fresh process.
"""
_NO_PLAN = "- **no plan**: neither way works yet.\n"
_STATUS = ("exact", "opaque", "refused", "no plan", "failing")
_WHY = 120  # characters of a reason


@dataclass
class Class:
    """A class of a library: each of its options with the worst outcome."""

    name: str
    options: dict[str, Result] = field(default_factory=dict)
    refused: str = ""

    @property
    def status(self) -> str:
        """The worst outcome of its options; an option that is refused on principle counts only where all are."""
        outcomes = {result.outcome for result in self.options.values()}
        useful = outcomes - {"refused"} or {"refused"}
        worst = max(useful, key=OUTCOMES.index)
        return worst if worst in _STATUS else "failing"


def classes(results: Sequence[Result]) -> dict[str, dict[str, Class]]:
    """The classes of each library, by name."""
    reasons = {
        library: {entry.name: entry.refused for entry in entries if entry.refused}
        for library, entries in tables().items()
    }
    found: dict[str, dict[str, Class]] = {library: {} for library in LIBRARIES}
    for result in results:
        library, name, label, _, _ = result.case.split(" | ")
        entry = found[library].setdefault(name, Class(name, refused=reasons[library].get(name, "")))
        before = entry.options.get(label)
        if before is None or OUTCOMES.index(result.outcome) > OUTCOMES.index(before.outcome):
            entry.options[label] = result
    return found


def page(results: Sequence[Result]) -> str:
    """The whole page."""
    by_library = classes(results)
    versions = json.loads(COMMITTED.read_text(encoding="utf-8"))["versions"]
    total = sum(1 for _ in cases())
    left = f"**Not complete**: {total - len(results):,} of {total:,} cases have not been run.\n\n"
    summary = ("" if len(results) == total else left) + _summary(by_library, versions)
    missing = any(entry.status == "no plan" for found in by_library.values() for entry in found.values())
    sections = [_INTRO.format(summary=summary, no_plan=_NO_PLAN if missing else "")]
    for library, found in by_library.items():
        ordered = sorted(found.values(), key=lambda entry: entry.name)
        head = "| class | status | why | options tried |\n|---|---|---|---|"
        sections.append(f"## {library}\n\n{head}\n" + "\n".join(map(_row, ordered)) + "\n")
    return "\n".join([*sections, _METHOD.format(cases=total)])


def _summary(by_library: dict[str, dict[str, Class]], versions: dict[str, str]) -> str:
    columns = [status for status in _STATUS if status in {c.status for f in by_library.values() for c in f.values()}]
    lines = ["| library | version | classes | " + " | ".join(columns) + " |", "|---" * (3 + len(columns)) + "|"]
    for library, found in by_library.items():
        counts = Counter(entry.status for entry in found.values())
        numbers = " | ".join(str(counts[status]) for status in columns)
        lines.append(f"| [{library}](#{library.lower()}) | {versions[library]} | {len(found)} | {numbers} |")
    return "\n".join(lines)


def _row(entry: Class) -> str:
    parts = []
    outcomes = {label: result.outcome for label, result in entry.options.items()}
    for outcome in sorted(set(outcomes.values()), key=OUTCOMES.index):
        labels = [_shown(label) for label, found in outcomes.items() if found == outcome]
        parts += labels if len(set(outcomes.values())) == 1 else [f"**{outcome}:**", *labels]
    return f"| {entry.name} | {_status(entry)} | {'<br>'.join(_reasons(entry))} | {'<br>'.join(parts)} |"


def _status(entry: Class) -> str:
    """The worst outcome; of a class that is exact by default, or with some options, this too."""
    if entry.status == "exact" and any(result.outcome != "exact" for result in entry.options.values()):
        return "exact (some options)"
    default = entry.options.get("defaults")
    if entry.status == "exact" or default is None or default.outcome != "exact":
        return entry.status
    others = (label for label, result in entry.options.items() if result.outcome == entry.status)
    return f"exact (defaults); {entry.status}: {', '.join(map(_shown, others))}"


def _shown(label: str) -> str:
    return label if label == "defaults" else f"`{label}`".replace("|", "\\|")


def _reasons(entry: Class) -> list[str]:
    """The different reasons of a class, short."""
    reasons = []
    for result in entry.options.values():
        if result.outcome != "exact":
            why = entry.refused if result.outcome == "refused" and entry.refused else _short(result.why)
            if why and why not in reasons:
                reasons.append(why)
    return reasons[:3]


def _short(why: str) -> str:
    """What a message found, without step, remedy and names of private modules."""
    text = re.sub(r"^step [^:]*: (\w+: )?", "", why)
    text = re.sub(r", expected .*", "", text).removeprefix("found ")
    text = re.sub(r"\b([A-Za-z_]\w*\.)+(\w+)", r"\2", text)
    return text[:_WHY].replace("|", "\\|").replace("<", "&lt;")
