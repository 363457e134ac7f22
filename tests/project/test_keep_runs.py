"""`keep =` in settings.ini: numbers of finished runs, for all pipelines or for some."""

from pathlib import Path

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project.keep_runs import parse_keep
from pipeline_lib.project.project import find_project

SETTINGS = "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"


@pytest.mark.parametrize(
    ("text", "boats", "masts"),
    [("", None, None), ("10", 10, 10), ("boats 20", 20, None), ("3, boats 20", 20, 3), ("boats 1\nmasts 2", 1, 2)],
)
def test_numbers(text: str, boats: int | None, masts: int | None) -> None:
    rules = parse_keep(text, "settings.ini")
    assert (rules.of("boats"), rules.of("masts"), rules.is_set) == (boats, masts, bool(text))


@pytest.mark.parametrize("text", ["0", "boats", "boats -1", "boats: 3", "Boats 3", "1.5", "boats 0"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"settings\.ini: keep: found .*, expected numbers from 1 on"):
        parse_keep(text, "settings.ini")


@pytest.mark.parametrize(("text", "what"), [("1, 2", "the other pipelines"), ("boats 1, boats 2", "boats")])
def test_two_numbers_are_refused(text: str, what: str) -> None:
    with pytest.raises(InputError, match=f"keep: found two numbers for {what}, expected one"):
        parse_keep(text, "settings.ini")


def test_a_project_has_its_numbers(tmp_path: Path) -> None:
    (tmp_path / "settings.ini").write_text(f"{SETTINGS}keep =\n    5\n    boats 20\n")
    keep = find_project(tmp_path).keep
    assert (keep.of("boats"), keep.of("masts")) == (20, 5)
    (tmp_path / "settings.ini").write_text(f"{SETTINGS}keep = many\n")
    with pytest.raises(InputError, match="keep: found 'many'"):
        find_project(tmp_path)
