"""Recorded methods of `.str` that a plan writes as several operations, and those that are refused."""

import re
from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, PLAN
from pipeline_lib.compiler.tracing.registry import refused, rule
from pipeline_lib.compiler.tracing.text.accessor import item

_MOST_REPEATS = 64


@rule("text", "slice_replace")
def slice_replace(call: Call, start: Any = None, stop: Any = None, repl: Any = None) -> Value:
    """The text with a slice replaced; where the slice is empty, the other text is put at `start`."""
    build, text = call.build, call.value
    parts = [] if start is None else [build.text_slice(text, stop=start)]
    parts.append(build.value(repl or ""))
    if stop is not None:
        empty = build.text_equal(item(call, slice(start, stop)), "")
        rest = text if start is None else build.text_slice(text, start=start)
        parts.append(build.where(empty, rest, build.text_slice(text, start=stop)))
    if start is None and stop is None:
        return build.where(text.missing(), text, parts[0])
    return build.concatenate(*parts)


@rule("text", "removeprefix")
def removeprefix(call: Call, prefix: Any) -> Value:
    """The text without a text at its beginning."""
    build, text = call.build, call.value
    begins = build.text_starts(text, prefixes=[prefix])
    return build.where(begins, build.text_slice(text, start=len(prefix)), text)


@rule("text", "removesuffix")
def removesuffix(call: Call, suffix: Any) -> Value:
    """The text without a text at its end."""
    build, text = call.build, call.value
    if suffix == "":
        return text
    ends = build.text_ends(text, suffixes=[suffix])
    return build.where(ends, build.text_slice(text, stop=-len(suffix)), text)


@rule("text", "repeat")
def repeat(call: Call, repeats: Any) -> Value:
    """The text, several times."""
    if not isinstance(repeats, int | np.integer) or not 0 <= repeats <= _MOST_REPEATS:
        call.stop(
            f"{call.name} of {repeats!r}", f"a number from 0 to {_MOST_REPEATS} is expected", "give such a number"
        )
    build, text = call.build, call.value
    return build.concatenate(*[text] * int(repeats)) if repeats else build.text_slice(text, stop=0)


@rule("text", "cat")
def cat(call: Call, others: Any = None, sep: Any = None, na_rep: Any = None, join: Any = "left") -> Value:
    """The texts of several columns of a row, joined."""
    if others is None:
        call.stop("Series.str.cat without other columns, which joins all rows", ONE_ROW, "give it the other columns")
    build, texts = call.build, [call.value, *_joined_columns(call, others)]
    if na_rep is not None:
        texts = [build.fill(text, na_rep) for text in texts]
    parts = [part for text in texts for part in (text, sep)][:-1] if sep else texts
    return build.concatenate(*parts)


def _joined_columns(call: Call, others: Any) -> list[Value]:
    """The columns that `cat` joins: a Series, array or frame, or a list of Series."""
    found: list[Value] = []
    for each in others if isinstance(others, list | tuple) else [others]:
        if not isinstance(each, Recorded):
            call.stop(f"{call.name} of constants", "their number is that of the training rows", "write column + text")
        if each._kind == "frame" and call.owner._rows.same(each._rows):
            found += each._values
        else:
            found.append(call.of(each))
    return found


@rule("text", "translate")
def translate(call: Call, table: Any) -> Value:
    """The text with characters replaced or deleted, by a dict of `str.maketrans`."""
    build, text = call.build, call.value
    if type(table) is not dict:
        call.stop(f"{call.name} by a {type(table).__name__}", "a dict is expected", "write str.maketrans(...)")
    new = {chr(key): _characters(value) for key, value in table.items() if isinstance(key, int)}
    if any(old in word for word_of, word in new.items() for old in new if old != word_of):
        call.stop(
            f"{call.name} that makes characters which it replaces, too",
            "the plan replaces one after the other",
            "write .str.replace for each character, in order",
        )
    deleted = "".join(re.escape(old) for old, word in new.items() if not word)
    if deleted:
        text = build.regex_replace(text, pattern=f"[{deleted}]", replacement="")
    for old, word in new.items():
        text = build.text_replace(text, old=old, new=word) if word else text
    return text


def _characters(value: Any) -> str:
    return "" if value is None else chr(value) if isinstance(value, int) else str(value)


refused(
    "text",
    "get_dummies",
    "which columns it makes depends on the words of the batch",
    "learn the words in `fit`, and make a column for each: column.str.contains(word, regex=False)",
)
refused("text", "extractall", "it gives a row for each match", "write .str.extract for the first one, or .str.count")
refused(
    "text", "join", "it puts the separator between the characters of each text", "write column.str.cat(other, sep=...)"
)
refused("text", "index rindex", "it raises an error where a row has no such text", "write .str.find, which gives -1")
refused(
    "text",
    "normalize",
    "it depends on the version of Unicode",
    'write the letters: column.str.translate(str.maketrans("áé", "ae"))',
)
refused("text", "encode decode", "a column of production holds no bytes", "leave it out")
refused("text", "wrap", "the recorder has no rule for it", PLAN)
