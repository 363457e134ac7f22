"""Connections by name: where their addresses come from, and what is refused."""

import os
import re
from pathlib import Path

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project.connections import (
    check_no_credentials,
    connection,
    connections,
    connections_file,
    passwords,
    without_credentials,
)

PASSWORD = "tulip/bulb"  # noqa: S105
URL = "postgresql://ada:tulip%2Fbulb@db.example.org:5432/shop"


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's settings folder, empty; no variable names a connection."""
    for name in list(os.environ):
        if name.startswith("PIPELINE_LIB_URL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    return tmp_path / "settings"


def write_file(text: str, mode: int = 0o600) -> None:
    path = connections_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_a_connection_comes_from_a_variable_or_the_users_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write_file(f"warehouse: {URL}\nother: sqlite:////data/x.sqlite\n")
    assert connection("warehouse").url == URL
    monkeypatch.setenv("PIPELINE_LIB_URL_WAREHOUSE", "sqlite:////mine.sqlite")
    assert connection("warehouse").url == "sqlite:////mine.sqlite"
    assert sorted(connections()) == ["other", "warehouse"]


def test_neither_its_text_nor_what_is_shown_has_the_password() -> None:
    write_file(f"warehouse: {URL}\n")
    found = connection("warehouse")
    assert found.shown == "postgresql://db.example.org:5432/shop"
    assert "tulip" not in f"{found!r}{found}{found.shown}"


def test_an_unknown_connection_names_the_known_ones() -> None:
    write_file(f"warehouse: {URL}\n")
    with pytest.raises(InputError) as caught:
        connection("warehouze")
    text = str(caught.value)
    assert "found no connection 'warehouze', expected one of: warehouse; set PIPELINE_LIB_URL_WAREHOUZE" in text
    assert "tulip" not in text


@pytest.mark.parametrize("name", ["Ware House", "1x", "", "../x", "ä"])
def test_a_name_is_a_plain_word(name: str) -> None:
    with pytest.raises(InputError, match="expected a name of lower-case letters"):
        connection(name)


@pytest.mark.parametrize(("file", "scheme"), [("Shop-2.db", "sqlite"), ("shop_2.duckdb", "duckdb")])
def test_a_database_file_in_place_of_a_name_is_refused_with_a_way_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, scheme: str
) -> None:
    path = tmp_path / file
    path.touch()
    with pytest.raises(InputError) as caught:
        connection(str(path))
    found = re.search(r"; export (\w+)=(\S+), then name it (\w+)$", str(caught.value))
    assert found, str(caught.value)
    monkeypatch.setenv(found[1], found[2])
    assert connection(found[3]).url == f"{scheme}:///{path}"
    path.unlink()
    with pytest.raises(InputError, match="; rename it"):
        connection(str(path))


def test_an_address_in_place_of_a_name_is_refused_without_being_shown() -> None:
    with pytest.raises(InputError, match="found an address in place of a connection's name") as caught:
        connection(URL)
    assert "tulip" not in str(caught.value)


def test_an_address_without_a_scheme_is_refused() -> None:
    write_file("warehouse: db.example.org/shop\n")
    with pytest.raises(InputError, match="found the connection 'warehouse' without a scheme"):
        connection("warehouse")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_file_that_others_may_read_is_refused(mode: int) -> None:
    write_file(f"warehouse: {URL}\n", mode)
    with pytest.raises(InputError, match=rf"found mode {mode:o}, expected 600.*chmod 600"):
        connection("warehouse")


@pytest.mark.parametrize("text", [f"- {URL}\n", f"a: b: {URL}\n", f"a:\n  b: {URL}\n", f"{URL}\n", "\x00\n"])
def test_a_damaged_file_is_named_and_not_quoted(text: str) -> None:
    write_file(text)
    with pytest.raises(InputError, match="expected them in YAML; correct the file") as caught:
        connection("warehouse")
    assert "tulip" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_without_a_file_there_is_no_connection() -> None:
    assert connections() == {}


def test_the_passwords_of_an_address_are_those_of_its_options_too() -> None:
    assert list(passwords(URL)) == ["tulip%2Fbulb", PASSWORD]
    assert list(passwords("https://h/x?sig=abc%2B&page=2")) == ["abc%2B", "abc+"]
    assert list(passwords("sqlite:////x.sqlite")) == []
    assert list(passwords("http://[broken")) == []


def test_an_address_is_shown_without_credentials() -> None:
    assert without_credentials("https://a:b@c@host/x?token=1#y") == "https://host/x"
    assert without_credentials("sqlite:////x.sqlite") == "sqlite:////x.sqlite"


@pytest.mark.parametrize(
    "text", [URL, f'url = "{URL}"', f"# {URL}", "a\nb\nredis://:tulip/x@h", "mysql+pymysql://a:pa$$word@h/x"]
)
def test_an_address_with_a_password_in_the_project_is_refused(text: str) -> None:
    text = text.replace("tulip/x", "tulip")
    with pytest.raises(InputError, match=r"params/x\.yml: line \d: found the address .* with a password") as caught:
        check_no_credentials({"settings.ini": "", "params/x.yml": text})
    assert "tulip" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://USER:$PASSWORD@host/x",
        'f"postgresql://{user}:{password}@{host}/x"',
        "postgresql://user:<password>@host",
        "postgresql://user:***@host",
        "https://example.org:8080/@name",
        "https://ada@example.org/x",
        "see https://example.org: write to ada@example.org",
    ],
)
def test_placeholders_and_addresses_without_a_password_are_not(text: str) -> None:
    check_no_credentials({"params/x.yml": text})


def test_the_remedy_can_be_pasted_into_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for home, folder in ((tmp_path, "~/'my settings/"), (Path("/nowhere"), f"'{tmp_path}/my settings/")):
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "my settings"))
        write_file("a: x://y\n", 0o644)
        with pytest.raises(InputError) as caught:
            connection("a")
        assert str(caught.value).endswith(f"chmod 600 {folder}pipeline_lib/connections.yml'")


@pytest.mark.parametrize("password", ["pa/ssword", "pass?word", "pass#word", "pass[word"])
def test_a_password_that_is_not_encoded_is_refused_and_known_as_one(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    url = f"postgresql://me:{password}@host/db"
    assert password in passwords(url)
    assert without_credentials(url) == "postgresql://host/db"
    monkeypatch.setenv("PIPELINE_LIB_URL_WAREHOUSE", url)
    with pytest.raises(InputError, match="expected them encoded; write %2F") as caught:
        connection("warehouse")
    assert password not in str(caught.value)
    monkeypatch.setenv("PIPELINE_LIB_URL_WAREHOUSE", "postgresql://me:pa%2Fssword@host/db")
    assert connection("warehouse").shown == "postgresql://host/db"


def test_a_slash_in_a_password_hides_no_address_in_the_project() -> None:
    with pytest.raises(InputError, match="with a password"):
        check_no_credentials({"nbs/a.ipynb": 'url = "postgresql://me:pa/ssword@host/db"'})
    check_no_credentials({"nbs/a.ipynb": 'url = "https://host:8080/people/@anna"'})


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("https://ghp_token1@host/x.csv", ["ghp_token1"]),
        ("https://host/x.csv?auth=abcdef", ["abcdef"]),
        ("https://host/x.csv?design=big&keyword=ships", []),
        ("mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3Dhunter22%3BUID%3Dme", ["hunter22"]),
        ("postgresql://me@host/db", []),
    ],
)
def test_secrets_stand_in_users_of_the_web_and_in_options(url: str, secrets: list[str]) -> None:
    assert list(passwords(url)) == secrets
