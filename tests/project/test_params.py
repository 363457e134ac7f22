"""Every problem in parameters is named with its place; what is accepted survives the way to the notebook."""

import datetime
import enum
import json
import math
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, Field, Secret, SecretBytes, SecretStr, field_validator, model_validator
from pydantic import BaseModel as PlainModel

from pipeline_lib.errors import InputError
from pipeline_lib.project.params import params_from_values, params_to_json, read_params
from pipeline_lib.project.params_file import MAX_BYTES
from pipeline_lib.project.params_model import BaseParams, check_model

pytestmark = pytest.mark.core


class Estimator(BaseParams):
    alpha: float = 0.001
    steps: int = 3


class Params(BaseParams):
    test_share: float = Field(0.1, gt=0, lt=1)
    seed: int = 0
    label: str | None = None
    columns: list[str] = Field([])
    layers: list[Estimator] = Field([])
    estimator: Estimator = Estimator(steps=7)


class Required(BaseParams):
    share: float
    inner: "RequiredInner"


class RequiredInner(BaseParams):
    one: int
    two: int


def read(folder: Path, text: str | bytes, model: type[BaseParams] = Params, *sets: str) -> Any:
    path = folder / "p.yml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_params(path, model, overrides=sets, shown="params/p.yml")


def refusal(folder: Path, text: str | bytes, model: type[BaseParams] = Params, *sets: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, text, model, *sets)
    return str(caught.value).split("\n")


def test_text_gets_the_types_of_the_model(tmp_path: Path) -> None:
    text = "# why\ntest_share: 0.2\nseed: 3\nlabel: 'null'\ncolumns:\n- a\n- '2'\nestimator:\n  alpha: 1e-3\n"
    params = read(tmp_path, text)
    assert params == Params(test_share=0.2, seed=3, label="null", columns=["a", "2"], estimator=Estimator(alpha=0.001))
    assert type(params.seed) is int


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("null", None),
        ("'null'", "null"),
        ('"null"', "null"),
        ("~", "~"),
        ("Null", "Null"),
        ("", ""),
        ("no", "no"),
    ],
)
def test_only_a_plain_null_is_none(tmp_path: Path, text: str, label: str | None) -> None:
    assert read(tmp_path, f"label: {text}\n").label == label


@pytest.mark.parametrize(
    "text",
    [">\n  x\n  y\n\n  z", "|-\n  q\n  r", "'x\n\n  y'", '"x\\\n  y"', ">+\n  x\n\n", "a\n  b", "|2\n   x\n"],
)
def test_text_is_what_strictyaml_reads(tmp_path: Path, text: str) -> None:
    import strictyaml

    assert read(tmp_path, f"label: {text}\n").label == strictyaml.load(f"label: {text}\n").data["label"]


def test_line_numbers_hold_after_comments_in_groups_and_lists(tmp_path: Path) -> None:
    text = (
        "# one\n"
        "seed: x  # two\n"
        "\n"
        "# four\n"
        "columns:\n"
        "# six\n"
        "- a\n"
        "layers:\n"
        "# nine\n"
        "- alpha: 1\n"
        "# eleven\n"
        "- steps: y\n"
        "  alpha: z\n"
        "estimator:\n"
        "  # fifteen\n"
        "  alpha: abc\n"
    )
    assert refusal(tmp_path, text) == [
        "params/p.yml:2: seed: found 'x', expected a valid integer",
        "params/p.yml:12: layers.1.steps: found 'y', expected a valid integer",
        "params/p.yml:13: layers.1.alpha: found 'z', expected a valid number",
        "params/p.yml:16: estimator.alpha: found 'abc', expected a valid number",
    ]
    shifted = text.replace("# one\n", "# one\n# more\n")
    assert [line.split(":")[1] for line in refusal(tmp_path, shifted)] == ["3", "13", "14", "17"]


def test_unknown_keys_are_named_with_the_nearest_known_one(tmp_path: Path) -> None:
    text = "# c\nseed: 1\ntest_shar: 0.2\nestimator:\n  alfa: 1\nlayers:\n- stepz: 1\nqqq: 1\n"
    lines = refusal(tmp_path, text)
    assert lines[0] == "params/p.yml:3: test_shar: unknown key, did you mean test_share? rename or remove it"
    assert lines[1] == "params/p.yml:5: estimator.alfa: unknown key, did you mean alpha? rename or remove it"
    assert lines[2] == "params/p.yml:7: layers.0.stepz: unknown key, did you mean steps? rename or remove it"
    assert lines[3].startswith("params/p.yml:8: qqq: unknown key, expected one of: test_share, seed,")


