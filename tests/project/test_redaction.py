"""Secrets in each form that a program may print them in are replaced; other text stays as it is."""

import base64
import html
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project
from pipeline_lib.project.redaction import NO_SECRETS, Redactor, check_no_secret, redact_files, redactor

SECRETS = ["hunter22", 'a"b\\c\'d&<e>é "', "päss wörd/+", "zwölf\nzeilen", "x" * 40]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", ["plain", "json", "json of json", "repr", "html", "url", "form", "hex", "base64"])
def test_each_form_of_a_secret_is_replaced(secret: str, form: str) -> None:
    content = secret.encode()
    texts = {
        "plain": [secret],
        "json": [json.dumps(secret), json.dumps(secret, ensure_ascii=False)],
        "json of json": [json.dumps(json.dumps({"key": secret}))],
        "repr": [repr(secret), json.dumps(repr(secret))],
        "html": [html.escape(secret), html.escape(repr(secret))],
        "url": [quote(secret, safe=""), quote(secret, safe="").lower()]
        if secret.isascii()
        else [quote(secret, safe="")],
        "form": [quote_plus(secret)],
        "hex": [content.hex(), content.hex().upper()],
        "base64": [
            encode(b"q" * before + content + b"q" * after).decode()
            for encode in (base64.b64encode, base64.urlsafe_b64encode)
            for before in range(4)
            for after in range(4)
        ],
    }[form]
    redact = Redactor({secret: "DB"})
    for text in texts[:1] if form == "url" else texts:
        replaced = redact.redact_text(f"before {text} after")
        assert "[secret DB]" in replaced
        assert text not in replaced
        assert replaced.startswith("before ")
        assert replaced.endswith(" after")


def test_json_stays_json() -> None:
    content = {"a": ["hunter22", {"hunter22": 'say "hunter22"'}]}
    replaced = Redactor({"hunter22": "DB"}).redact_bytes(json.dumps(content).encode())
    assert json.loads(replaced) == {"a": ["[secret DB]", {"[secret DB]": 'say "[secret DB]"'}]}


def test_other_text_stays_as_it_is() -> None:
    text = "a hunter, 22 hunters, Hunter22 and aHVudGVy"
    assert Redactor({"hunter22": "DB"}).redact_text(text) == text
    assert NO_SECRETS.redact_text(text) == text
    assert NO_SECRETS.found_in(text.encode()) == ""


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Redactor({"hunter": "A", "hunter22": "B"}).redact_text("hunter22 hunter") == "[secret B] [secret A]"


def project_at(root: Path, secrets: str = "") -> Project:
    (root / "settings.ini").write_text(f"[project]\nlib_name = x\n{secrets}")
    return Project(root, "x", root / "nbs", root / "params", root / "runs")


def test_secrets_are_those_of_connections_and_of_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PIPELINE_LIB_URL_SHOP", "postgresql://ada:tulip%40bulb@h/x")
    monkeypatch.setenv("PIPELINE_LIB_URL_SHORT", "postgresql://ada:abc@h/x")  # never used, so never printed
    monkeypatch.setenv("API_KEY", "k3y-of-api")
    monkeypatch.setenv("UNRELATED", "nothing secret")
    found = redactor(project_at(tmp_path, "secrets = API_KEY,\n  OTHER_KEY\n"))
    assert found.values == {"tulip%40bulb": "shop", "tulip@bulb": "shop", "k3y-of-api": "API_KEY"}
    assert "API_KEY" not in redactor(None).values.values()


def test_a_short_secret_of_settings_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "abc")
    with pytest.raises(InputError, match="variable API_KEY: found a secret of 3 characters, expected at least 6"):
        redactor(project_at(tmp_path, "secrets = API_KEY\n"))


def test_a_secret_in_a_text_of_the_project_is_refused() -> None:
    redact = Redactor({"hunter22": "DB"})
    with pytest.raises(InputError, match="nbs/x: found the value of the secret DB, expected it in no text") as caught:
        check_no_secret(redact, {"params/x.yml": "hunter222", "nbs/x": "key = 'hunter22'"})
    assert "hunter22" not in str(caught.value)
    check_no_secret(redact, {"params/x.yml": "hunter222"})


def test_texts_are_rewritten_and_data_is_named(tmp_path: Path) -> None:
    for name in ("notebook.ipynb", "artifact/plan.json", "evidence/inputs.parquet", "x.bin", "clean.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b'{"a": "hunter22"}' if name != "clean.json" else b"{}")
    held = redact_files(tmp_path, Redactor({"hunter22": "DB"}))
    assert held == [f"{name} (secret DB)" for name in ("artifact/plan.json", "evidence/inputs.parquet", "x.bin")]
    assert json.loads((tmp_path / "notebook.ipynb").read_bytes()) == {"a": "[secret DB]"}
    assert (tmp_path / "artifact/plan.json").read_bytes() == b'{"a": "hunter22"}'


def test_each_line_of_a_key_is_a_secret_since_notebooks_keep_lines_apart() -> None:
    redact = Redactor({"-----BEGIN KEY-----\nMIIEvQIBADAN\nabc\n-----END KEY-----\n": "PRIVATE_KEY"})
    cell = json.dumps(["-----BEGIN KEY-----\n", "MIIEvQIBADAN\n"])
    assert "MIIEvQIBADAN" not in redact.redact_text(cell)
    assert redact.found_in(b"... MIIEvQIBADAN ...") == "PRIVATE_KEY"
    assert redact.redact_text("abc of the alphabet") == "abc of the alphabet"  # too short to tell apart
