"""Drafted pipelines run, on odd data too, and give the same bits for one row and for many."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from drafts import ROWS, Drafted, draft, loans, notebooks, trial, written
from matrices import slow_sample
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.evidence.evidence import Evidence
from pipeline_lib.evidence.targets import target_table
from pipeline_lib.project.drafting.notebooks import exported_source
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.model import schema_of
from pipeline_lib.runner.diagnostics.diagnostics import Diagnostics, diagnostics_of

rng = np.random.default_rng(1)
EVEN = np.arange(ROWS) % 2
DAYS = pd.date_range("2024-01-01", periods=ROWS, freq="9h")
WORDS = [" ".join(rng.choice(["good", "bad", "fine", "awful", "köstlich"], 8)) for _ in range(ROWS)]


ignored = pytest.mark.filterwarnings("ignore::DeprecationWarning:feature_engine")


def semicolons(frame: pd.DataFrame) -> bytes:
    text = frame.to_csv(index=False, sep=";", decimal=",", date_format="%d.%m.%Y %H:%M")
    return text.encode("cp1252")


TABLES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "regression": (loans(), ".csv", {}),
    "two classes": (loans(rate=np.where(EVEN, "yes", "no")), ".csv", {}),
    "three classes": (loans(rate=np.arange(ROWS) % 3), ".csv", {}),
    "true and false": (loans(rate=EVEN == 1), ".parquet", {}),
    "by time": (loans(day=DAYS), ".csv", {}),
    "classes by time": (loans(day=DAYS[::-1], rate=EVEN), ".parquet", {"time": "day"}),
    "groups": (loans(who=[f"k{n // 3}" for n in range(ROWS)], rate=EVEN), ".csv", {"group": "who"}),
    "text": (pd.DataFrame({"review": WORDS, "rate": np.where(EVEN, "yes", "no")}), ".csv", {}),
    "text with gaps": (loans(review=[None, *WORDS[1:]], more=WORDS[::-1]), ".csv", {}),
    "decimal comma": (semicolons(loans(straße=["Köln", "Zürich"] * 30, at=DAYS)),
                      ".csv", {}),
    "byte order mark": (b"\xef\xbb\xbf" + loans().to_csv(index=False).encode(), ".csv", {}),
    "zones": (loans(at=[f"2024-0{1 + n % 9}-05T10:00:00+0{n % 3}:00" for n in range(ROWS)]), ".csv", {}),
    "strange names": (loans(**{"größe in m²": EVEN, 'a "b" {c} \\': EVEN + 0.5, "class": EVEN, "NAME": EVEN}), ".csv",
                      {}),
    "strange target": (loans().rename(columns={"rate": "import {x}"}), ".csv", {"target": "import {x}"}),
    "a column without a name": (loans().to_csv().encode(), ".csv", {}),
    "numbers as names": (loans(**{"1": EVEN, "2": EVEN * 1.5}), ".csv", {}),
    "nanoseconds": (loans(day=DAYS.as_unit("ns")), ".parquet", {}),
    "few rows": (loans(25), ".csv", {}),
    "target with gaps": (loans(rate=np.where(np.arange(ROWS) % 7, EVEN, np.nan)), ".csv", {}),
    "gaps": (loans(flat=np.where(EVEN, "own", None), x=np.where(EVEN, 1.5, np.nan)), ".csv", {}),
    "words for missing": (loans(x=np.where(EVEN, "NA", "3"), y=np.where(EVEN, "?", "3.5")), ".csv", {}),
    "flags alone": (pd.DataFrame({"a": EVEN == 1, "b": np.arange(ROWS) % 3 == 0, "rate": rng.normal(size=ROWS)}),
                    ".csv", {}),
    "types of Arrow": (loans(i=pd.array([1, None] * 30, dtype="Int64"), c=pd.Categorical(["a", "b"] * 30),
                             f=np.float32(rng.normal(size=ROWS)), z=DAYS.tz_localize("UTC"),
                             d=[day.date() for day in DAYS]), ".arrow", {}),
    "a sheet": (loans(day=DAYS, code=["007", "008"] * 30, n=[1, None] * 30), ".xlsx", {}),
    "sensitive": (loans(born=pd.date_range("1960-01-01", periods=ROWS, freq="91D")[::-1], ok=EVEN == 1), ".parquet",
                  {"sensitive": ("born", "ok", "home", "income", "months")}),
}  # fmt: skip


@ignored
@pytest.mark.parametrize("case", TABLES)
def test_a_draft_runs_and_compiles(tmp_path: Path, case: str) -> None:
    data, suffix, options = TABLES[case]
    path = written(tmp_path, data, suffix)
    made = draft(path, **options)
    assert trial(made, path) == ""
    drafted = Drafted(made, path)
    parts = drafted.parts()
    test = parts["test"]
    conform(test, schema_of(drafted.module.Row))
    model = compile_pipeline(parts["fitted"], like=parts["train"], row=schema_of(drafted.module.Row))
    together = model.predict(test).tolist()
    assert [model.predict(test.iloc[[row]]).tolist()[0] for row in (0, 1, 2)] == together[:3]
    assert set(parts["train"]) == {*made.roles.features, *filter(None, [made.split.column])}


def drawn(folder: Path, case: str, *, trees: bool = False) -> Diagnostics:
    """The diagnostics of a draft's test rows, as its research notebook shows them."""
    data, suffix, options = TABLES[case]
    path = written(folder, data, suffix)
    drafted = Drafted(draft(path, **options), path)
    parts, row = drafted.parts(), schema_of(drafted.module.Row)
    fitted, target = parts["fitted"], parts["frame"].loc[parts["train"].index, drafted.draft.target.name]
    classes = drafted.draft.target.task != "regression"
    if trees:
        kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        fitted = fitted.set_params(estimator=kind(max_iter=3)).fit(parts["train"], target)
    model = compile_pipeline(fitted, like=parts["train"], row=row)
    kinds = ("prediction", "probability") if classes else ("prediction",)
    answers = model.predict_table(parts["test"], outputs=kinds)
    none = pa.array([], pa.int64())
    kept = Evidence(conform(parts["test"], row), answers, {}, none, target_table(parts["y_test"]))
    return diagnostics_of(model, kept, drafted.module, drafted.params)


