"""The artifact on disk: it predicts the same, damaged or forged ones are refused, loading imports little."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shop
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeRegressor
from small_houses import ROW, as_dicts, compiled, houses, steps

from pipeline_lib.compiled import artifact
from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema


@pytest.fixture(scope="module")
def model() -> CompiledPipeline:
    return compiled()


def test_a_loaded_artifact_predicts_the_same(model: CompiledPipeline, tmp_path: Path) -> None:
    frame, _ = houses()
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.predict(frame).tobytes() == model.predict(frame).tobytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arrays.npz", "artifact.json", "row.json"]


def test_saving_twice_gives_the_same_bytes(model: CompiledPipeline, tmp_path: Path) -> None:
    model.save(tmp_path / "a")
    load_model(tmp_path / "a").save(tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("artifact.json", b"{", "damaged description"),
        ("artifact.json", b'{"format": 1}', r"found format 1, expected one of \(2, 3, 4\)"),
        ("artifact.json", b"[]", "found format 'list'"),
        ("arrays.npz", b"PK", "damaged artifact"),
        ("row.json", b"{}", "row schema"),
    ],
)
def test_a_damaged_artifact_is_refused(
    model: CompiledPipeline, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    model.save(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_model(tmp_path)


def test_an_artifact_of_the_format_before_still_loads(model: CompiledPipeline, tmp_path: Path) -> None:
    model.save(tmp_path)
    description = json.loads((tmp_path / "artifact.json").read_text())
    description |= {"format": 2, "tables": [table[:4] for table in description["tables"]]}
    (tmp_path / "artifact.json").write_text(json.dumps(description))
    frame, _ = houses()
    assert load_model(tmp_path).predict(frame).tobytes() == model.predict(frame).tobytes()


def _node(change):
    def edit(description):
        description["nodes"][-1] |= change

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_node({"operation": "__import__"}), "found operation '__import__'"),
        (_node({"inputs": [10**6]}), "found node 1000000, expected the number of an earlier one"),
        (_node({"dtype": "object"}), "of 'object', expected one of this release"),
        (lambda d: d.update(outputs=[["prediction", -1]]), "found node -1"),
        (lambda d: d["nodes"][0]["settings"].update(column="secret"), "found raw columns .'secret'. in the plan"),
    ],
)
def test_a_forged_plan_is_refused(model: CompiledPipeline, tmp_path: Path, edit: Any, message: str) -> None:
    model.save(tmp_path)
    path = tmp_path / artifact.DESCRIPTION
    description = json.loads(path.read_bytes())
    edit(description)
    path.write_text(json.dumps(description))
    with pytest.raises(InputError, match=message):
        load_model(tmp_path)


def test_the_declared_context_is_kept(tmp_path: Path) -> None:
    shop.compiled().save(tmp_path)
    model = load_model(tmp_path)
    assert model.plan.tables == shop.compiled().plan.tables
    assert model.reads == ("day", "sold")
    days = shop.days()
    with pytest.raises(InputError, match="expected 2024-01-08"):
        model.predict(days.iloc[3:].drop(index=7), context=days.iloc[:3])


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ([["rows", None, "day", 3, 0, "sold"]], "found rows 0 apart in 'day', expected a whole number from 1 on"),
        ([["rows", None, None, 3, 5, None]], "found rows 5 apart in None"),
        ([["rows", None, "week", 3, 5, None]], r"found raw columns \['week'\] in the plan"),
        ([["rows", None, "day", 3, 5, "price"]], r"found raw columns \['price'\] in the plan"),
    ],
)
def test_a_damaged_declaration_of_a_context_is_refused(tmp_path: Path, declaration: Any, message: str) -> None:
    shop.compiled().save(tmp_path)
    path = tmp_path / "artifact.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "tables": declaration}))
    with pytest.raises(InputError, match=message):
        load_model(tmp_path)


def test_no_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no artifact.json"):
        load_model(tmp_path)


PRODUCTION = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"sklearn", "feature_engine", "pandas", "scipy", "skops"} or name.startswith(
            ("pipeline_lib.steps", "pipeline_lib.pipelines")
        ):
            raise ImportError(f"{name} is not for production")
sys.meta_path.insert(0, Refuse())
import json
from pipeline_lib import load_model
model = load_model(sys.argv[1])
print(json.dumps([model.predict_row(row).hex() for row in json.loads(sys.argv[2])]))
print(json.dumps([value.hex() for value in model.predict(json.loads(sys.argv[2])).tolist()]))
"""


def test_production_needs_no_library_of_research(model: CompiledPipeline, tmp_path: Path) -> None:
    model.save(tmp_path)
    rows = as_dicts(houses(5)[0])
    expected = [value.hex() for value in model.predict(rows).tolist()]
    command = [sys.executable, "-c", PRODUCTION, str(tmp_path), json.dumps(rows)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own interpreter
    assert found.stderr == ""
    assert [json.loads(line) for line in found.stdout.splitlines()] == [expected, expected]


def test_trees_whose_walk_would_never_end_are_refused(tmp_path: Path) -> None:
    frame, price = houses()
    pipeline = Pipeline([*steps()[:-1], ("price", DecisionTreeRegressor(max_depth=6))]).fit(frame, price)
    compile_pipeline(pipeline, like=frame, row=ROW).save(tmp_path)
    description = json.loads((tmp_path / "artifact.json").read_bytes())
    node = next(node for node in description["nodes"] if node["operation"] == "trees")
    with np.load(tmp_path / "arrays.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays[node["settings"]["left"]["array"]][:] = 0
    np.savez(tmp_path / "arrays.npz", **arrays)
    with pytest.raises(InputError, match="found damaged trees"):
        load_model(tmp_path)


def test_a_rounding_that_64_bits_do_not_hold_is_refused(tmp_path: Path) -> None:
    build = Builder()
    day = build.date_floor(build.input("at", "datetime"), unit="day", count=2)
    artifact.save(tmp_path, Plan(build.nodes, {"day": day.node}), RowSchema((Column("at", "datetime"),)), {})
    assert artifact.load(tmp_path)[0].nodes == build.nodes
    text = (tmp_path / "artifact.json").read_text(encoding="utf-8")
    for count in (2**62 // 86_400_000_000 + 1, 0, -3):
        changed = text.replace('"count": 2', f'"count": {count}')
        assert changed != text
        (tmp_path / "artifact.json").write_text(changed, encoding="utf-8")
        with pytest.raises(InputError, match=f"found count={count} of unit 'day'"):
            artifact.load(tmp_path)
