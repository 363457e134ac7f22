"""A context that contradicts itself is refused where it is declared."""

from datetime import timedelta
from typing import Any

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.rows.context import Context

pytestmark = pytest.mark.core

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rows": 0}, "found rows=0, expected a whole number from 1 on"),
        ({"rows": True}, "found rows=True"),
        ({"rows": 1, "every": DAY}, "found every= without time="),
        ({"rows": 1, "time": "day", "every": -DAY}, "expected a positive timedelta"),
        ({"rows": 1, "time": "day", "every": 0}, "found every=0"),
        ({"rows": 1, "time": "day", "every": "1D"}, "found every='1D'"),
        ({"rows": 1, "time": "day", "feeds": "sold"}, "found feeds= without every="),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(values: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Context(**values)
