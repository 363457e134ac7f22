"""Packages: what may be packaged, what is in one, the same bytes each time, and the proof where it is installed."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from harbours import CLEAN, FULL, commit, repository
from opaque_models import opaque, without_plan
from scored import echo, row, table
from sklearn.linear_model import LinearRegression, LogisticRegression

from pipeline_lib import Builder, compile_pipeline
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.plan import Plan, RawTable
from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.evidence.evidence import write_evidence
from pipeline_lib.evidence.training_rows import write_training_rows
from pipeline_lib.project.project import Project
from pipeline_lib.records.data_profile import profile_of
from pipeline_lib.records.layout import METRICS, PARITY, RAW_PROFILE, TRAINING, TRAINING_ROWS
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.release.contents import package_files, package_name, package_version
from pipeline_lib.release.generated_rows import generated_rows
from pipeline_lib.release.packageable import check_packageable
from pipeline_lib.release.wheel import write_wheel
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.scoring.installed import FACTS, SELF_TEST, InstalledPackage, installed_package
from pipeline_lib.system.files import canonical_json

NBDEV = '[tool.nbdev]\nlib_path = "harbour"\nnbs_path = "nbs"\nput_version_in_init = false\nupdate_pyproject = false\n'
VARIATIONS = [{"group": "rows", "variation": "one row", "verdict": "exact"}]
PARITY_RESULT = {**FULL, "rows": 3, "variations": VARIATIONS}


def proven(project: Project, model: CompiledPipeline, rows: pa.Table, pipeline: str = "boats") -> Record:
    """A finished run of committed files, exact in every variation."""
    record = create_record(project.runs, pipeline)
    model.save(record.artifact)
    write_evidence(record.evidence, model, rows, [0.0] * rows.num_rows, artifact=record.artifact)
    (record.folder / METRICS).write_bytes(canonical_json({"rmse": 1.25}))
    (record.folder / TRAINING).write_bytes(canonical_json({"rows": 40, "digest": "ab" * 32}))
    write_training_rows(record.folder / TRAINING_ROWS, conform(rows, model.row), model.row, project.row_key)
    (record.folder / RAW_PROFILE).write_bytes(canonical_json(profile_of(rows, model.row.sensitive)))
    times = {"started": "2026-01-31T10:00:00+00:00", "finished": "2026-01-31T10:00:09+00:00", "seconds": 9.0}
    facts = {"hashes": {"artifact": "cd" * 32}, "times": times, "git": CLEAN, "error": None}
    seal(record, {"status": "finished", "reference": record.reference, **facts})
    checks_folder(record).mkdir(parents=True)
    (checks_folder(record) / PARITY).write_bytes(canonical_json(PARITY_RESULT))
    return record


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = repository(tmp_path_factory.mktemp("release") / "anna")
    (made.root / "harbour").mkdir()
    (made.root / "harbour" / "__init__.py").write_text("")
    (made.root / "pyproject.toml").write_text(NBDEV)
    for folder in ("nbs", "params"):
        (made.root / folder).mkdir()
        (made.root / folder / ".gitkeep").write_text("")
    commit(made.root)
    return made


@pytest.fixture(scope="module")
def regression() -> tuple[CompiledPipeline, pa.Table]:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"size": rng.normal(size=40), "rooms": rng.integers(0, 9, 40)})
    model = compile_pipeline(LinearRegression().fit(rows, rows["size"] * 3 + rows["rooms"]), like=rows)
    return model, pa.Table.from_pandas(rows, preserve_index=False)


@pytest.fixture(scope="module")
def record(project: Project, regression: tuple[CompiledPipeline, pa.Table]) -> Record:
    return proven(project, *regression)


def install(record: Record, project: Project, folder: Path, **options: bool) -> InstalledPackage:
    """Unpack the wheel of a record, as an installer does."""
    folder.mkdir(exist_ok=True)
    files, metadata = package_files(record, project, include_rows=options.get("include_rows", False))
    wheel = write_wheel(folder, package_name(record), package_version(record), files, metadata)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return InstalledPackage(folder / "site" / package_name(record))


@pytest.fixture
def package(record: Record, project: Project, tmp_path: Path) -> InstalledPackage:
    return install(record, project, tmp_path)


def run(package: InstalledPackage, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """`python -m` of an installed package."""
    command = [sys.executable, "-m", package.folder.name, *arguments]
    return subprocess.run(  # noqa: S603
        command, cwd=package.folder.parent, capture_output=True, text=True, check=False, input=given
    )


def test_the_same_record_gives_the_same_bytes(record: Record, project: Project, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        files, metadata = package_files(record, project, include_rows=True)
        made.append(write_wheel(tmp_path / name, "boats_model", "1.0", files, metadata).read_bytes())
    assert made[0] == made[1]


def test_a_package_proves_itself_in_a_process_of_its_own(package: InstalledPackage, record: Record) -> None:
    assert package.self_test() == 100
    done = run(package, "self-test")
    assert (done.returncode, done.stdout) == (
        0,
        f"{record.reference}: 100 rows give the bits that they gave when it was packaged\n",
    )
    assert json.loads(run(package, "record").stdout)["metrics"] == {"rmse": 1.25}
    assert "size" in run(package, "schema").stdout
    assert run(package).returncode == 2


def test_rows_on_standard_input_are_answered(package: InstalledPackage, regression: Any) -> None:
    model, rows = regression
    lines = "".join(json.dumps(each) + "\n" for each in rows.slice(0, 3).to_pylist())
    done = run(package, "predict", given=lines)
    assert [float(line) for line in done.stdout.split()] == model.predict(rows).tolist()[:3]
    refused = run(package, "predict", given='{"size": "text"}\n')
    assert refused.returncode == 2
    assert "error: line 1: " in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_changed_answer_is_found_by_the_self_test(package: InstalledPackage) -> None:
    test = json.loads((package.folder / SELF_TEST).read_bytes())
    value = float.fromhex(test["expected"]["prediction"][41])
    test["expected"]["prediction"][41] = float(np.nextafter(value, np.inf)).hex()
    (package.folder / SELF_TEST).write_bytes(canonical_json(test))
    facts = json.loads((package.folder / FACTS).read_bytes())
    from pipeline_lib.system.files import sha256_file

    facts["files"][SELF_TEST] = sha256_file(package.folder / SELF_TEST)
    (package.folder / FACTS).write_bytes(canonical_json(facts))
    with pytest.raises(DifferenceError, match=r"self-test, all rows at once: prediction: found .* in row 41"):
        InstalledPackage(package.folder).self_test()


@pytest.mark.parametrize("name", [SELF_TEST, "artifact/artifact.json", "model_card.md", "__init__.py"])
def test_a_changed_missing_or_added_file_is_refused(package: InstalledPackage, name: str) -> None:
    path = package.folder / name
    content = path.read_bytes()
    path.write_bytes(content + b" ")
    with pytest.raises(DifferenceError, match="found other bytes than were packaged"):
        package.load()
    path.unlink()
    with pytest.raises(DifferenceError, match="found no such file"):
        package.load()
    path.write_bytes(content)
    package.load()
    (package.folder / "more.py").write_text("")
    with pytest.raises(DifferenceError, match="found a file that was not packaged"):
        package.load()


def test_a_package_is_found_by_name_without_running_it(
    package: InstalledPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package.folder / "__init__.py").write_text("raise SystemExit('it was run')")
    monkeypatch.syspath_prepend(str(package.folder.parent))
    found = installed_package("boats_model")
    assert found is not None
    assert found.folder == package.folder
    assert installed_package("json") is None
    assert installed_package("no_such_model") is None
    assert installed_package("runs/houses") is None


def test_what_people_and_auditors_read(package: InstalledPackage, record: Record) -> None:
    card = (package.folder / "model_card.md").read_text()
    for text in (record.reference, "Fitted on 40 raw rows", "| rmse | 1.25 |", "| size | number |", "one row"):
        assert text in card
    (materials,) = package.folder.parent.glob("*.dist-info/sboms/*.json")
    bill = json.loads(materials.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["type"] == "machine-learning-model"
    assert bill["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": "cd" * 32}]
    references = {each["bom-ref"] for each in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert all({each["ref"], *each["dependsOn"]} <= references for each in bill["dependencies"])


def test_evidence_only_where_asked_for_and_nothing_is_sensitive(
    record: Record, project: Project, tmp_path: Path
) -> None:
    assert not (install(record, project, tmp_path / "without").folder / "evidence.parquet").exists()
    package = install(record, project, tmp_path / "with", include_rows=True)
    assert (package.folder / "evidence.parquet").is_file()
    assert package.self_test() == 100


def test_hashes_of_training_rows_are_in_no_package(record: Record, project: Project) -> None:
    assert TRAINING_ROWS in record.manifest()["files"]
    hashed = pq.read_table(record.folder / TRAINING_ROWS).column("row")[0].as_py()
    for include_rows in (False, True):
        files, metadata = package_files(record, project, include_rows=include_rows)
        assert not [name for name in {**files, **metadata} if TRAINING_ROWS in name]
        content = b"".join({**files, **metadata}.values())
        assert hashed.to_bytes(8, "little") not in content
        assert project.row_key.encode() not in content


def test_no_value_of_a_sensitive_column_is_in_a_package(project: Project, tmp_path: Path) -> None:
    model = echo()
    hidden = tuple(replace(each, sensitive=each.name in ("code", "size")) for each in model.row.columns)
    rows = table([row(code="MARKER", size=12345.678), row(code="MARKER", size=12345.678)])
    record = proven(project, CompiledPipeline(model.plan, replace(model.row, columns=hidden)), rows, "hidden")
    files, metadata = package_files(record, project, include_rows=False)
    for name, content in {**files, **metadata}.items():
        assert b"MARKER" not in content, name
        assert b"12345.6" not in content, name
        assert (12345.678).hex().encode() not in content, name
    with pytest.raises(InputError, match="found the sensitive columns size, code, expected none in rows"):
        package_files(record, project, include_rows=True)


def test_generated_rows_are_the_same_for_a_seed_and_reach_edges(regression: Any) -> None:
    model, rows = regression
    profile = profile_of(rows)
    first, _ = generated_rows(model, profile, "seed", 50)
    assert first == generated_rows(model, profile, "seed", 50)[0]
    assert first != generated_rows(model, profile, "other", 50)[0]
    assert len({each["size"] for each in first}) > 30
    real = {(each["size"], each["rooms"]) for each in rows.to_pylist()}
    assert not real & {(each["size"], each["rooms"]) for each in first}


def test_a_model_that_answers_no_generated_row() -> None:
    build = Builder()
    code = build.input("code", "str")
    only = build.text_equal(code, build.value("the only one"))
    settings = {"name": "code", "where": "Places", "expected": "a place", "advice": "correct it"}
    plan = Plan(build.nodes, {"prediction": build.check(code, only, **settings).node})
    model = CompiledPipeline(plan, RowSchema((Column("code", "string"),)))
    with pytest.raises(InputError, match="found no generated row among 500 that the model answers"):
        generated_rows(model, {}, "seed", 10)


def test_rows_in_order_of_time_have_the_rows_before_them() -> None:
    build = Builder()
    day = timedelta(days=1) // timedelta(microseconds=1)
    value = build.apply("earlier", build.input("sold", "float64"), back=2)
    plan = Plan(
        build.nodes,
        {"prediction": value.node},
        tables=(RawTable(time="day", context=2, every=day),),
    )
    row_schema = RowSchema((Column("day", "datetime"), Column("sold", "number")))
    model = CompiledPipeline(plan, row_schema)
    rows, context = generated_rows(model, {}, "seed", 20)
    assert (len(rows), len(context)) == (20, 2)
    times = [each["day"] for each in (*context, *rows)]
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(times))
    assert times[0] == datetime(2024, 1, 1)


@pytest.fixture
def dirty(project: Project) -> Iterator[Path]:
    path = project.root / "new.txt"
    path.write_text("x")
    yield path
    path.unlink()


def test_a_clean_checkout_and_a_proven_record_may_be_packaged(record: Record, project: Project) -> None:
    check_packageable(record, project)


def test_files_that_are_not_committed(record: Record, project: Project, dirty: Path) -> None:
    with pytest.raises(InputError, match=r"found files that are not committed \(new.txt\)"):
        check_packageable(record, project)


@pytest.mark.parametrize(
    ("parity", "message"),
    [
        (None, "found no parity check, expected an exact one with --full"),
        ({**PARITY_RESULT, "full": False}, "found a parity check of some variations"),
        ({**PARITY_RESULT, "exact": False}, "found parity that differs"),
    ],
)
def test_a_record_that_is_not_proven(
    project: Project, regression: Any, parity: dict[str, Any] | None, message: str
) -> None:
    record = proven(project, *regression)
    path = checks_folder(record) / PARITY
    path.unlink() if parity is None else path.write_bytes(canonical_json(parity))
    with pytest.raises(InputError, match=message):
        check_packageable(record, project)


def test_a_record_that_has_changed(project: Project, regression: Any) -> None:
    record = proven(project, *regression)
    (record.folder / METRICS).write_bytes(canonical_json({"rmse": 0.5}))
    with pytest.raises(InputError, match="found other bytes than were sealed"):
        check_packageable(record, project)


def test_labels_and_probabilities_are_proven_too(project: Project, tmp_path: Path) -> None:
    rows = pd.DataFrame({"size": np.linspace(-2, 2, 30)})
    fitted = LogisticRegression().fit(rows, np.where(rows["size"] > 0.3, "yes", "no"))
    model = compile_pipeline(fitted, like=rows)
    record = proven(project, model, pa.Table.from_pandas(rows, preserve_index=False), "labels")
    package = install(record, project, tmp_path)
    test = json.loads((package.folder / SELF_TEST).read_bytes())
    assert set(test["expected"]) == {"prediction", "probability[no]", "probability[yes]"}
    assert package.self_test() == 100


@pytest.mark.parametrize(("rest", "local"), [("012345", "12345"), ("0123ab", "0123ab"), ("987654", "987654")])
def test_a_version_is_the_one_that_installers_read_from_it(tmp_path: Path, rest: str, local: str) -> None:
    from packaging.version import Version

    version = package_version(Record(tmp_path / "boats" / f"20260131T100009123-{rest}"))
    assert version == str(Version(version)) == f"2026.1.31.100009123+{local}"


def test_packages_of_opaque_steps_are_required_in_the_versions_that_load(
    project: Project, regression: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.metadata import version

    _, rows = regression
    frame = rows.to_pandas()
    without_plan(monkeypatch, "LinearRegression")
    model = opaque(LinearRegression().fit(frame, frame["size"]), frame)
    _, metadata = package_files(proven(project, model, rows, "opaque"), project, include_rows=False)
    required = f"scikit-learn=={version('scikit-learn')}"
    assert f"Requires-Dist: {required}\n" in metadata["METADATA"].decode()
    materials = json.loads(metadata["sboms/model.cdx.json"])
    assert f"pkg:pypi/{required.replace('==', '@')}" in materials["dependencies"][0]["dependsOn"]
