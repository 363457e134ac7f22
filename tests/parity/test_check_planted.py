"""Eleven published divergences between research and production, each planted in a copy of a project that is green.

Only files that the project's owner writes are changed. In brackets the command that names it, and its exit code.

| divergence | planted in | message |
|---|---|---|
| `isin(whole dict)` makes every label rare | plan of a step | step rare, Neighborhood (run, 3) |
| text keys for an integer column | plan of a step | LabelScores, MS.SubClass (run, 3) |
| a hard-coded Yeo-Johnson lambda | plan of a step | step straight, Lot.Area (run, 3) |
| another split share in production | params/houses.yml | test_share, notebook and file (export --check, 1) |
| imputation in another order, same predictions | a step after the run | step gaps, Garage.Yr.Blt (parity, 1) |
| rows silently dropped | a step after the run; delivery | step gaps; raw input, rows (parity, 1; pytest, 1) |
| a lossy CSV or JSON file | delivery | raw input, Lot.Frontage (pytest, 1) |
| the category None read as missing | delivery | Mas.Vnr.Type, by Row (pytest, 1) |
| fractional years in an integer field | delivery | Garage.Yr.Blt, by Row (pytest, 1) |
| `Timestamp.now()` in a feature | a step | step gaps, Garage.Yr.Blt, the reader of the clock (parity, 1) |
| `dtype == "O"` matches nothing under pandas 3 | a step | step rare, Neighborhood (run, 3) |
"""

import json
import re
import shutil
from pathlib import Path

import pytest
from town import Town, write_town

pytestmark = pytest.mark.slow  # a project of its own, planted eleven times

RUN = ("run", "params/houses.yml", "--no-parity")
ANOTHER_DAY = ("parity", "houses", "--only", "another day")
GAPS, RARE = "nbs/steps/02_gaps.ipynb", "nbs/steps/04_rare.ipynb"
GARAGES = 'X = X.fillna({"Garage.Yr.Blt": X["Year.Built"]})\n'
POWERS = "for name, power in self.powers_.items():\n            grown"
MEANS = "X = X.fillna(self.means_)\n"


@pytest.fixture(scope="session")
def green(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """The project and its record before anything is planted: every command that the tests use succeeds."""
    town = write_town(tmp_path_factory.mktemp("town"))
    for words in (("export",), ("export", "--check"), RUN, ANOTHER_DAY):
        done = town.command(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    done = town.test()
    assert done.returncode == 0, done.stdout
    return town


@pytest.fixture
def town(green: Town, tmp_path: Path) -> Town:
    """A copy of the green project and its record."""
    return Town(Path(shutil.copytree(green.root, tmp_path / "copy")))


def exported(town: Town) -> Town:
    assert town.command("export").returncode == 0
    return town


@pytest.mark.parametrize(
    ("path", "old", "new", "step", "column", "message"),
    [
        pytest.param(
            RARE, "self.frequent_[column]\n", "self.frequent_\n",
            "rare", "Neighborhood", "found 'Rare' from the plan in row", id="whole dict",
        ),
        pytest.param(
            "nbs/steps/03_straight.ipynb", POWERS, POWERS.replace("self.powers_", '{"Lot.Area": -12.55}'),
            "straight", "Lot.Area", "found 0.0796812749003984 from the plan in row 0", id="hard-coded lambda",
        ),
        pytest.param(
            RARE, 'dtype == "str"', 'dtype == "O"',
            "rare", "Neighborhood", "found 'Rare' from the plan in row", id="dtype O",
        ),
    ],
)  # fmt: skip
def test_a_plan_that_does_not_repeat_its_step_is_refused(
    town: Town, path: str, old: str, new: str, step: str, column: str, message: str
) -> None:
    town.plant(path, old, new)
    done = exported(town).command(*RUN)
    assert done.returncode == 3
    assert f"step {step}, column {column!r}: {message}" in done.stderr


def test_another_split_share_than_in_research_is_named(town: Town) -> None:
    town.plant("params/houses.yml", "test_share: 0.05", "test_share: 0.1")
    done = town.command("export", "--check")
    assert done.returncode == 1
    assert "nbs/research/houses.ipynb: cell 1 (id cell-0): test_share: found 0.05, expected 0.1" in done.stderr


def test_an_imputation_order_that_changes_no_prediction_is_named(town: Town) -> None:
    town.plant(GAPS, GARAGES + 8 * " " + MEANS, MEANS + 8 * " " + GARAGES)
    done = exported(town).command("parity", "houses", "--only", "fresh process", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)["variations"][0]["divergence"]
    assert (found["step"], found["difference"]["column"]) == ("gaps", "Garage.Yr.Blt")
    assert "outputs" not in found["differs"]
    assert found["causes"][0].startswith("the code of town/steps/gaps.py, cell cell-1, is not what the run used")


def test_a_step_that_drops_rows_is_refused(town: Town) -> None:
    town.plant(GAPS, MEANS, "X = X.dropna()\n")
    done = exported(town).command("parity", "houses", "--only", "fresh process")
    assert done.returncode == 1
    assert re.search(r"step gaps: found \d+ rows for \d+, expected one for one", done.stdout)


LOSSY_JSON = (
    'evidence.frame.to_csv(path, index=False)\n    rows = pd.read_csv(path, keep_default_na=False, na_values=[""], '
    'float_precision="round_trip")'
)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            '"round_trip")', '"round_trip").dropna()',
            "raw input: rows: expected 60, found 49", id="dropped rows",
        ),
        pytest.param(
            "index=False", 'index=False, float_format="%.6g"',
            "raw input: column 'Lot.Frontage', row 1: expected 10.972800000000001", id="CSV with six digits",
        ),
        pytest.param(
            LOSSY_JSON, "evidence.frame.to_json(path)\n    rows = pd.read_json(path)",
            "raw input: column 'Lot.Frontage', row 1: expected 10.972800000000001", id="DataFrame.to_json",
        ),
        pytest.param(
            ', keep_default_na=False, na_values=[""]', "",
            "refused: Mas.Vnr.Type: found nan in rows 0, 1", id="None read as missing",
        ),
        pytest.param(
            "    return", '    rows["Garage.Yr.Blt"] += 0.5\n    return',
            "refused: Garage.Yr.Blt: found 1979.5 in rows 0, 1", id="fractional years",
        ),
    ],
)  # fmt: skip
def test_a_delivery_that_changes_the_rows_fails_the_projects_own_test(
    town: Town, old: str, new: str, message: str
) -> None:
    town.plant("handover.py", old, new)
    done = town.test()
    assert done.returncode == 1
    assert "DIFFERENT  nightly file" in done.stdout
    assert message in done.stdout


def test_a_feature_that_reads_the_clock_is_named_on_another_day(town: Town) -> None:
    town.plant(GAPS, GARAGES, 'X = X.fillna({"Garage.Yr.Blt": pd.Timestamp.now().year - 1980.0})\n')
    assert exported(town).command(*RUN).returncode == 0
    done = town.command(*ANOTHER_DAY)
    assert done.returncode == 1
    assert "step gaps: column 'Garage.Yr.Blt', row 6" in done.stdout
    assert "the wall clock is read: FilledGaps.transform (town.steps.gaps, line" in done.stdout
