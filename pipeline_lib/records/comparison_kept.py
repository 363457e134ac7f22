"""Kept comparisons: what `compare` found of a record against another one, in the folder of the record's checks.

A file for each champion, named by the beginning of the digest of its seal: a later comparison with the same champion
replaces it. The file is the JSON of the comparison, with an answer for each challenger; a record reads its own.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.layout import CHECKS
from pipeline_lib.records.record import Record, checks_folder
from pipeline_lib.system.files import canonical_json, read_json, write_atomic

PREFIX = "compare-"
_DIGITS = 16
"""So many letters of the champion's digest are in the name of a file."""
COMPARISON = re.compile(rf"{PREFIX}[0-9a-f]{{{_DIGITS}}}\.json")
_ROWS = "differences"
"""The key of a comparison that may show rows; it stays on the machine that made it."""


@dataclass(frozen=True)
class KeptComparison:
    """What was found of one challenger against a champion.

    `sentence` is the answer in words, `not_worse` whether the challenger is at most the margin worse, `content` the
    whole comparison as JSON values.
    """

    champion: str
    champion_digest: str
    verdict: str
    not_worse: bool
    sentence: str
    created: str
    content: Mapping[str, Any]


def comparison_path(challenger: Record, champion_digest: str, suffix: str = ".json") -> Path:
    """The file of a comparison; with the suffix `.html` its page."""
    return checks_folder(challenger) / f"{PREFIX}{champion_digest[:_DIGITS]}{suffix}"


def write_comparison(challenger: Record, champion_digest: str, content: Mapping[str, Any]) -> Path:
    """Keep the JSON of a comparison, and return the file's path."""
    path = comparison_path(challenger, champion_digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, canonical_json(dict(content)))
    return path


def read_comparison(challenger: Record, champion_digest: str) -> KeptComparison | None:
    """The kept comparison of a record with the champion of this digest; None where there is none that can be read."""
    try:
        digest = str(challenger.manifest().get("digest"))
        content = read_json(comparison_path(challenger, champion_digest))
    except (InputError, OSError):
        return None
    return parse_comparison(content, digest, champion_digest)


def parse_comparison(content: Any, challenger_digest: str, champion_digest: str) -> KeptComparison | None:
    """The answer for one challenger in the JSON of a comparison; None where it has none, or is of other records."""
    if not isinstance(content, dict) or content.get("champion_digest") != champion_digest:
        return None
    answers = content.get("answers")
    for answer in answers if isinstance(answers, list) else ():
        own = isinstance(answer, dict) and answer.get("challenger_digest") == challenger_digest
        if own and isinstance(answer.get("not_worse"), bool):
            texts = [content.get("champion"), answer.get("verdict"), answer.get("sentence"), content.get("created")]
            if all(isinstance(text, str) for text in texts):
                champion, verdict, sentence, created = map(str, texts)
                return KeptComparison(
                    champion, champion_digest, verdict, answer["not_worse"], one_line(sentence), created, content
                )
    return None


def one_line(text: str) -> str:
    """A text as one printable line."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def kept_files(challenger: Record) -> list[Path]:
    """The files of a record's kept comparisons, sorted."""
    return sorted(path for path in checks_folder(challenger).glob(f"{PREFIX}*") if COMPARISON.fullmatch(path.name))


def without_rows(content: Any) -> bytes:
    """The JSON of a comparison as it leaves this machine: answers and metrics, no rows."""
    return canonical_json({key: value for key, value in dict(content or {}).items() if key != _ROWS})


def compared_with(runs: Path, reference: str) -> Iterator[str]:
    """References of the records that a record in the runs folder was compared with."""
    record = Record(runs / reference)
    for path in (record.folder.parent / CHECKS).glob(f"{record.id}-*/{PREFIX}*.json"):
        try:
            content = read_json(path)
        except InputError:
            continue
        if isinstance(content, dict) and isinstance(content.get("champion"), str):
            yield content["champion"]
