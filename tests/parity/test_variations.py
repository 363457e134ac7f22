"""Every way in which rows reach production keeps every bit or is known to lose; every setting proves itself."""

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from tiny import STEP, library, small_record

from pipeline_lib.cli.main import commands
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.parity.check import check_parity
from pipeline_lib.parity.deliveries import Given
from pipeline_lib.parity.process_settings import AbsentError, Place, Setting, hash_seed, locale_c, time_zone
from pipeline_lib.parity.variations import FULL, QUICK, VARIATIONS, Variation, add, chosen
from pipeline_lib.records.record import Record, checks_folder
from pipeline_lib.records.seal import seal
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema

KINDS = {"n": "number", "i": "integer", "j": "integer", "s": "string", "b": "boolean", "t": "datetime", "d": "date"}
SCHEMA = RowSchema(tuple(Column(name, kind, nullable=name != "i") for name, kind in KINDS.items()))
TEXTS = ["", "None", "NA", "\\N", "nan", 'a,"b"\n', "\r", " x ", "1.0", "é"]
ROWS = [
    {"n": 0.1 + 0.2, "i": 2**63 - 1, "j": 2**53, "b": True, "t": datetime(2024, 2, 29, 1, 2, 3, 4), "d": date(1, 1, 1)},
    {"n": 5e-324, "i": -(2**63), "j": None, "b": None, "t": None, "d": None},
    {"n": -0.0, "i": 0, "j": -(2**53), "b": False, "t": datetime(1969, 12, 31), "d": date(9999, 12, 31)},
    {"n": float("inf"), "i": 1, "j": 7, "b": True, "t": datetime(2024, 1, 1, 12), "d": date(2024, 1, 1)},
    {"n": None, "i": 2, "j": 8, "b": True, "t": datetime(2024, 1, 2), "d": date(2024, 1, 2)},
    *({"n": 1e22 / 3**place, "i": 3, "j": 9, "b": False, "t": None, "d": None} for place in range(6)),
]
CAREFUL = [name for name in QUICK if VARIATIONS[name].group in ("rows", "form", "file")]
LOSSY = [name for name in QUICK if VARIATIONS[name].lossy]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    rows = [row | {"s": text} for row, text in zip(ROWS, [*TEXTS, None], strict=True)]
    return Given(conform(rows, SCHEMA), SCHEMA, tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Record:
    return small_record(tmp_path)


def handed_over(given: Given, name: str) -> pa.Table:
    """The given rows as a variation hands them over, in their old order."""
    deliver = VARIATIONS[name].deliver
    assert deliver
    parts = deliver(given).parts
    order = [int(place) for _, places in parts for place in places]
    found = pa.concat_tables([conform(data, SCHEMA) for data, _ in parts])
    return found.take(pa.array([order.index(place) for place in range(len(order))]))


@pytest.mark.parametrize("name", CAREFUL)
def test_a_careful_hand_over_keeps_every_bit_of_hard_values(given: Given, name: str) -> None:
    assert first_difference(given.table, handed_over(given, name)) is None


@pytest.mark.parametrize("name", LOSSY)
def test_a_lossy_hand_over_loses(given: Given, name: str) -> None:
    try:
        found = handed_over(given, name)
    except (InputError, ValueError, OverflowError):
        return  # refused, which is a loss as well
    assert first_difference(given.table, found) is not None


def test_a_lossy_hand_over_is_reported_by_name_and_fails_nothing(small: Record) -> None:
    found = check_parity(small, variations=LOSSY)
    assert found.exact
    verdicts = {outcome.variation: (outcome.verdict, outcome.detail) for outcome in found.outcomes}
    assert verdicts["DataFrame.to_json"] == ("lossy", verdicts["DataFrame.to_json"][1])
    assert "raw values in 40 of 40 rows change, and 40 outputs" in verdicts["to_csv(float_format)"][1]
    assert "outputs: DataFrame.to_json, to_csv(float_format), float32" in str(found)
    assert "exact      lossy file (in other rows it may lose): read_csv defaults" in str(found)


def test_the_quick_check_hands_rows_over_in_every_way(small: Record) -> None:
    found = check_parity(small)
    assert found.exact, str(found)
    assert [outcome.variation for outcome in found.outcomes] == list(QUICK)


def test_a_csv_written_carelessly_is_named(small: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "careless.py").write_text(
        "import io\nimport pandas as pd\nfrom pipeline_lib.parity.variations import Delivery\n"
        "def deliver(given):\n"
        "    text = given.frame.round(2).to_csv(index=False)\n"
        "    return Delivery([(pd.read_csv(io.StringIO(text)), list(range(given.table.num_rows)))])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import careless  # type: ignore[import-not-found]

    variation = Variation("careless CSV", "file", "two decimals", careless.deliver)
    found = check_parity(small, variations=["one row", variation])
    assert not found.exact
    [outcome] = found.of_verdict("different")
    assert outcome.variation == "careless CSV"
    assert outcome.divergence
    assert (outcome.divergence.step, outcome.divergence.difference.column) == ("raw input", "size")
    assert outcome.divergence.causes[0] == (
        "the hand-over changed the raw value before the pipeline saw it: two decimals"
    )


def test_rows_lost_on_the_way_are_named(small: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "losing.py").write_text(
        "from pipeline_lib.parity.variations import Delivery\nimport numpy as np\n"
        "def deliver(given):\n    return Delivery([(given.table.slice(1), np.arange(given.table.num_rows))])\n"
        "def fail(given):\n    raise ValueError('no such form')\n"
        "def refuse(given):\n    return Delivery([(given.table.drop_columns(['size']), np.arange(40))])\n"
        "def lack(given):\n    import no_such_package\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import losing  # type: ignore[import-not-found]

    names = ("deliver", "fail", "refuse", "lack")
    found = check_parity(small, variations=[Variation(name, "form", "", getattr(losing, name)) for name in names])
    told = {outcome.variation: outcome for outcome in found.outcomes}
    assert [told[name].verdict for name in names] == ["different", "different", "different", "absent"]
    assert "raw input: rows: expected 40, found 39" in str(found)
    assert told["fail"].detail == "failed: ValueError: no such form (losing.py, line 6)"
    assert told["refuse"].detail.startswith("refused: found no size")
    assert told["lack"].detail == "needs no_such_package, which is not installed"


@pytest.mark.parametrize(
    "name", ["1 thread", "BLAS Haswell", "SIMD baseline", "hash seed", "locale C", "time zone", "another day"]
)
def test_a_process_under_a_setting_proves_it_and_repeats_every_bit(small: Record, name: str) -> None:
    found = check_parity(small, variations=[name])
    outcome = found.outcomes[-1]
    assert outcome.verdict in ("exact", "absent"), str(found)
    assert outcome.proof or outcome.verdict == "absent"


@pytest.mark.parametrize(
    "setting",
    [
        Setting({"zone": 20_700}, {}),
        Setting({"days moved": [400]}, days=None),
        Setting({"locale": "C"}, {"LC_ALL": "C.UTF-8"}),
        Setting({"threads": [1]}, {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}),
        Setting({"kernel": ["Haswell"]}, {"OPENBLAS_CORETYPE": "Nehalem"}),
    ],
)
def test_a_setting_that_takes_no_effect_is_a_difference(
    small: Record, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    variation = Variation("idle", "setting", "", prepare=lambda place: setting)
    [outcome] = check_parity(small, variations=[variation]).of_verdict("different")
    assert outcome.variation == "idle"
    assert "the setting took no effect, so nothing was shown" in outcome.detail


def test_a_setting_that_this_machine_cannot_have_is_absent_and_says_why(small: Record) -> None:
    def prepare(place: Place) -> Setting:
        raise AbsentError("needs a quantum computer")

    found = check_parity(small, variations=[Variation("quantum", "machine", "", prepare=prepare)])
    assert found.exact
    assert "absent     needs a quantum computer: quantum" in str(found)


def test_a_process_that_fails_under_a_setting_is_a_difference(small: Record) -> None:
    broken = Setting({}, python="/bin/false")
    found = check_parity(small, variations=[Variation("no Python", "install", "", prepare=lambda place: broken)])
    assert found.outcomes[-1].detail.startswith("the process failed: ")
    assert not found.exact


@pytest.mark.parametrize(
    "prepare", [hash_seed, locale_c, time_zone({"Asia/Kathmandu": 20_700})], ids=["hash", "locale", "zone"]
)
def test_every_setting_changes_the_process_and_names_its_proof(
    prepare: Callable[[Place], Setting], tmp_path: Path
) -> None:
    setting = prepare(Place(tmp_path, (), "pipeline_lib", {}))
    assert setting.variables
    assert setting.proof


def test_an_unknown_variation_is_refused_with_the_nearest_or_the_list(small: Record) -> None:
    with pytest.raises(InputError, match=r"found no variation 'one rwo', expected one of: one row;"):
        check_parity(small, variations=["one rwo"])
    with pytest.raises(InputError, match=r"found no variation 'xyz', expected one of: fresh process, one row, .*; "):
        check_parity(small, variations=["xyz"])
    assert [variation.name for variation in chosen(["csv", "One_Row"])] == ["CSV", "one row"]
    with pytest.raises(InputError, match="found no variation"):
        check_parity(small, variations=[])


def test_the_command_takes_one_of_three_choices_and_refuses_an_unknown_name(small: Record) -> None:
    def invoke(*options: str) -> Result:
        return CliRunner().invoke(commands, ["parity", str(small.folder), *options])

    result = invoke("--only", "one row", "--only", "JSON")
    assert result.exit_code == 0
    assert "3 variations" in result.output
    assert f"page: {checks_folder(small) / 'parity.html'}" in result.output
    kept = json.loads(invoke("--only", "one row", "--json").output)
    assert [each["variation"] for each in kept["variations"]] == ["fresh process", "one row"]
    assert [each["rows"] for each in kept["variations"]] == [40, 40]
    assert isinstance(invoke("--only", "two rows").exception, InputError)
    assert isinstance(invoke("--only", "one row", "--full").exception, InputError)


def test_a_library_without_sources_has_no_clean_environment(tmp_path: Path) -> None:
    with library(tmp_path, STEP.replace("YEAR", "2026")) as step:
        record = small_record(tmp_path, ("ages", step), library="cottages")
        found = check_parity(record, library="cottages", variations=["clean environment", "BLAS Haswell"])
    assert found.outcomes[1].verdict == "absent"
    assert "found no setup.py beside the package cottages" in str(found) or "uv" in str(found)
    assert found.outcomes[2].verdict in ("exact", "absent")


def test_two_variations_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="found two variations named 'CSV'"):
        add(replace(VARIATIONS["CSV"], what="another"))


@pytest.mark.parametrize("options", [{}, {"deliver": lambda given: given}, {"deliver": check_parity, "probes": True}])
def test_a_variation_does_one_thing_that_a_fresh_process_can_import(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"varies nothing, or two things|expected a function at the top of a module"):
        Variation("own", "file", "", **options)


@pytest.mark.parametrize("function", ["few", "twice", "frame"])
def test_every_row_must_be_handed_over_once(
    small: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    (tmp_path / "partly.py").write_text(
        "import numpy as np\nfrom pipeline_lib.parity.variations import Delivery\n"
        "def few(given):\n    return Delivery([(given.frame.head(1), np.arange(1))])\n"
        "def twice(given):\n    return Delivery([(given.frame, np.zeros(40, int))])\n"
        "def frame(given):\n    return given.frame\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    partly = importlib.import_module("partly")
    [outcome] = check_parity(small, variations=[Variation("own", "file", "", getattr(partly, function))]).of_verdict(
        "different"
    )
    told = "found DataFrame from frame, expected a Delivery" if function == "frame" else "expected each of 40 rows once"
    assert told in outcome.detail
    monkeypatch.delitem(sys.modules, "partly")


def test_a_package_that_a_step_lacks_in_production_is_a_difference(tmp_path: Path) -> None:
    source = STEP.replace("YEAR", "__import__('decimal' if LOCAL else 'no_such_package').MAX_EMAX * 0 + 2026")
    with library(tmp_path, f"import os\nLOCAL = os.environ.get('ALL_HERE')\n{source}") as step:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("cottages.steps.ages.LOCAL", "yes")
            record = small_record(tmp_path, ("ages", step), library="cottages")
        found = check_parity(record, library="cottages", variations=["dict"])
    assert not found.exact
    assert "failed: ModuleNotFoundError: No module named 'no_such_package'" in str(found)


def test_a_narrow_check_keeps_what_others_found(small: Record) -> None:
    check_parity(small, variations=["CSV", "JSON"])
    path = checks_folder(small) / "parity.json"
    kept = json.loads(path.read_bytes())
    kept["variations"][1]["verdict"] = "different"
    path.write_text(json.dumps(kept))
    assert check_parity(small, variations=["JSON"]).exact
    after = json.loads(path.read_bytes())
    assert not after["exact"]
    assert {each["variation"]: each["verdict"] for each in after["variations"]} == {
        "fresh process": "exact",
        "CSV": "different",
        "JSON": "exact",
    }


def test_full_holds_quick() -> None:
    assert set(QUICK) < set(FULL)


def test_an_opaque_step_is_checked_like_any_other(tmp_path: Path) -> None:
    with library(tmp_path, STEP.replace("YEAR", "2026")) as step:
        record = small_record(tmp_path, ("ages", step), library="cottages")
        found = check_parity(record, library="cottages")
    assert found.exact, str(found)
    assert list(found.steps) == ["ages", "scale"]


def test_a_feature_that_reads_the_clock_is_caught_another_day_and_named(tmp_path: Path) -> None:
    year = datetime.now().year
    with library(tmp_path, STEP.replace("YEAR", f"{year}")) as step:
        record = small_record(tmp_path, ("ages", step), library="cottages")
        module = tmp_path / "cottages" / "steps" / "ages.py"
        cells = [{"module": "cottages/steps/ages.py", "cell": "ages", "source": f"age={year} - X"}]
        (record.folder / "library.json").write_text(str(cells).replace("'", '"'))
        seal(record, {key: value for key, value in record.manifest().items() if key not in ("digest", "files")})
        module.write_text(STEP.replace("YEAR", "pd.Timestamp.now().year"))
        assert check_parity(record, library="cottages", variations=["one row"]).exact
        found = check_parity(record, library="cottages", variations=["another day"])
    assert not found.exact
    divergence = found.outcomes[-1].divergence
    assert divergence
    assert (divergence.step, divergence.difference.column) == ("ages", "age")
    assert "the wall clock is read: Ages.transform (cottages.steps.ages, line 12) calls" in divergence.causes[0]
    assert "the code of cottages/steps/ages.py, cell ages, is not what the run used" in divergence.causes