def test_missing_keys_name_the_line_of_their_group(tmp_path: Path) -> None:
    assert refusal(tmp_path, "# c\n\ninner:\n  one: 1\n", Required) == [
        "params/p.yml:3: share: missing key, expected a value; add it",
        "params/p.yml:3: inner.two: missing key, expected a value; add it",
    ]


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("test_share: 1.5", "found '1.5'", "expected a value less than 1"),
        ("test_share: nan", "found 'nan'", "expected a finite number"),
        ("test_share: inf", "found 'inf'", "expected a finite number"),
        ("test_share: -1e400", "found '-1e400'", "expected a finite number"),
        ("test_share:", "found ''", "expected a valid number"),
        ("test_share: null", "found null", "expected a valid number"),
        ("seed: 1.5", "found '1.5'", "expected a valid integer"),
        ("seed: " + "9" * 5000, "found '999", "a whole number of fewer digits"),
        ("columns: a", "found 'a'", "expected a list"),
        ("estimator: a", "found 'a'", "expected a group of keys"),
        ("estimator:\n- a", "found ['a']", "expected a group of keys"),
        ("label:\n  a: 1", "found a group of keys", "expected a valid string"),
    ],
)
def test_a_wrong_value_is_shown_with_what_was_expected(tmp_path: Path, text: str, found: str, expected: str) -> None:
    (line,) = refusal(tmp_path, text)
    assert line.startswith(f"params/p.yml:1: {text.split(':')[0]}: ")
    assert found in line
    assert expected in line
    assert len(line) < 200


UNREADABLE = {
    b"": (1, "an empty file"),
    b"# only\n": (1, "an empty file"),
    b"seed: 1\na: \0\n": (2, "'\\x00'"),
    b"seed: \x07\n": (1, "'\\x07'"),
    b"seed: 1\n\xff: 2\n": (2, "byte 0xff at offset 8"),
    "seed: \ufffe\n".encode(): (1, "'\\ufffe'"),
    b"# c\n- 1\n": (2, "a sequence"),
    b"abc\n": (1, "a scalar"),
    b"'abc'\n": (1, "a scalar"),
    b"seed:\n\tb: 1\n": (2, "character '\\t'"),
    b"seed: 1\nlabel: 'x\n": (2, "unexpected end of stream in quoted text"),
    b'label: "\\q"\n': (1, "unknown escape character"),
    b"columns: [1]\n": (1, "brackets"),
    b"estimator: {}\n": (1, "brackets"),
    b"# c\nseed: &x 1\n": (2, "an anchor"),
    b"seed: *x\n": (1, "undefined alias"),
    b"seed: !!int 3\n": (1, "a tag"),
    b"seed: 1\n\nseed: 2\n": (3, "seed: found the key again (first in line 1)"),
    b"seed: 1\n'seed': 2\n": (2, "seed: found the key again"),
    b"estimator:\n  alpha: 1\n  alpha: 2\n": (3, "estimator.alpha: found the key again"),
    b"seed: 1\n---\nlabel: a\n": (2, ": found another document"),
    b"%YAML 9.9\n---\nseed: 1\n": (1, "incompatible"),
    b"seed: 1\n  label: 2\n": (2, "mapping values"),
    b"seed: %\n": (1, "character '%'"),
    b"seed: @x\n": (1, "character '@'"),
    b"? - a\n: b\n": (1, "a list or group as a key"),
    b"<<:\n  seed: 1\n": (1, "<<: unknown key"),
    b": 3\n": (1, "unknown key"),
    b"seed: 1\n" + b"- " * 4000 + b"1\n": (2, "found expected <block end>"),
    b"seed: 1\nlabel:\n " + b"- " * 4000 + b"1\n": (3, "nested too deep"),
    b"label: " + b"[" * 8000: (1, "brackets"),
    b"? " * 4000 + b"\n": (1, "nested too deep"),
    b"seed: " + b"1" * MAX_BYTES: (1, f"more than {MAX_BYTES} bytes"),
}


@pytest.mark.parametrize("content", UNREADABLE, ids=lambda content: repr(content[:20]))
def test_no_content_of_a_file_escapes_the_error(tmp_path: Path, content: bytes) -> None:
    line, found = UNREADABLE[content]
    message = refusal(tmp_path, content)[0]
    assert message.startswith(f"params/p.yml:{line}: ")
    assert found in message
    assert "expected" in message


