"""The reference of error messages: every kind with its code, from pipeline_lib/refusals."""

from pipeline_lib.refusals.catalog import SUBJECTS, Kind, anchor, kinds

_HEAD = """# Error messages

Every message says what was found, what was expected, and what to do. Below it is the code of its kind, which this page
and `pipeline-lib help CODE` explain; in Python it is `error.code`. The page is generated from `pipeline_lib/refusals/`.
"""


def page() -> str:
    """The page: a section for each subject, in it each kind with its anchor."""
    sections = [_HEAD]
    for subject in SUBJECTS.values():
        sections.append(f"## {subject}\n")
        sections += [entry(kind) for kind in kinds().values() if kind.subject == subject]
    return "\n".join(sections)


def entry(kind: Kind) -> str:
    """A kind: its code as heading, what it means, what to do, where more is."""
    lines = [f"({anchor(kind.code)})=", f"### {kind.code}", "", f"**{kind.title[0].upper()}{kind.title[1:]}.**"]
    lines += [kind.meaning, "", f"*What to do:* {kind.remedy} [More]({kind.page})", ""]
    return "\n".join(lines)
