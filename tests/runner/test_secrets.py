"""A planted secret is found nowhere: in no byte of a record, in nothing that commands print, in no form."""

import base64
import html
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from depot import PIPELINE, RESEARCH, Depot, write_depot

KEY, PASSWORD = 'k3y<of>"api"', "tulip bulb/7"
URL = f"postgresql+pg8000://ada:{quote(PASSWORD, safe='')}@127.0.0.1:1/x"
VARIABLES = {"API_KEY": KEY, "PIPELINE_LIB_URL_OTHER": URL}
LEAKS = """
import base64, html, json, logging, os, sys, urllib.parse
from urllib.parse import quote
from IPython.display import HTML, JSON, display
from pipeline_lib import sql

for name in ("API_KEY", "PIPELINE_LIB_URL_OTHER"):
    value = os.environ[name]
    print(value, repr(value), json.dumps({"key": value}), quote(value, safe=""))
    print(base64.b64encode(value.encode()), base64.b64encode(b"x" + value.encode()), value.encode().hex())
    print(value[:5], end="", flush=True)
    sys.stdout.write(value[5:])
    sys.stdout.flush()
    logging.warning("key %s", value)
    display(HTML(f"<p title='{html.escape(value)}'>{html.escape(value)}</p>"), JSON({"key": value}))
    os.write(2, value.encode())
print(dict(os.environ))
print(urllib.parse.urlsplit(os.environ["PIPELINE_LIB_URL_OTHER"]).password)
try:
    sql("other", "select 1")
except Exception as error:
    print(error)
"""
FAILS = """
raise ValueError(f"could not log in with {os.environ['API_KEY']} at {os.environ['PIPELINE_LIB_URL_OTHER']}")
"""


def forms(secret: str) -> Iterator[bytes]:
    """A secret as programs print it, found independently of how it is redacted."""
    yield from (
        text.encode() for text in (secret, json.dumps(secret)[1:-1], html.escape(secret), quote(secret, safe=""))
    )
    yield json.dumps(json.dumps(secret)[1:-1])[1:-1].encode()
    yield base64.b64encode(secret.encode()).rstrip(b"=")[:-1]
    yield base64.b64encode(b"x" + secret.encode())[2:-3]
    yield secret.encode().hex().encode()


def leaks(folder: Path, *texts: str) -> list[str]:
    """Where a form of a secret is: in a file below the folder, by its name, or in a text."""
    contents = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    contents |= {f"text {number}": text.encode() for number, text in enumerate(texts)}
    planted = [form for secret in (KEY, PASSWORD) for form in forms(secret)]
    return [name for name, content in contents.items() if any(form in content for form in planted)]


def write_leaking(
    folder: Path, *, secrets: str = "secrets = API_KEY\n", fails: bool = True, pipeline: str = PIPELINE
) -> Depot:
    depot = write_depot(folder, RESEARCH + LEAKS + (FAILS if fails else ""), pipeline)
    settings = depot.root / "settings.ini"
    settings.write_text(settings.read_text() + secrets)
    return depot


def test_a_failed_run_prints_and_keeps_no_secret(tmp_path: Path) -> None:
    depot = write_leaking(tmp_path)
    ended = depot.command("run", "params/trips.yml", **VARIABLES)
    assert ended.returncode == 3
    assert (
        "could not log in with [secret API_KEY] at postgresql+pg8000://ada:[secret other]@127.0.0.1:1/x" in ended.stderr
    )
    shown = depot.command("show", "trips@latest", **VARIABLES)
    assert "[secret API_KEY]" in shown.stdout
    assert leaks(depot.root / "runs", ended.stdout, ended.stderr, shown.stdout, shown.stderr) == []
    (notebook,) = depot.root.glob("runs/trips/*/notebook.ipynb")
    assert notebook.read_text().count("[secret API_KEY]") > 10
    json.loads(notebook.read_bytes())


@pytest.mark.slow
def test_a_finished_run_keeps_no_secret_and_without_their_names_secrets_are_found(tmp_path: Path) -> None:
    depot = write_leaking(tmp_path / "told", fails=False)
    ended = depot.command("run", "params/trips.yml", **VARIABLES)
    assert ended.returncode == 0, ended.stderr
    assert leaks(depot.root / "runs", ended.stdout, ended.stderr) == []
    verified = depot.command("verify", "trips", **VARIABLES)
    assert verified.returncode == 0, verified.stderr
    control = write_leaking(tmp_path / "untold", secrets="", fails=False)
    ended = control.command("run", "params/trips.yml", **{**VARIABLES, "PIPELINE_LIB_URL_OTHER": "x://y/z"})
    assert ended.returncode == 0, ended.stderr
    found = leaks(control.root / "runs", ended.stdout, ended.stderr)
    assert {Path(name).name for name in found} == {"notebook.ipynb", "report.html", "text 1"}


@pytest.mark.slow
def test_a_secret_in_the_data_fails_the_run_and_one_in_a_text_never_begins(tmp_path: Path) -> None:
    leak = 'import os\n(run.record.folder / "evidence" / "x.txt").write_text(os.environ["API_KEY"])\n'
    depot = write_depot(tmp_path, RESEARCH + leak)
    settings = depot.root / "settings.ini"
    settings.write_text(settings.read_text() + "secrets = API_KEY\n")
    ended = depot.command("run", "params/trips.yml", **VARIABLES)
    assert ended.returncode == 3
    assert (
        "found a secret in evidence/x.txt (secret API_KEY), expected it in no data that the record keeps"
        in ended.stderr
    )
    depot.write_notebook("research/trips.ipynb", "farthest = 1000.0", f"key = '{KEY}'\n{RESEARCH}", parameters=True)
    ended = depot.command("run", "params/trips.yml", **VARIABLES)
    assert ended.returncode == 2
    assert "nbs/research/trips.ipynb: cell 2: found the value of the secret API_KEY" in ended.stderr
    assert leaks(depot.root / "nbs", ended.stdout, ended.stderr) == ["research/trips.ipynb"]
    (depot.root / "params" / "trips.yml").write_text(f"farthest: 1000.0 # {URL}\n")
    ended = depot.command("run", "params/trips.yml", **{**VARIABLES, "PIPELINE_LIB_URL_OTHER": ""})
    assert ended.returncode == 2
    assert "params/trips.yml: line 1: found the address 'postgresql+pg8000://" in ended.stderr


@pytest.mark.slow
def test_warm_kernels_show_no_secret_and_the_members_of_a_sweep_ask_once(tmp_path: Path) -> None:
    query = "select distance, stops, abs(random() % 100) * 1.0 as minutes from trips"
    asked = PIPELINE.replace('"{query}", params={{"farthest": params.farthest}}', repr(query))
    depot = write_leaking(tmp_path, fails=False, pipeline=asked)
    ended = depot.command("sweep", "params/trips.yml", "--grid", "farthest=1000,2000", "--workers", "2", **VARIABLES)
    assert ended.returncode == 0, ended.stderr
    assert leaks(depot.root / "runs", ended.stdout, ended.stderr) == []
    assert "[secret API_KEY]" in ended.stderr
    manifests = [json.loads(path.read_bytes()) for path in depot.root.glob("runs/trips/*/manifest.json")]
    assert len(manifests) == 2
    assert len({manifest["snapshots"][0]["digest"] for manifest in manifests}) == 1
