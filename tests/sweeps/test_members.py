"""Members: all are checked before anything starts, each once, from known files."""

from pathlib import Path

import pytest
from example import HOUSES
from fake_pool import Fake

import pipeline_lib.sweeps.sweep as sweeping
from pipeline_lib.errors import InputError
from pipeline_lib.sweeps.members import sources_of


@pytest.mark.parametrize("grid", [["estimator.alpha=0.1,much", "seed=0..1"], ["estimator.alpa=1"]])
def test_every_combination_is_checked_before_anything_starts(tmp_path: Path, fake: Fake, grid: list[str]) -> None:
    pool = fake()
    with pytest.raises(InputError, match="alpha"):
        sweeping.sweep(HOUSES, grid, runs=tmp_path)
    assert pool.tasks == []
    assert list(tmp_path.iterdir()) == []


def test_two_members_with_the_same_parameters_are_refused(tmp_path: Path, fake: Fake) -> None:
    fake()
    with pytest.raises(InputError, match=r"alpha=0\.10.*same parameters"):
        sweeping.sweep(HOUSES, ["estimator.alpha=0.1,0.10"], runs=tmp_path)


def test_the_same_sweep_has_the_same_name_and_another_one_another(tmp_path: Path, fake: Fake) -> None:
    fake()
    names = [sweeping.sweep(HOUSES, [grid], runs=tmp_path).name for grid in ("seed=0..1", "seed=0,1", "seed=0..2")]
    assert names[0] == names[1] != names[2]


HELPERS = ("tiny/helper.py", "helper.py", "nbs/research/helper.py")


def test_a_members_sources_are_its_own_notebook_the_code_and_the_parameters(tmp_path: Path) -> None:
    (tmp_path / "settings.ini").write_text(
        "[project]\nlib_name = tiny\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    params_file, *files = (
        tmp_path / name for name in ("params/sums.yml", "nbs/research/sums.ipynb", "nbs/steps/more.ipynb", *HELPERS)
    )
    assert sources_of(params_file) == ""
    seen = {""}
    for path in (params_file, *files, params_file):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(len(seen)))
        assert sources_of(params_file) not in seen
        seen.add(sources_of(params_file))
    for name in ("nbs/research/others.ipynb", "nbs/sweeping.ipynb"):
        (tmp_path / name).write_text("edited")
        assert sources_of(params_file) in seen
