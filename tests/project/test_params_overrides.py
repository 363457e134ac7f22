"""Overrides on the command line are checked like the file, and named as they were typed."""

import re
from pathlib import Path

import pytest
from params_examples import Estimator, Params, read, refusal

pytestmark = pytest.mark.core


def test_overrides_are_checked_like_the_file(tmp_path: Path) -> None:
    text = "seed: 1\nlabel: a\n"
    sets = ["estimator.alpha=0.01", "label=null", 'columns=["a=b"]', 'layers=[{"alpha": 2}]', "seed=2"]
    params = read(tmp_path, text, Params, *sets)
    assert params == Params(
        seed=2,
        columns=["a=b"],
        layers=[Estimator(alpha=2)],
        estimator=Estimator(alpha=0.01, steps=7),  # the rest of the group keeps the default of Params
    )
    assert read(tmp_path, "estimator:\n  steps: 1\n", Params, "estimator.alpha=2").estimator == Estimator(
        alpha=2, steps=1
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("estimator.alpha=abc", "estimator.alpha: found 'abc', expected a valid number"),
        ('estimator={"alpha": "x"}', "estimator.alpha: found 'x', expected a valid number"),
        ('layers=[{"alpha": 1e400}]', "layers.0.alpha: found inf, expected a finite number"),
        ("test_shar=1", "test_shar: unknown key, did you mean test_share?"),
        ("estimator.alfa=1", "estimator.alfa: unknown key, did you mean alpha?"),
        ("nothing.here=1", "nothing: unknown key, expected one of: test_share,"),
        ("seed", "found no `key=value`"),
        ("=1", "found no `key=value`"),
        (".=1", "found no `key=value`"),
        ("estimator..alpha=1", "found no `key=value`"),
        ("seed.x=1", "seed.x: found '1' at seed, expected a group of keys"),
        ("columns.0=1", "columns.0: found ['a'] at columns, expected a group of keys"),
        ("columns=[NaN]", "columns: found '[NaN]' (NaN is no JSON number), expected JSON"),
        ("columns=[", "columns: found '['"),
        ("columns=" + "[" * 100_000, "columns: found '[[["),
        ('estimator={"alpha": 1, "alpha": 2}', "estimator: found "),
        ("seed=\n", "seed: found '\\n', expected a valid integer"),
    ],
)
def test_a_wrong_override_is_shown_as_typed(tmp_path: Path, text: str, message: str) -> None:
    lines = refusal(tmp_path, "seed: 1\ncolumns:\n- a\n", Params, text)
    assert len(lines) == 1
    shown = text if len(text) <= 60 and text.isprintable() else repr(text)[:59] if "\n" in text else text[:59]
    assert re.match(rf"params/p\.yml(:\d)?: --set {re.escape(shown)}", lines[0])
    assert message in lines[0]


def test_one_key_is_overridden_once(tmp_path: Path) -> None:
    for second in ("estimator.alpha=2", 'estimator={"alpha": 2}', "estimator.alpha.x=1"):
        (line,) = refusal(tmp_path, "seed: 1\n", Params, "estimator.alpha=1", second)
        assert line.startswith(f"params/p.yml: --set {second}: ")
        assert "found a second value" in line


def test_problems_of_file_and_overrides_come_together_in_order(tmp_path: Path) -> None:
    lines = refusal(tmp_path, "seed: x\nlabe: 1\n", Params, "no", "test_share=7")
    assert [line.split(": ")[:2] for line in lines] == [
        ["params/p.yml:1", "seed"],
        ["params/p.yml:2", "labe"],
        ["params/p.yml", "--set no"],
        ["params/p.yml", "--set test_share=7"],
    ]


def test_an_overridden_value_of_the_file_is_not_checked(tmp_path: Path) -> None:
    assert read(tmp_path, "seed: x\n", Params, "seed=1").seed == 1
    (line,) = refusal(tmp_path, "estimator:\n  alpha: x\n", Params, 'estimator={"alpha": "y"}')
    assert line.startswith("params/p.yml:1: --set")  # the line whose value it replaces
