"""The bucket of a text: as hashlib's digest of its UTF-8 bytes says, for columns and for one row."""

import hashlib

import pytest

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.operations.text_digests import METHODS
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_executor import row_function
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

pytestmark = pytest.mark.core

SCHEMA = RowSchema((Column("t", "string", nullable=True),))
WORDS = ["Lyon", "Łódź", "", "nan", None, "Lyon"]


@pytest.mark.parametrize("method", METHODS)
def test_the_bucket_is_the_digest_modulo_their_count(method: str) -> None:
    build = Builder()
    result = build.digest_bucket(build.input("t", "str"), method=method, buckets=7)
    plan = Plan(build.nodes, {"y": result.node})
    expected = [
        int(hashlib.new(method, str(word or "nan" * (word is None)).encode()).hexdigest(), 16) % 7 for word in WORDS
    ]
    one = row_function(plan, [result.node], SCHEMA)
    assert make_executor(plan, [result.node]).run({"t": TextColumn.of(WORDS)}, len(WORDS))[0].tolist() == expected
    assert [one({"t": word})[0] for word in WORDS] == expected


def test_there_must_be_a_bucket() -> None:
    build = Builder()
    with pytest.raises(InputError, match="found buckets=0, expected a whole number from 1 on"):
        build.digest_bucket(build.input("t", "str"), method="md5", buckets=0)
