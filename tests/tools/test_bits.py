"""The parity matrix: no bit differs in any setting, and the controls show that the settings bite."""

import json

import numpy as np
import pytest

from tools import bits


def test_a_pipeline_has_the_same_bits_in_every_quick_setting(capsys):
    found, _ = bits.matrix("lasso", quick=True)
    text, bad = bits.table(found)
    assert bad == 0
    assert list(found) == list(bits.QUICK)
    assert "lasso, log price" in text
    assert capsys.readouterr().out.count("simd") == len(bits.QUICK)


@pytest.mark.slow
@pytest.mark.whole
def test_no_bit_differs_in_the_quick_grid_and_controls_turn_red():
    found, green = bits.matrix(quick=True)
    assert len(next(iter(found.values()))["rows"]) >= 25
    assert bits.table(found)[1] == 0
    assert green == []


def test_a_setting_that_is_the_machines_own_is_no_control():
    assert bits.must_differ({"kernel": "SkylakeX", "simd": "X86_V4"}) == [
        *("fresh", "Haswell", "Nehalem", "Prescott", "SIMD off")
    ]
    assert bits.must_differ({"kernel": "Haswell", "simd": "X86_V3"}) == ["fresh", "Nehalem", "Prescott"]


def test_one_coefficient_one_ulp_away_is_seen(tmp_path):
    bits.prepare(tmp_path, "lasso")
    folder = next(tmp_path.iterdir())
    assert not any(bits.judge(tmp_path, libraries=False, every=False)["rows"][folder.name].values())
    description = json.loads((folder / "artifact.json").read_bytes())
    node = [node for node in description["nodes"] if node["operation"] == "dot"][-1]
    node["settings"]["weights"][0] = float(np.nextafter(node["settings"]["weights"][0], np.inf))
    (folder / "artifact.json").write_text(json.dumps(description))
    assert all(bits.judge(tmp_path, libraries=False, every=False)["rows"][folder.name].values())


def test_a_setting_that_takes_no_effect_is_an_error(tmp_path):
    with pytest.raises(SystemExit, match="the setting took no effect"):
        bits.run(bits.Setting("odd", {}, {"zone": 1}, libraries=False), tmp_path)
