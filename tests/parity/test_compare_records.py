"""Two records compared: every part that differs is named, and only that."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from edits import edit_column, edit_json, nudge_fitted_value, one_ulp

from pipeline_lib.cli import main as cli
from pipeline_lib.parity.compare_records import changed_environment, compare_records
from pipeline_lib.project.code_diff import changed_code, changed_values, notebook_code
from pipeline_lib.records.layout import FITTED_STATE
from pipeline_lib.records.record import Record

PARTS = ("parameters", "notebook", "library", "environment", "learned state", "artifact", "evidence", "metrics")


def differing(houses_record: Record, other: Record) -> dict[str, tuple[str, ...]]:
    found = compare_records(houses_record, other)
    assert tuple(section.name for section in found.sections) == PARTS
    assert found.same == (not any(section.differences for section in found.sections))
    assert not any(section.missing for section in found.sections)
    return {section.name: section.differences for section in found.sections if section.differences}


def test_a_record_is_the_same_as_its_copy(houses_record: Record, copy: Record) -> None:
    assert differing(houses_record, copy) == {}
    text = str(compare_records(houses_record, copy))
    assert text.startswith(f"{copy.reference} → {copy.reference}: same\nparameters: same (9 values)\n")
    assert "learned state: same (2," in text


def test_another_parameter_is_named(houses_record: Record, copy: Record) -> None:
    edit_json(copy.folder / "params.json", lambda found: found["estimator"].update(alpha=0.002))
    text = f"estimator.alpha: 0.001 → 0.002 ({(0.001).hex()}, {(0.002).hex()})"
    assert differing(houses_record, copy) == {"parameters": (text,)}


def test_another_library_cell_is_named_with_its_line(houses_record: Record, copy: Record) -> None:
    def edit(found: Any) -> None:
        cell = next(cell for cell in found if cell["cell"] == "build-numbers")
        cell["source"] = cell["source"].replace('("log", LogTransformer(variables=LOGGED)),', "")

    edit_json(copy.folder / "library.json", edit)
    ((line,),) = differing(houses_record, copy).values()
    assert line.startswith("nbs/pipelines/houses.ipynb: cell ")
    assert line.endswith('(id build-numbers): `("log", LogTransformer(variables=LOGGED)),` → nothing')


def test_another_notebook_cell_is_named_and_prose_is_not_compared(houses_record: Record, copy: Record) -> None:
    def edit(found: Any) -> None:
        for cell in found["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = "# Other words"
        cell = next(cell for cell in found["cells"] if "run.compile" in "".join(cell["source"]))
        cell["source"] = ["# other\n", *cell["source"]]

    edit_json(copy.notebook, edit)
    ((line,),) = differing(houses_record, copy).values()
    assert line.endswith(": nothing → `# other`")


def test_another_environment_is_shown_most_likely_cause_first(houses_record: Record, copy: Record) -> None:
    def edit(found: Any) -> None:
        found["time_zone"] = ["Mars"]
        found["packages"] |= {"numpy": "1.0", "attrs": "1.0"}
        found["cpu"]["features"] = [*found["cpu"]["features"][1:], "WARP9"]
        found["blas"] = found["blas"][::-1]

    edit_json(copy.folder / "environment.json", edit)
    lines = differing(houses_record, copy)["environment"]
    assert lines[0].startswith("numpy: ")
    assert any("WARP9 here only" in line for line in lines)
    assert lines[-1] == "1 other packages: attrs"
    assert any(line.startswith("time zone: ") for line in lines)


def test_what_seldom_moves_a_bit_is_shown_when_nothing_else_differs(houses_record: Record, copy: Record) -> None:
    edit_json(copy.folder / "environment.json", lambda found: found["blas"].reverse())
    assert differing(houses_record, copy) == {}
    edit_json(copy.folder / "environment.json", lambda found: found["cpu"].update(count=-1))
    ((line,),) = differing(houses_record, copy).values()
    assert line.endswith(" → -1")
    assert changed_environment({"a": [1]}, {"a": [1, 1]}) == ["a: in another order, or another number of times"]


def test_one_ulp_in_a_fitted_value_is_named(houses_record: Record, copy: Record) -> None:
    nudge_fitted_value(copy.folder / FITTED_STATE, 'yeo_johnson.lambda_dict_["Lot.Area"]')
    first, steps = differing(houses_record, copy)["learned state"]
    assert first.startswith('first: yeo_johnson.lambda_dict_["Lot.Area"]: 0.10966')
    assert steps == "by step: yeo_johnson 1"
    assert "learned state: 1 of 2," in str(compare_records(houses_record, copy))


def test_one_ulp_in_an_intermediate_column_is_named_by_its_step(houses_record: Record, copy: Record) -> None:
    for number in (6, 8):
        edit_column(copy.evidence / f"step_{number:02}.parquet", "area", lambda column: one_ulp(column, 7))
    ((first, raw, also),) = differing(houses_record, copy).values()
    assert first.startswith("step log: column 'area', row 7: expected ")
    assert raw.startswith("raw row 7: area ")
    assert also == "also steps binarise"


def test_one_ulp_in_an_output_and_in_a_metric_are_named(houses_record: Record, copy: Record) -> None:
    edit_column(copy.evidence / "outputs.parquet", "prediction", lambda column: one_ulp(column, 0))
    edit_json(copy.folder / "metrics.json", lambda found: one_ulp(found, "rmse"))
    edit_json(copy.folder / "training.json", lambda found: found.update(rows=1))
    found = differing(houses_record, copy)
    assert list(found) == ["evidence", "metrics"]
    assert found["evidence"][0].startswith("training.rows: ")
    assert "outputs: column 'prediction', row 0: " in found["evidence"][1]
    assert "1 ULP apart" in found["evidence"][1]
    assert found["evidence"][2].startswith("raw row 0: area ")
    assert found["metrics"][0].startswith("rmse: ")


def test_statistics_that_only_one_version_kept_are_no_difference(houses_record: Record, copy: Record) -> None:
    (copy.artifact / "statistics.json").unlink()
    assert compare_records(copy, houses_record).section("artifact").same
    (copy.artifact / "statistics.json").write_bytes(b"{}")
    assert compare_records(copy, houses_record).section("artifact").differences == ("artifact/statistics.json",)


def test_sensitive_raw_values_are_not_shown(houses_record: Record, copy: Record) -> None:
    edit_json(
        copy.artifact / "row.json",
        lambda found: [column.update(sensitive=True) for column in found["columns"] if column["name"] == "Lot.Area"],
    )
    edit_column(copy.evidence / "inputs.parquet", "Lot.Area", lambda column: column.__setitem__(3, 123456))
    (line,) = compare_records(copy, houses_record).section("evidence").differences
    assert line.startswith("raw input: column 'Lot.Area', row 3: expected hidden")
    assert "123456" not in line


@pytest.mark.parametrize("sensitive", [[], ["area"]])
def test_evidence_is_compared_where_the_artifact_is_of_another_format(
    houses_record: Record, copy: Record, sensitive: list[str]
) -> None:
    edit_json(copy.artifact / "artifact.json", lambda found: found.update(format=0))
    edit_json(copy.folder / "manifest.json", lambda found: found.update(sensitive=sensitive))
    assert compare_records(copy, houses_record).section("evidence").same
    edit_column(copy.evidence / "inputs.parquet", "area", lambda column: column.__setitem__(3, 123456))
    (line,) = compare_records(copy, houses_record).section("evidence").differences
    assert line.startswith("raw input: column 'area', row 3: expected ")
    assert ("123456" in line) == (not sensitive)


def test_other_steps_are_shown_as_tables(houses_record: Record, copy: Record) -> None:
    edit_json(copy.evidence / "evidence.json", lambda found: found["steps"].remove("scale"))
    assert differing(houses_record, copy) == {"evidence": ('steps: without "scale"',)}


def test_what_a_record_lacks_is_not_compared_and_named(houses_record: Record, copy: Record) -> None:
    for name in (FITTED_STATE, "library.json", "metrics.json", "environment.json", "notebook.ipynb"):
        (copy.folder / name).unlink()
    (copy.evidence / "evidence.json").unlink()
    found = compare_records(houses_record, copy)
    assert not found.same
    assert "no difference in what both keep" in str(found)
    compared = [section.name for section in found.sections if not section.missing]
    assert compared == ["parameters", "artifact"]
    assert f"learned state: not compared: {copy.reference} keeps no learned.parquet" in str(found)
    assert not found.section("metrics").same


def test_long_lists_of_differences_are_cut_in_text_and_whole_in_json(houses_record: Record, copy: Record) -> None:
    edit_json(copy.folder / "metrics.json", lambda found: found.update({str(number): 1.0 for number in range(20)}))
    found = compare_records(houses_record, copy)
    assert "metrics: 20 of 25 differ" in str(found)
    assert "  … 12 more" in str(found)
    assert len(found.to_json()["sections"]["metrics"]["differences"]) == 20


def test_values_of_other_types_differ() -> None:
    assert changed_values({"a": 1, "b": {"c": None}}, {"a": 1.0, "b": {"c": None}}) == ["a: 1 → 1.0"]
    assert changed_values({"a": 1}, {"b": {}}) == ["a: 1 → absent", "b: absent → {}"]
    assert changed_values({"a": True}, {"a": 1}) == ["a: true → 1"]


def test_an_injected_cell_counts_on_request() -> None:
    cell = {"cell_type": "code", "metadata": {"tags": ["injected-parameters"]}, "source": "seed = 0", "outputs": []}
    old, new = ({"cells": [{**cell, "id": name, "source": f"seed = {name}"}]} for name in "12")
    assert changed_code(notebook_code(old), notebook_code(new)) == []
    assert changed_code(notebook_code(old, injected=True), notebook_code(new, injected=True)) == [
        "cell 1 (id 1): `seed = 1` → `seed = 2`"
    ]


def test_new_and_removed_cells_are_shown() -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": "x = 1\ny = 2", "outputs": []}
    injected = {**cell, "id": "p", "metadata": {"tags": ["injected-parameters"]}}
    old, new = ({"cells": [{**cell, "id": name}, injected]} for name in "ab")
    changed = changed_code(notebook_code(old, "n.ipynb"), notebook_code(new, "n.ipynb"))
    assert changed == ["n.ipynb: cell 1 (id a): `x = 1` → absent", "n.ipynb: cell 1 (id b): absent → `x = 1`"]
    other = {"cells": [{**cell, "id": "a", "source": "x = 2\ny = 3"}]}
    assert changed_code(notebook_code(old), notebook_code(other)) == [
        "cell 1 (id a): `x = 1` → `x = 2` (2 lines differ)"
    ]


def test_the_command_ends_with_1_when_something_differs(houses_record: Record, copy: Record) -> None:
    words = ["diff", str(houses_record.folder), str(copy.folder)]
    assert CliRunner().invoke(cli.commands, words).exit_code == 0
    edit_json(copy.folder / "params.json", lambda found: found.update(seed=1))
    result = CliRunner().invoke(cli.commands, words)
    assert result.exit_code == 1
    assert "parameters: 1 of 9 differ\n  seed: 0 → 1\n" in result.output
    found = json.loads(CliRunner().invoke(cli.commands, [*words, "--json"]).output)
    assert found["sections"]["parameters"]["differences"] == ["seed: 0 → 1"]
    assert found["same"] is False
