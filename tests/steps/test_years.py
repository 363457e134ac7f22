"""Years that become ages."""

import pytest
from sales import NAN, elapsed, sales

from pipeline_lib.errors import InputError


def test_age_is_the_reference_minus_the_year_and_never_negative() -> None:
    ages = elapsed().fit_transform(sales())
    assert ages["built"].to_list() == [20.0, 0.0]
    assert ages.loc[3, "garage"] == 0.0


def test_a_missing_year_or_reference_stays_missing() -> None:
    frame = sales().assign(sold=[2010, NAN])
    ages = elapsed().fit_transform(frame)
    assert ages.isna().to_numpy().tolist() == [[False, True, False], [True, True, False]]


@pytest.mark.parametrize("dtype", ["int64", "int32", "float64", "float32", "Int64"])
def test_any_numeric_type_gives_float64(dtype: str) -> None:
    ages = elapsed(columns=["built"]).fit_transform(sales().astype({"built": dtype, "sold": dtype}))
    assert ages["built"].dtype == "float64"
    assert ages["built"].to_list() == [20.0, 0.0]


def test_the_reference_is_kept_on_request() -> None:
    assert list(elapsed().fit_transform(sales())) == ["built", "garage", "kitchen"]
    assert list(elapsed(drop_reference=False).fit_transform(sales())) == list(sales())


def test_years_as_text_are_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match=r"found str in column 'built'.*X\.astype"):
        elapsed().fit(sales().astype({"built": "str"}))
