"""Columns that look as if they held personal data: by their names, and by what their values look like."""

import re

import pandas as pd

_NAMES = {
    "names": r"((full|first|last|middle|sur|family|given|maiden|customer|client|patient|person|user|employee|contact)"
    r"[ _.-]?)?name|surname|vorname|nachname",
    "e-mail addresses": r".*e[ _.-]?mail.*",
    "phone numbers": r".*(phone|telefon|mobile|cell[ _.-]?(no|nr|number)).*|tel|fax",
    "addresses": r"(street|home|postal|mailing|billing|ip)?[ _.-]?address|street|stra(ss|ß)e|anschrift",
    "personal numbers": r".*(passport|ssn|social[ _.-]?security|tax[ _.-]?id|iban|credit[ _.-]?card).*",
    "dates of birth": r"(date[ _.-]?of[ _.-]?birth|birth[ _.-]?(date|day)|dob|geburts(datum|tag))",
}
_VALUES = {
    "e-mail addresses": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "phone numbers": r"(\+|00)\d[\d ()/.-]{6,20}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4}",
    "personal numbers": r"[A-Z]{2}\d{2}[ ]?([A-Z0-9]{4}[ ]?){2,7}[A-Z0-9]{1,4}",
}
_LOOKED_AT = 1000


def looks_sensitive(name: str, known: pd.Series) -> str:
    """What personal data a column seems to hold, from its name and its values that are not missing; "" for none."""
    for what, pattern in _NAMES.items():
        if re.fullmatch(pattern, name.strip(), re.IGNORECASE):
            return what
    if known.dtype == "str" and len(known):
        values = known.iloc[:_LOOKED_AT].str.strip()
        for what, pattern in _VALUES.items():
            if values.str.fullmatch(pattern.replace("(", "(?:").replace(r"\(?:", r"\(")).mean() > 0.5:
                return what
    return ""