FIRST = {"Predicted against actual", "Calibration", "Confusion"}


@ignored
@pytest.mark.parametrize("case", ["regression", "two classes"])
def test_diagnostics_are_drawn_of_a_draft_with_any_estimator(tmp_path: Path, case: str) -> None:
    found = drawn(tmp_path, case, trees=True)
    titles = [picture.title for picture in found.pictures]
    assert titles[0] in FIRST
    assert "Importance" in [*titles, *(note.partition(" ")[0] for note in found.notes)]


@ignored
@pytest.mark.slow
@pytest.mark.parametrize("case", slow_sample(TABLES, 4))
def test_diagnostics_are_drawn_of_every_draft(tmp_path: Path, case: str) -> None:
    found = drawn(tmp_path, case)
    assert found.pictures[0].title in FIRST
    assert all(note.endswith(".") for note in found.notes)


def test_300_columns_run(tmp_path: Path) -> None:
    path = written(tmp_path, loans(**{f"x{n}": rng.normal(size=ROWS) for n in range(300)}))
    made = draft(path)
    assert trial(made, path) == ""
    assert '*(f"x{number}" for number in range(300))' in exported_source(notebooks(made)[0])


def test_rows_without_a_target_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, suffix, _ = TABLES["target with gaps"]
    path = written(tmp_path, data, suffix)
    frame = Drafted(draft(path), path).parts()["frame"]
    missing = int(data["rate"].isna().sum())
    assert len(frame) == ROWS - missing
    assert f"left out {missing} of {ROWS} rows" in capsys.readouterr().out


def test_leading_zeros_and_values_are_read_as_they_are(tmp_path: Path) -> None:
    data = loans(code=["007", "012", "100"] * 20, big=[0.1 + 0.2, 1e-17, 3.0] * 20)
    path = written(tmp_path, data)
    frame = Drafted(draft(path), path).parts()["frame"]
    assert frame["code"].tolist() == data["code"].tolist()
    assert frame["big"].tolist() == data["big"].tolist()


