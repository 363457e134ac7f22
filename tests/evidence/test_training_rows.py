"""A record says which rows its model was fitted on, by keyed hashes; where it cannot, it says what to do."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.evidence import training_rows
from pipeline_lib.evidence.training_rows import SeenRows, key_id, seen_rows, write_training_rows
from pipeline_lib.records.layout import TRAINING_ROWS
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema

KEY = "abcdefghijklmnop"
CUSTOMER = Column("customer", "integer", nullable=True, entity=True)
AGE, CITY = Column("age", "number", nullable=True), Column("city", "string", nullable=True)
ROW = RowSchema((CUSTOMER, AGE, CITY))
TRAINED = [
    {"customer": 1, "age": 30.0, "city": "Köln"},
    {"customer": 2, "age": None, "city": "Bonn"},
    {"customer": None, "age": 0.0, "city": None},
]
Trained = Callable[..., Record]


@pytest.fixture
def trained(tmp_path: Path) -> Trained:
    """A sealed record whose model was fitted on some rows."""

    def made(rows: Any = TRAINED, row: RowSchema = ROW, key: str = KEY) -> Record:
        record = create_record(tmp_path, "shop")
        write_training_rows(record.folder / TRAINING_ROWS, conform(rows, row), row, key)
        seal(record, {"status": "finished", "reference": record.reference})
        return record

    return made


def seen(record: Record, rows: list[dict[str, Any]], row: RowSchema = ROW, key: str = KEY) -> SeenRows:
    return seen_rows(record, conform(rows, row), row, key)


def refusal(record: Record, rows: list[dict[str, Any]] = TRAINED, row: RowSchema = ROW, key: str = KEY) -> str:
    with pytest.raises(InputError) as caught:
        seen(record, rows, row, key)
    message = str(caught.value)
    assert message.startswith(f"cannot tell whether {record.reference} has seen these rows: found ")
    assert message.endswith("on fresh labelled rows: --on FILE")
    return message


def test_training_rows_are_seen_and_others_are_not(trained: Trained) -> None:
    rows = [
        *TRAINED,
        {"customer": 3, "age": 30.0, "city": "Köln"},  # as the first, but of another customer
        {"customer": 1, "age": 31.0, "city": "Köln"},  # the same customer a year later
        {"customer": None, "age": 0.0, "city": "Bonn"},
        {"customer": None, "age": -0.0, "city": None},
    ]
    found = seen(trained(), rows)
    assert found.rows.tolist() == [True, True, True, False, False, False, True]
    assert found.entities.tolist() == [True, True, False, False, True, False, False]
    assert found.any.tolist() == [True, True, True, False, True, False, True]
    assert found.columns == ("customer", "age", "city")


def test_no_rows_are_not_seen(trained: Trained) -> None:
    assert seen(trained(), []).any.tolist() == []
    empty = seen(trained([]), TRAINED)
    assert empty.any.tolist() == [False] * 3
    assert empty.columns == ROW.names


def test_a_row_without_an_entity_is_compared_as_a_whole(trained: Trained) -> None:
    row = RowSchema((AGE, CITY))
    found = seen(trained(row=row), [TRAINED[0], {"age": 30.0, "city": "Bonn"}], row)
    assert (found.rows.tolist(), found.entities.tolist()) == ([True, False], [False, False])


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        (RowSchema((CUSTOMER, AGE)), ("customer", "age")),
        (RowSchema((CITY, AGE, CUSTOMER)), ("city", "age", "customer")),
        (RowSchema((CUSTOMER, AGE, CITY, Column("new", "string", required=False, nullable=True))), ROW.names),
        (RowSchema((CUSTOMER, Column("age", "integer", nullable=True), CITY)), ROW.names),
        (RowSchema((CUSTOMER, Column("age", "string", required=False, nullable=True), CITY)), ("customer", "city")),
        (RowSchema((Column("customer", "number", nullable=True, entity=True), CITY)), ("customer", "city")),
    ],
)
def test_rows_are_compared_over_the_columns_that_both_sides_have(
    trained: Trained, row: RowSchema, columns: tuple[str, ...]
) -> None:
    same = [{name: values[name] for name in row.names if name in values} for values in TRAINED]
    if row.by_name.get("age", AGE).kind == "string":
        same = [{**values, "age": "thirty"} for values in same]
    found = seen(trained(), [*same, {**same[0], "city": "Mainz", "customer": 9}], row)
    assert found.columns == columns
    assert found.rows.tolist() == [True, True, True, "city" not in columns and "customer" not in columns]
    assert found.entities.tolist() == [True, True, False, False]


def test_an_entity_that_only_one_side_marks_is_compared(trained: Trained) -> None:
    plain = RowSchema((Column("customer", "integer", nullable=True), AGE, CITY))
    later = [{**TRAINED[0], "age": 31.0}]
    for old, new in ((ROW, plain), (plain, ROW)):
        assert seen(trained(row=old), later, new).entities.tolist() == [True]
    assert seen(trained(row=plain), later, plain).entities.tolist() == [False]


def test_a_record_that_knows_nothing_of_the_entity_cannot_tell(trained: Trained) -> None:
    record = trained(row=RowSchema((AGE, CITY)))
    assert "no hashes of customer, whose rows these are" in refusal(record)


def test_a_record_that_shares_no_column_cannot_tell(trained: Trained) -> None:
    row = RowSchema((Column("size", "number"),))
    assert "no column that its training rows and these rows share" in refusal(trained(), [{"size": 1.0}], row)


def test_without_the_key_a_record_cannot_tell(trained: Trained) -> None:
    message = refusal(trained(), key="ponmlkjihgfedcba")
    assert (
        "found hashes of its training rows under another key, expected those under `row_key` of settings.ini" in message
    )
    assert KEY not in message
    assert seen(trained(key="ponmlkjihgfedcba"), TRAINED, key="ponmlkjihgfedcba").rows.all()


def test_a_record_without_hashes_cannot_tell(tmp_path: Path) -> None:
    record = create_record(tmp_path, "shop")
    seal(record, {"status": "finished", "reference": record.reference})
    assert "found no hashes of its training rows, expected training_rows.parquet" in refusal(record)


@pytest.mark.parametrize("damage", ["", "no parquet", "table", "format"])
def test_a_damaged_file_cannot_tell(tmp_path: Path, damage: str) -> None:
    record = create_record(tmp_path, "shop")
    path = record.folder / TRAINING_ROWS
    if damage in ("table", "format"):
        metadata = {b"training_rows": json.dumps({"format": 2}).encode()} if damage == "format" else None
        pq.write_table(pa.table({"row": pa.array([1], pa.uint64())}).replace_schema_metadata(metadata), path)
    else:
        path.write_bytes(damage.encode())
    seal(record, {"status": "finished", "reference": record.reference})
    message = refusal(record)
    assert "a training_rows.parquet that cannot be read" in message
    assert ("format 2" in message) == (damage == "format")


def test_a_sensitive_column_has_no_hashes_of_its_own_and_counts_in_the_row(trained: Trained) -> None:
    row = RowSchema((CUSTOMER, AGE, Column("city", "string", nullable=True, sensitive=True)))
    record = trained(row=row)
    assert pq.read_schema(record.folder / TRAINING_ROWS).names == ["row", "column/customer", "column/age"]
    content = (record.folder / TRAINING_ROWS).read_bytes()
    kept = pq.read_table(record.folder / TRAINING_ROWS).to_pydict()
    moved = [{**values, "city": "Mainz"} for values in TRAINED]
    assert seen(record, [*TRAINED, *moved], row).rows.tolist() == [True] * 3 + [False] * 3
    assert not any(name.encode() in content for name in ("Köln", "Bonn", "Mainz", KEY))
    cities = pq.read_table(trained().folder / TRAINING_ROWS).column("column/city").to_pylist()[:2]
    assert not set(cities) & {value for values in kept.values() for value in values}
    narrow = RowSchema((AGE, row.columns[2]))
    found = seen(record, [{"age": 30.0, "city": "Mainz"}], narrow)
    assert (found.rows.tolist(), found.columns) == ([True], ("age",))


def test_a_sensitive_entity_is_kept_as_entity_alone(trained: Trained) -> None:
    row = RowSchema((Column("customer", "integer", nullable=True, entity=True, sensitive=True), AGE, CITY))
    record = trained(row=row)
    assert pq.read_schema(record.folder / TRAINING_ROWS).names == ["row", "entity", "column/age", "column/city"]
    assert seen(record, [{**TRAINED[1], "age": 5.0}], row).entities.tolist() == [True]
    wider = RowSchema((*row.columns, Column("new", "number", required=False, nullable=True)))
    found = seen(record, [{**TRAINED[0], "customer": 5}, {**TRAINED[1], "age": 5.0}], wider)
    assert (found.rows.tolist(), found.entities.tolist()) == ([True, False], [False, True])
    assert found.columns == ("age", "city")


def test_of_many_cells_hashes_of_rows_and_entities_are_kept(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_rows, "MOST_CELLS", 8)
    record = trained()
    assert pq.read_schema(record.folder / TRAINING_ROWS).names == ["row", "entity"]
    assert seen(record, [*TRAINED, {**TRAINED[0], "age": 1.0}]).any.tolist() == [True] * 4
    wider = RowSchema((*ROW.columns, Column("new", "number", required=False, nullable=True)))
    found = seen(record, TRAINED, wider)
    assert (found.columns, found.entities.tolist(), found.rows.any()) == ((), [True, True, False], False)
    plain = RowSchema((AGE, CITY))
    assert seen(trained(TRAINED * 2, plain), TRAINED, plain).rows.all()
    more = RowSchema((*plain.columns, *wider.columns[3:]))
    assert "no column that its training rows and these rows share" in refusal(
        trained(TRAINED * 2, plain), TRAINED, more
    )


def test_the_file_has_the_id_of_the_key_and_never_the_key(trained: Trained) -> None:
    path = trained().folder / TRAINING_ROWS
    metadata = json.loads(pq.read_schema(path).metadata[b"training_rows"])
    assert metadata["key"] == key_id(KEY) == "c149f6b69d15084d"
    assert KEY.encode() not in path.read_bytes()
    assert re.fullmatch("[0-9a-f]{16}", metadata["key"])


def test_of_several_tables_the_main_rows_count(trained: Trained) -> None:
    child = RowSchema((Column("customer", "integer"), Column("cents", "integer")), name="orders", key="customer")
    row = RowSchema((Column("customer", "integer"), CITY), name="customers", key="customer", children=(child,))
    tables = {"customers": [{"customer": 1, "city": "Köln"}], "orders": [{"customer": 1, "cents": 5}]}
    record = trained(tables, row)
    assert pq.read_schema(record.folder / TRAINING_ROWS).names == ["row", "column/customer", "column/city"]
    later = {"customers": [{"customer": 1, "city": "Bonn"}, {"customer": 2, "city": "Köln"}], "orders": []}
    found = seen_rows(record, conform(later, row), row, KEY)
    assert (found.rows.tolist(), found.entities.tolist()) == ([False, False], [True, False])
    same = {**tables, "orders": []}
    assert seen_rows(record, conform(same, row), row, KEY).rows.tolist() == [True]


@pytest.mark.parametrize("seed", range(12))
def test_hashes_agree_with_a_comparison_of_values(trained: Trained, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_rows, "_BLOCK", 7)  # several blocks
    draw = random.Random(seed)  # noqa: S311  not a secret
    kinds: dict[str, Callable[[], Any]] = {
        "integer": lambda: draw.randint(-1, 2),
        "number": lambda: draw.choice([0.0, -0.0, 0.5, 2.0]),
        "string": lambda: draw.choice(["", "a", "b"]),
        "boolean": lambda: draw.random() < 0.5,
    }
    columns = [Column(f"c{n}", draw.choice([*kinds]), nullable=True) for n in range(4)]
    entity = draw.randrange(4)
    marked = Column("e", "integer", nullable=True, entity=True)
    old, new = (RowSchema((*draw.sample(columns, 3), marked)) for _ in range(2))

    def rows(count: int, row: RowSchema) -> list[dict[str, Any]]:
        missing = 0.1 * (entity + 1)
        return [
            {c.name: None if draw.random() < missing else kinds[c.kind]() for c in row.columns} for _ in range(count)
        ]

    before, after = rows(draw.randint(0, 30), old), rows(25, new)
    shared = [name for name in new.names if name in old.names]
    found = seen(trained(before, old), after, new)
    assert found.columns == tuple(shared)
    keys = [tuple(values[name] for name in shared) for values in before]
    assert found.rows.tolist() == [tuple(values[name] for name in shared) in keys for values in after]
    known = {values["e"] for values in before} - {None}
    assert found.entities.tolist() == [values["e"] in known for values in after]
