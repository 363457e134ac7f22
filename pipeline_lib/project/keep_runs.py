"""How many finished runs of each pipeline stay: `keep =` in settings.ini, which `pipeline-lib prune` follows.

keep = 10                 of every pipeline
keep = houses 20, demand 5
keep = 10, houses 20      of houses 20, of every other one 10
"""

import re
from dataclasses import dataclass

from pipeline_lib.errors import InputError

_RULE = re.compile(r"((?P<name>[a-z][a-z0-9_]*)\s+)?(?P<number>\d+)")
_EXPECTED = "expected numbers from 1 on, such as `keep = 10, houses 20`"


@dataclass(frozen=True)
class KeepRuns:
    """How many finished runs stay of the pipelines named, and of every other one; None where all stay."""

    others: int | None = None
    by_pipeline: tuple[tuple[str, int], ...] = ()

    @property
    def is_set(self) -> bool:
        """Whether any number was given."""
        return self.others is not None or bool(self.by_pipeline)

    @property
    def named(self) -> list[str]:
        """The pipelines that have a number of their own."""
        return [name for name, _ in self.by_pipeline]

    def of(self, pipeline: str) -> int | None:
        """How many finished runs of a pipeline stay; None for all."""
        return dict(self.by_pipeline).get(pipeline, self.others)


KEEP_ALL = KeepRuns()


def parse_keep(text: str, where: str) -> KeepRuns:
    """Read the text of `keep =`. Raises InputError, which names it as `where`.

    >>> rules = parse_keep("10, houses 20", "settings.ini")
    >>> rules.of("houses"), rules.of("demand")
    (20, 10)
    >>> parse_keep("", "settings.ini").of("houses") is None
    True
    """
    numbers: dict[str | None, int] = {}
    for part in (part.strip() for part in text.replace("\n", ",").split(",")):
        if not part:
            continue
        rule = _RULE.fullmatch(part)
        if rule is None or int(rule["number"]) < 1:
            raise InputError(f"{where}: keep: found {part!r}, {_EXPECTED}; correct it")
        if rule["name"] in numbers:
            twice = rule["name"] or "the other pipelines"
            raise InputError(f"{where}: keep: found two numbers for {twice}, expected one; remove one")
        numbers[rule["name"]] = int(rule["number"])
    return KeepRuns(numbers.pop(None, None), tuple((str(name), number) for name, number in numbers.items()))
