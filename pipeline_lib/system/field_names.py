"""Python names for the columns of a raw table: what the fields of a `Row` are called."""

import json
import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable


def field_names(columns: Iterable[str], types: Collection[str]) -> list[str]:
    """A valid and unique field name of a pydantic model for each column, in order.

    `types` are names that the model's annotations use: a field `date` would hide the type from the fields below it.

        >>> field_names(["Lot.Area", "class", "1st floor", "date"], {"date"})
        ['lot_area', 'class_', 'x1st_floor', 'date_']
    """
    from pydantic import BaseModel

    taken = {*dir(BaseModel), *types}
    names = []
    for number, column in enumerate(columns):
        text = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", column))
        text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text).lower()
        text = re.sub("_+", "_", text).strip("_")
        text = f"x{text}" if text[:1].isdigit() else text
        text = text if text.isidentifier() else f"column_{number}"
        text = f"raw_{text}" if text.startswith("model_") else text  # pydantic reserves these names
        name = f"{text}_" if keyword.iskeyword(text) or text in taken else text
        count = 1
        while name in taken:
            count += 1
            name = f"{text}_{count}"
        taken.add(name)
        names.append(name)
    return names


def quoted(text: str) -> str:
    """Text as a Python literal in double quotes; escaped only where it holds characters that cannot be seen."""
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else repr(text)
