"""A check names what a delivery changes, loses or refuses, and keeps what earlier checks found."""

import importlib
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from matrices import slow
from opaque_models import without_plan
from tiny import STEP, library, small_record

from pipeline_lib.cli.main import commands
from pipeline_lib.errors import InputError, RunError
from pipeline_lib.parity.check import check_parity
from pipeline_lib.parity.variations import QUICK, VARIATIONS, Variation
from pipeline_lib.records.record import Record, checks_folder

LOSSY = [name for name in QUICK if VARIATIONS[name].lossy]


def test_a_lossy_delivery_is_reported_by_name_and_is_no_failure(small: Record) -> None:
    found = check_parity(small, variations=LOSSY)
    assert found.exact
    verdicts = {outcome.variation: (outcome.verdict, outcome.detail) for outcome in found.outcomes}
    assert verdicts["DataFrame.to_json"] == ("lossy", verdicts["DataFrame.to_json"][1])
    assert "raw values in 40 of 40 rows change, and 40 outputs" in verdicts["to_csv(float_format)"][1]
    assert "  lossy       DataFrame.to_json, to_csv(float_format), float32: the file itself loses: " in str(found)
    assert "exact      lossy file (in other rows it may lose): read_csv defaults" in str(found)


def test_the_quick_check_makes_every_delivery(small: Record) -> None:
    found = check_parity(small)
    assert found.exact, str(found)
    assert [outcome.variation for outcome in found.outcomes] == list(QUICK)


def test_a_csv_written_carelessly_is_named(small: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "careless.py").write_text(
        "import io\nimport pandas as pd\nfrom pipeline_lib.parity.variations import Delivery\n"
        "def deliver(rows):\n"
        "    text = rows.frame.round(2).to_csv(index=False)\n"
        "    return Delivery([(pd.read_csv(io.StringIO(text)), list(range(rows.table.num_rows)))])\n"
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
        "the delivery changed the raw value before the pipeline saw it: two decimals"
    )


def test_rows_that_a_delivery_loses_are_named(small: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "losing.py").write_text(
        "from pipeline_lib.parity.variations import Delivery\nimport numpy as np\n"
        "def deliver(rows):\n    return Delivery([(rows.table.slice(1), np.arange(rows.table.num_rows))])\n"
        "def fail(rows):\n    raise ValueError('no such form')\n"
        "def refuse(rows):\n    return Delivery([(rows.table.drop_columns(['size']), np.arange(40))])\n"
        "def lack(rows):\n    import no_such_package\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import losing  # type: ignore[import-not-found]

    names = ("deliver", "fail", "refuse", "lack")
    found = check_parity(small, variations=[Variation(name, "form", "", getattr(losing, name)) for name in names])
    outcomes = {outcome.variation: outcome for outcome in found.outcomes}
    assert [outcomes[name].verdict for name in names] == ["different", "different", "different", "absent"]
    assert "raw input: rows: expected 40, found 39" in str(found)
    assert outcomes["fail"].detail == "failed: ValueError: no such form (losing.py, line 6)"
    assert outcomes["refuse"].detail.startswith("refused: found no size")
    assert outcomes["lack"].detail == "needs no_such_package, which is not installed"


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


@pytest.mark.parametrize("function", ["few", "twice", "frame"])
def test_every_row_must_be_delivered_once(
    small: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    (tmp_path / "partly.py").write_text(
        "import numpy as np\nfrom pipeline_lib.parity.variations import Delivery\n"
        "def few(rows):\n    return Delivery([(rows.frame.head(1), np.arange(1))])\n"
        "def twice(rows):\n    return Delivery([(rows.frame, np.zeros(40, int))])\n"
        "def frame(rows):\n    return rows.frame\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    partly = importlib.import_module("partly")
    [outcome] = check_parity(small, variations=[Variation("own", "file", "", getattr(partly, function))]).of_verdict(
        "different"
    )
    message = (
        "found DataFrame from frame, expected a Delivery" if function == "frame" else "expected each of 40 rows once"
    )
    assert message in outcome.detail
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


def test_a_narrow_check_keeps_the_outcomes_of_others(small: Record) -> None:
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


@pytest.mark.parametrize("every", [5, slow(1)])
def test_an_opaque_step_is_checked_like_any_other(opaque: Record, every: int) -> None:
    found = check_parity(opaque, library="cottages", variations=list(QUICK)[::every])
    assert found.exact, str(found)
    assert list(found.steps) == ["ages", "scale"]


def test_the_package_of_opaque_steps_is_that_of_the_project_around_the_record(opaque: Record, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"what pipeline_lib\.steps .* load_model\(folder, library='cottages'\)"):
        check_parity(opaque, variations=["fresh process"])
    (tmp_path / "settings.ini").write_text(
        "[project]\nlib_name = cottages\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    assert check_parity(opaque, variations=["fresh process"]).exact


def test_a_package_is_trusted_by_name_here_or_in_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of category_encoders that runs through its library."""
    import category_encoders

    without_plan(monkeypatch, "HashingEncoder")
    step = category_encoders.HashingEncoder(cols=["rooms"], n_components=3, max_process=1)
    record = small_record(tmp_path / "runs", ("hash", step), trust=("category_encoders",))
    with pytest.raises(RunError, match="category_encoders"):
        check_parity(record, variations=["fresh process"])
    assert check_parity(record, variations=["fresh process"], trust=("category_encoders",)).exact
    settings = "[project]\nlib_name = pipeline_lib\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    (tmp_path / "settings.ini").write_text(f"{settings}trust = category_encoders\n")
    assert check_parity(record, variations=["fresh process"]).exact
