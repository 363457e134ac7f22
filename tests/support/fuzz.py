"""Generated examples of each recorded method: a random call, recorded on one random table, compared on others.

    template    X["f"].clip({low}, {high})         `{float}` and other names are drawn, see `Drawn`
    call        X["f"].clip(-2.5, 99.99)           recorded on 25 random rows
    examples    50 rows                            each row alone, and all of them as a batch

An example is a row. A template may be refused for some arguments; what is recorded must be exact.
"""

import math
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from fuzz_values import COLUMNS, Drawn, table
from tracing import check

from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.tracing import recorded

ROWS = 25
"""Rows of each of the two tables on which a call is compared."""
_MOST = 5  # differences of a rule; more say nothing new


@dataclass(frozen=True)
class Calls:
    """The calls that try one rule: templates over the columns of `table`.

    With `may_refuse` the plan may refuse rows that the library answers, such as integers beyond 64 bits. With
    `may_raise` the library may raise an error for a row alone that it answers among others. `far` says whether
    floats may be infinite or near the ends of their range. With `zeros` the library's own sign of a zero depends on how
    many rows it gets, and is not compared.
    """

    templates: tuple[str, ...]
    may_refuse: bool = False
    may_raise: bool = False
    far: bool = True
    zeros: bool = False


def calls(*templates: str, **options: bool) -> Calls:
    """The calls that try one rule, with the options of `Calls`."""
    return Calls(templates, **options)


@dataclass(frozen=True)
class Example:
    """One call: its code, its rows, and the message if the recorder refused it."""

    code: str
    rows: int
    refused: str = ""


class DifferenceError(AssertionError):
    """A plan that differs from the library, or an unexpected error of the recorder."""


def columns_in(code: str) -> list[str]:
    """The columns that code mentions in double quotes, in their order in `table`; without any, a number and a text."""
    mentioned = {name for name in COLUMNS if f'"{name}"' in code}
    return [name for name in COLUMNS if name in (mentioned or {"f", "i", "s"})]


_HEADER = "import copy\nimport datetime\nimport math\nimport re\nfrom scipy import special\nfrom sklearn import utils\n"
_NAMES: dict[str, Any] = {"np": np, "pd": pd, "nan": math.nan, "inf": math.inf, "__name__": "fuzz_of_own_code"}


def transform_of(template: str, arguments: dict[str, str]) -> tuple[str, Callable[[Any, Any], Any]]:
    """The code of a step's `transform` and the function: one expression of `X`, or lines that end in `return`."""
    body = template if re.search(r"\breturn\b", template) else f"return {template}"
    code = "\n".join(f"    {line}" for line in body.format_map(arguments).splitlines())
    names = dict(_NAMES)
    exec(compile(f"{_HEADER}\n\ndef transform(self, X):\n{code}\n", "generated", "exec"), names)  # noqa: S102
    return code.strip(), names["transform"]


def try_call(
    template: str,
    seed: int,
    *,
    options: Calls | None = None,
    rule: tuple[str, str] | None = None,
    rows: int = ROWS,
) -> Example:
    """Draw the arguments of a call, record it on a random table and compare it there and on another one.

    Raises DifferenceError where the plan differs from the library, or where the call is recorded without `rule`.
    """
    options = options or Calls((template,))
    random = np.random.RandomState(seed)
    code, transform = transform_of(template, Drawn(random))
    used = columns_in(code)
    first, second = (table(random, rows, far=far)[used] for far in (False, options.far))
    reached = _Reached(rule)
    try:
        with reached:
            flags = {"may_refuse": options.may_refuse, "may_raise": options.may_raise, "zeros": options.zeros}
            alone = None if rows == ROWS else ROWS // 2
            check(transform, first, second, bounded=True, least=rows, alone=alone, **flags)
    except NoPlanError as error:
        return Example(code, 0, str(error))
    except Exception as error:
        what = str(error) if isinstance(error, AssertionError) else repr(error)
        raise DifferenceError(f"{code} (seed {seed}, {rows} rows): {what}") from error
    if rule is not None and not reached.count:
        raise DifferenceError(f"{code} (seed {seed}): recorded without the rule {rule}; write a call that uses it")
    return Example(code, 2 * rows)


@dataclass
class Tally:
    """What the draws of one rule gave."""

    name: str
    draws: int = 0
    examples: int = 0
    refused: list[Example] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def try_calls(
    name: str, options: Calls, rule: tuple[str, str] | None, *, examples: int, rows: int = ROWS, seed: int = 0
) -> Tally:
    """Draw calls of a rule, its templates in turn, until there are enough examples; each template is drawn.

    Refused draws give no examples: after four times as many draws as are needed it ends, or after some differences.
    """
    tally, start = Tally(name), (1_000_003 * seed + zlib.crc32(name.encode())) % 2**31
    least = max(len(options.templates), -(-examples // (2 * rows)))
    while len(tally.differences) < _MOST and (
        tally.draws < least or (tally.examples < examples and tally.draws < 4 * least)
    ):
        template = options.templates[tally.draws % len(options.templates)]
        try:
            example = try_call(template, start + tally.draws, options=options, rule=rule, rows=rows)
        except DifferenceError as error:
            tally.differences.append(str(error))
        else:
            tally.examples += example.rows
            tally.refused += [example] if example.refused else []
        tally.draws += 1
    return tally


class _Reached:
    """Counts how often a rule of the table is used."""

    def __init__(self, rule: tuple[str, str] | None) -> None:
        self.rule, self.count = rule, 0

    def __enter__(self) -> None:
        if self.rule is not None:
            self.entry = recorded.RULES[self.rule]
            recorded.RULES[self.rule] = replace(self.entry, write=self.write)

    def __exit__(self, *error: Any) -> None:
        if self.rule is not None:
            recorded.RULES[self.rule] = self.entry

    def write(self, call: recorded.Call, *args: Any, **options: Any) -> Any:
        """The rule itself; arguments that it does not have are refused, as by the table."""
        self.count += 1
        try:
            return self.entry.write(call, *args, **options)
        except TypeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
                raise
            call.stop(f"arguments of {call.name} ({error})", "the recorder has no rule for them")
