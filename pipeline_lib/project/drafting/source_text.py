"""Python source as ruff would format it: lists, literals, comments, imports."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from pipeline_lib.system.field_names import quoted

WIDTH = 120
_MIN_NUMBERED = 8  # names that differ in a number: fewer are easier to read one by one


def literal(value: object) -> str:
    """A text, number or boolean as source."""
    return quoted(value) if isinstance(value, str) else repr(value)


def assigned(name: str, values: Sequence[object], annotation: str = "") -> str:
    """A list, assigned to a name: on one line where it fits; many names that count up as a comprehension."""
    head = f"{name}: {annotation} = " if annotation else f"{name} = "
    items = [literal(value) for value in values]
    if len(head) + sum(len(item) + 2 for item in items) > WIDTH:
        items = list(_shortened(values))
    line = f"{head}[{', '.join(items)}]"
    return line if len(line) <= WIDTH else "\n".join([f"{head}[", *(f"    {item}," for item in items), "]"])


def _shortened(values: Sequence[object]) -> Iterator[str]:
    """Each value as source; several names that differ in a number that counts up as one starred comprehension."""
    parts = [re.fullmatch(r"([^\d{}\"\\]*)(0|[1-9]\d*)", str(value)) for value in values]
    place = 0
    while place < len(values):
        end, part = place + 1, parts[place]
        while part and end < len(values) and (after := parts[end]):
            if after[1] != part[1] or int(after[2]) != int(part[2]) + end - place:
                break
            end += 1
        texts = all(isinstance(value, str) for value in values[place:end])
        if part and part[1].isprintable() and end - place >= _MIN_NUMBERED and texts:
            first, last = int(part[2]), int(part[2]) + end - place
            counts = f"range({first}, {last})" if first else f"range({last})"
            yield f'*(f"{part[1]}{{number}}" for number in {counts})'
        else:
            yield from (literal(value) for value in values[place:end])
        place = end


def comments(texts: Iterable[str], indent: int = 0, mark: str = "decide: ") -> list[str]:
    """Each text as comment lines that fit."""
    lines = []
    for text in texts:
        start, rest = f"{' ' * indent}# {mark}", " ".join(text.split()).split(" ")
        line = start + rest[0]
        for word in rest[1:]:
            if len(line) + 1 + len(word) > WIDTH:
                lines.append(line)
                line = f"{' ' * indent}# {word}"
            else:
                line += f" {word}"
        lines.append(line)
    return lines


def imports(names: Mapping[str, Iterable[str]], modules: Iterable[str] = ()) -> str:
    """Import lines of one section, sorted; `modules` are whole lines such as `import pandas as pd`."""
    lines = []
    for module, group in groupby(sorted(names), key=str):
        del group
        found = sorted({*names[module]}, key=_import_order)
        line = f"from {module} import {', '.join(found)}"
        if len(line) > WIDTH:
            line = "\n".join([f"from {module} import (", *(f"    {name}," for name in found), ")"])
        lines.append(line)
    return "\n".join([*sorted(modules), *lines])


def _import_order(name: str) -> tuple[bool, bool, str]:
    """Constants first, then classes, then functions, as isort has it."""
    return len(name) == 1 or not name.isupper(), not name[0].isupper(), name


def code_span(text: str) -> str:
    """Text as Markdown code, whatever characters it has."""
    marks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if "`" in text else ""
    return f"{marks}{pad}{' '.join(text.split()) or text}{pad}{marks}"
