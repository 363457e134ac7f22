"""What `fetch` refuses before it asks an address."""

from pathlib import Path

import pytest

from pipeline_lib import InputError, fetch

EXPECTED = "expected an address with its scheme, such as https://example.org/prices.csv, or a connection's name"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Path("data/prices.csv"), "expected an address or a connection's name as text; read a file of the project by "
         "data_path('data/prices.csv')"),
        (Path("https://example.org/a.csv"), "since a path has lost a slash of the address, expected an address or a "
         "connection's name as text; pass it as text"),
        (None, "fetch: found None, expected an address or a connection's name as text"),
        ("data/prices.csv", f"fetch: found 'data/prices.csv', {EXPECTED}"),
        ("www.example.org/a.csv", f"fetch: found 'www.example.org/a.csv', {EXPECTED}"),
        ("https:/example.org/a.csv", f"fetch: found 'https:/example.org/a.csv', {EXPECTED}"),
        ("", f"fetch: found '', {EXPECTED}"),
        ("htps://example.org/a", "fetch: htps://example.org/a: found the scheme 'htps', expected https, http or one of "
         "fsspec's; did you mean https://?"),
        ("file:///etc/hosts", "fetch: found the file 'file:///etc/hosts', expected an address"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(source: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        fetch(source)
    assert message in str(caught.value)


def test_a_connection_s_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPELINE_LIB_URL_SHOP_2", raising=False)
    with pytest.raises(InputError, match="found no connection 'shop_2'"):
        fetch("shop_2")