def test_every_single_byte_of_a_good_file_may_go_wrong(tmp_path: Path) -> None:
    good = b"# c\nseed: 1\ncolumns:\n- 'a'\nestimator:\n  alpha: 1\n"
    for place in range(0, len(good), 2):
        for byte in b"\0\t\n\r\"'#&*-:>?[]{|}!%@`\x85\xc3\xff ":
            try:
                read(tmp_path, good[:place] + bytes([byte]) + good[place + 1 :])
            except InputError as error:
                assert str(error).startswith("params/p.yml:")  # noqa: PT017  either outcome is right


@pytest.mark.parametrize("prefix", ["\ufeff", "---\n", "%YAML 1.2\n---\n", "\r\n", "# c\r"])
def test_usual_beginnings_of_a_file_are_accepted(tmp_path: Path, prefix: str) -> None:
    assert read(tmp_path, prefix + "seed: 5\n").seed == 5


def test_a_carriage_return_ends_a_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, "label: a\rcolumns:\r- a\r\nseed: x\r")[0].startswith("params/p.yml:4: seed")


def test_the_largest_files_are_read_at_the_parsers_own_pace(tmp_path: Path) -> None:
    """Twice the lines may cost little more than twice the time; strictyaml.load needs four times as much."""

    def seconds(lines: int) -> float:
        start = time.perf_counter()
        read(tmp_path, "columns:\n" + "- 1\n" * lines)
        return time.perf_counter() - start

    seconds(100)  # imports
    assert min(seconds(4000) for _ in range(3)) < 3 * min(seconds(2000) for _ in range(3))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path, found in [
        (tmp_path, "a folder"),
        (tmp_path / "none.yml", "no such file"),
        (Path(os.devnull), "a folder or device"),
        (tmp_path / "\0", "embedded null byte"),
    ]:
        with pytest.raises(InputError, match=f"^shown: found {found}"):
            read_params(path, Params, shown="shown")


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


def test_an_overridden_value_is_no_longer_the_files(tmp_path: Path) -> None:
    assert read(tmp_path, "seed: x\n", Params, "seed=1").seed == 1
    (line,) = refusal(tmp_path, "estimator:\n  alpha: x\n", Params, 'estimator={"alpha": "y"}')
    assert line.startswith("params/p.yml:1: --set")  # the line whose value it takes the place of


def test_branches_of_a_union_are_one_problem(tmp_path: Path) -> None:
    class Either(BaseParams):
        limit: int | float | list[int] = 1

    assert refusal(tmp_path, "limit: x\n", Either) == [
        "params/p.yml:1: limit: found 'x', expected a valid integer or a valid number or a list"
    ]


def test_validators_speak_through_the_same_message(tmp_path: Path) -> None:
    class Checked(BaseParams):
        low: int = 0
        high: int = 1

        @field_validator("low")
        @classmethod
        def _even(cls, value: int) -> int:
            if value % 2:
                raise ValueError("an even number")
            return value // (value - 4)

        @model_validator(mode="after")
        def _ordered(self) -> "Checked":
            if self.low > self.high:
                raise ValueError("low <= high")
            return self

    assert refusal(tmp_path, "# c\nlow: 3\n", Checked) == ["params/p.yml:2: low: found '3', expected an even number"]
    assert refusal(tmp_path, "# c\nlow: 6\nhigh: 1\n", Checked) == [
        "params/p.yml:2: found a group of keys, expected low <= high"
    ]
    (line,) = refusal(tmp_path, "# c\nlow: 4\n", Checked)
    assert "ZeroDivisionError" in line
    assert "correct the validator" in line


def test_values_of_a_notebook_are_checked_with_the_same_messages() -> None:
    assert params_from_values({"seed": "3", "estimator": {"alpha": 1}}, Params, "cell") == Params(
        seed=3, estimator=Estimator(alpha=1)
    )
    with pytest.raises(InputError) as caught:
        params_from_values({"seed": "x", "estimator": {"alfa": 1}, "test_share": math.nan}, Params, "cell 2")
    assert str(caught.value).split("\n") == [
        "cell 2: test_share: found nan, expected a finite number",
        "cell 2: seed: found 'x', expected a valid integer",
        "cell 2: estimator.alfa: unknown key, did you mean alpha? rename or remove it",
    ]


