"""Every setting of a process proves itself, or says why it is impossible here."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from tiny import STEP, library, small_record

from pipeline_lib.parity.check import check_parity
from pipeline_lib.parity.process_settings import AbsentError, Preparation, Setting, hash_seed, locale_c, time_zone
from pipeline_lib.parity.variations import Variation
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import seal


def test_a_process_under_a_setting_proves_it_and_repeats_every_bit(small: Record) -> None:
    names = ["1 thread", "BLAS Haswell", "SIMD baseline", "hash seed", "locale C", "time zone", "another day"]
    found = check_parity(small, variations=names)
    outcomes = {outcome.variation: outcome for outcome in found.outcomes}
    assert set(names) <= set(outcomes)
    for name in names:
        assert outcomes[name].verdict in ("exact", "absent"), str(found)
        assert outcomes[name].proof or outcomes[name].verdict == "absent"


IDLE = {
    "zone": Setting({"zone": 20_700}, {}),
    "day": Setting({"days moved": [400]}, days=None),
    "locale": Setting({"locale": "C"}, {"LC_ALL": "C.UTF-8"}),
    "threads": Setting({"threads": [1]}, {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}),
    "kernel": Setting({"kernel": ["Haswell"]}, {"OPENBLAS_CORETYPE": "Nehalem"}),
}


def test_a_setting_that_takes_no_effect_is_a_difference(small: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    variations = [
        Variation(name, "setting", "", prepare=lambda preparation, setting=setting: setting)
        for name, setting in IDLE.items()
    ]
    outcomes = check_parity(small, variations=variations).of_verdict("different")
    assert [outcome.variation for outcome in outcomes] == list(IDLE)
    for outcome in outcomes:
        assert "the setting took no effect, so nothing was shown" in outcome.detail


def test_a_setting_that_is_impossible_here_is_absent_with_the_reason(small: Record) -> None:
    def prepare(preparation: Preparation) -> Setting:
        raise AbsentError("needs a quantum computer")

    found = check_parity(small, variations=[Variation("quantum", "machine", "", prepare=prepare)])
    assert found.exact
    assert "absent     needs a quantum computer: quantum" in str(found)


def test_a_process_that_fails_under_a_setting_is_a_difference(small: Record) -> None:
    broken = Setting({}, python="/bin/false")
    found = check_parity(small, variations=[Variation("no Python", "install", "", prepare=lambda preparation: broken)])
    assert found.outcomes[-1].detail.startswith("the process failed: ")
    assert not found.exact


@pytest.mark.parametrize(
    "prepare", [hash_seed, locale_c, time_zone({"Asia/Kathmandu": 20_700})], ids=["hash", "locale", "zone"]
)
def test_every_setting_changes_the_process_and_names_its_proof(
    prepare: Callable[[Preparation], Setting], tmp_path: Path
) -> None:
    setting = prepare(Preparation(tmp_path, (), "pipeline_lib", {}))
    assert setting.variables
    assert setting.proof


def test_a_library_without_sources_has_no_clean_environment(opaque: Record) -> None:
    found = check_parity(opaque, library="cottages", variations=["clean environment"])
    assert found.outcomes[1].verdict == "absent"
    assert "found no setup.py next to the package cottages" in str(found) or "uv" in str(found)


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
    assert "the wall clock is read: Ages.transform (cottages.steps.ages, line 14) calls" in divergence.causes[0]
    assert "the code of cottages/steps/ages.py, cell ages, is not what the run used" in divergence.causes