@ignored
def test_later_rows_are_test_rows(tmp_path: Path) -> None:
    path = written(tmp_path, loans(day=DAYS[::-1]))
    made = draft(path, time="day")
    parts = Drafted(made, path).parts()
    assert parts["train"]["day"].max() < parts["test"]["day"].min()
    assert made.split.kind == "time"


def test_a_group_is_on_one_side(tmp_path: Path) -> None:
    data, suffix, options = TABLES["groups"]
    path = written(tmp_path, data, suffix)
    made = draft(path, **options)
    parts = Drafted(made, path).parts()
    sides = [set(parts["frame"].loc[parts[part].index, "who"]) for part in ("train", "test")]
    assert sides[0].isdisjoint(sides[1])


@ignored
@pytest.mark.parametrize("sensitive", [(), ("who",)])
def test_a_group_is_the_entity_of_the_row_and_no_feature(tmp_path: Path, sensitive: tuple[str, ...]) -> None:
    data, suffix, options = TABLES["groups"]
    path = written(tmp_path, data, suffix)
    made = draft(path, **options, sensitive=sensitive)
    drafted = Drafted(made, path)
    row = schema_of(drafted.module.Row)
    assert (row.entity, row.time) == ("who", None)
    assert row.sensitive == sensitive
    assert list(sensitive) == drafted.module.SENSITIVE
    assert "who" not in made.roles.left_out
    parts = drafted.parts()
    model = compile_pipeline(parts["fitted"], like=parts["train"], row=row)
    assert "who" not in model.reads
    without = parts["test"].drop(columns="who")  # production may leave it out
    assert model.predict(without).tolist() == model.predict(parts["test"]).tolist()


@ignored
@pytest.mark.parametrize("case", ["a feature", "no feature"])
def test_a_time_is_marked_in_the_row(tmp_path: Path, case: str) -> None:
    times: dict[str, Any] = {"day": DAYS} if case == "a feature" else {"day": np.arange(ROWS)}
    path = written(tmp_path, loans(**times))
    made = draft(path, time="day")
    drafted = Drafted(made, path)
    row = schema_of(drafted.module.Row)
    assert (row.entity, row.time) == (None, "day")
    assert ("day" in made.roles.features, row.by_name["day"].required) == (case == "a feature",) * 2
    parts = drafted.parts()
    assert parts["train"]["day"].max() < parts["test"]["day"].min()
    model = compile_pipeline(parts["fitted"], like=parts["train"], row=row)
    assert ("day" in model.reads) == (case == "a feature")


def test_dates_that_do_not_order_the_rows_are_no_reason_to_split_by_time(tmp_path: Path) -> None:
    shuffled = pd.Series(DAYS).sample(frac=1, random_state=0).to_numpy()
    made = draft(written(tmp_path, loans(day=shuffled)))
    assert made.split.kind == "random"
    assert "--time" in made.split.notes[0]


def test_a_draft_that_does_not_run_is_seen(tmp_path: Path) -> None:
    path = written(tmp_path, loans())
    made = draft(path)
    path.write_text(path.read_text().replace("own", "1").replace("income", "incomes"))
    assert "incomes" in trial(made, path) or "income" in trial(made, path)


def test_no_assertion_depends_on_the_number_of_rows(tmp_path: Path) -> None:
    small, large = (notebooks(draft(written(tmp_path, loans(rows)))) for rows in (60, 90))
    for one, other in zip(small, large, strict=True):
        asserted = [
            [line for cell in notebook["cells"] for line in cell["source"] if "assert" in line]
            for notebook in (one, other)
        ]
        assert asserted[0] == asserted[1]
    assert sum("assert" in line for cell in small[0]["cells"] for line in cell["source"]) > 5


def test_exported_code_has_every_name_that_a_pipeline_needs(tmp_path: Path) -> None:
    source = exported_source(notebooks(draft(written(tmp_path, loans())))[0])
    for name in ("class Row(", "class Params(", "def load(", "def split(", "def build(", "def metrics(", "METRIC = "):
        assert name in source