def test_parameters_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Params().seed = 1


class Level(enum.IntEnum):
    LOW = 1


class Carried(BaseParams):
    whole: int = 0
    real: float = 0.0
    flag: bool = False
    text: str = ""
    day: datetime.date | None = None
    pair: tuple[int, str] | None = None
    by_number: dict[int, float] = Field({})
    level: Level = Level.LOW
    either: int | float = 0
    choice: Literal["a", "b"] | None = None
    inner: Estimator = Estimator()


@pytest.mark.parametrize(
    "values",
    [
        {"whole": 2**80, "real": -0.0, "text": 'q"\\\n\u2028é😀', "flag": True},
        {"real": 5e-324, "either": 1.0, "pair": (1, "x"), "day": datetime.date(2020, 2, 29)},
        {"real": 0.1 + 0.2, "by_number": {2: 1, 1: 2}, "choice": "a", "inner": {"alpha": 1e22}},
        {"real": 1e308, "either": 2, "text": "null", "level": 1},
    ],
)
def test_what_travels_is_read_back_equal(values: dict[str, Any]) -> None:
    params = Carried(**values)
    sent = json.loads(json.dumps(params_to_json(params), allow_nan=False))
    assert repr(params_from_values(sent, Carried, "cell")) == repr(params)


@pytest.mark.parametrize(
    "value",
    [(1, 2), {1: 2}, datetime.date(2020, 1, 1), {"a": (1,)}, [b"x"], math.nan, "\ud800", object(), {1, 2}],
)
def test_what_would_change_on_the_way_is_refused_by_name(value: object) -> None:
    class Loose(BaseParams):
        fine: int = 1
        loose: Any = None

    with pytest.raises(InputError, match=r"^loose(\.a|\.0)?: found .*expected"):
        params_to_json(Loose(loose=value))
    assert params_to_json(Loose(loose={"a": [1, None, "x", 0.5, True]}))["fine"] == 1


@pytest.mark.parametrize("value", [1.0, 0.0])  # -0.0 equals 0.0, but is another number
def test_a_validator_that_changes_its_own_result_is_refused(value: float) -> None:
    class Turning(BaseParams):
        turned: Annotated[float, AfterValidator(lambda value: -value)] = 0.0

    with pytest.raises(InputError, match=r"^turned: found -"):
        params_to_json(Turning(turned=value))


def test_a_field_left_out_of_the_dump_is_refused() -> None:
    class Hidden(BaseParams):
        shown: int = 1
        hidden: int = Field(2, exclude=True)

    with pytest.raises(InputError, match="hidden"):
        params_to_json(Hidden(hidden=3))


def test_a_good_model_is_returned() -> None:
    for model in (Params, Carried, Required, Estimator):
        assert check_model(model, "Params") is model


def test_models_that_cannot_hold_parameters_are_refused() -> None:
    class Open(PlainModel):
        a: int = 1

    class Inner(BaseParams):
        token: SecretStr | None = None

    class Bad(BaseParams, extra="ignore"):
        one: list[SecretStr] = Field([])
        two: dict[str, SecretBytes | None] = Field({})
        three: Inner = Inner()
        four: Annotated[Open | None, "x"] = None
        five: set[str] = Field(set())
        six: Literal[1, 2] = 1
        seven: int = Field(1, alias="Seven")
        eight: Secret[int] | None = None

    with pytest.raises(InputError) as caught:
        check_model(Bad, "houses: Params")
    lines = str(caught.value).split("\n")
    for name, part in {
        "Params: found extra='ignore'": "expected 'forbid'",
        "Params.one": "environment variable",
        "Params.two": "environment variable",
        "Params.three.token": "environment variable",
        "Params.four": "subclasses of pipeline_lib.BaseParams",
        "Params.five": "expected list or tuple",
        "Params.six": "IntEnum",
        "Params.seven": "alias",
        "Params.eight": "environment variable",
    }.items():
        assert [line for line in lines if line.startswith(f"houses: {name}") and part in line], (name, lines)
    assert len(lines) == 9
    for model in (Open, int, "Params"):
        with pytest.raises(InputError, match="expected a subclass of"):
            check_model(model, "houses: Params")  # type: ignore[arg-type]


def test_importing_parameters_leaves_strictyaml_alone() -> None:
    code = "import sys, pipeline_lib.project.params; assert 'strictyaml' not in sys.modules; import strictyaml"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603  our own code
