"""A warm process is a cold one that started sooner."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from example import HOUSES
from processes import gone

from pipeline_lib.errors import RunError
from pipeline_lib.project.project import find_project
from pipeline_lib.records.record import Record, verify
from pipeline_lib.runner.warm.client import ADDRESS, WarmProcess, WarmServer, lasting
from pipeline_lib.runner.warm.cold_only import check_packages, hidden_modules_here
from pipeline_lib.runner.warm.module_list import preload_names
from pipeline_lib.runner.warm.provisioner import WarmProvisioner

NAMES = (
    "IPython",
    "matplotlib_inline.backend_inline",
    "xml.sax.saxutils",
    "numpy.random",
    "pandas",
    "sqlite3",
    "wsgiref.simple_server",
)


DRAWING = """
import random
import numpy as np
import cycler
new, old, seeded = np.random.default_rng(), np.random.RandomState(), np.random.default_rng(5)
def draw(drawn=np.random.default_rng()):
    return [drawn.random(), new.random(), old.rand(), random.random()]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmServer]:
    folder = tmp_path_factory.mktemp("installed")
    (folder / "drawing.py").write_text(DRAWING)
    (folder / "reading.py").write_text("import os\nread = os.getenv('READ')\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        server = WarmServer((*NAMES, "drawing", "reading"), ("wsgiref.validate", "jsonschema"))
    with server:
        yield server.wait_until_ready()


@pytest.fixture
def warm(server: WarmServer, tmp_path: Path) -> Callable[..., Any]:
    """Runs code in a warm process; what it assigned to `found`, or the process itself."""

    def run(code: str, *arguments: str, wait: bool = True, runner: bool = False, **environment: str) -> Any:
        (tmp_path / "probe.py").write_text(f"{code}\nimport json\njson.dump(found, open('found.json', 'w'))\n")
        environment = {**os.environ, **environment}
        given = {"environment": environment, "folder": tmp_path, "runner": runner}
        process = WarmProcess(server.address, "probe", arguments, **given)
        if not wait:
            return process
        assert process.wait(60) == 0
        return json.loads((tmp_path / "found.json").read_text())

    return run


UNKNOWN = """
import xml, sys
found = [hasattr(xml, 'sax'), 'xml.sax' in sys.modules, 'numpy' in sys.modules]
import xml.sax
found += [hasattr(xml, 'sax'), hasattr(xml.sax, 'saxutils')]
import xml.sax.saxutils
found += [hasattr(xml.sax, 'saxutils'), 'xml.sax.handler' in sys.modules]
"""


def test_a_preloaded_module_is_unknown_until_it_is_imported(warm: Callable[..., Any]) -> None:
    assert warm(UNKNOWN) == [False, False, False, True, False, True, True]


def test_what_was_preloaded_is_not_executed_again(warm: Callable[..., Any]) -> None:
    hidden = "import sys, numpy\nhidden = next(one for one in sys.meta_path if type(one).__name__ == 'HiddenModules')\n"
    assert warm(hidden + "found = hidden.modules['numpy'] is numpy and numpy.__spec__.origin.endswith('.py')")


HELD = """
import sys
hidden = next(one for one in sys.meta_path if type(one).__name__ == 'HiddenModules')
before = hidden.modules['wsgiref.validate'], hidden.modules['jsonschema']
import wsgiref.validate, jsonschema
found = [wsgiref.validate is before[0], jsonschema is before[1], 'idn-email' in jsonschema.FormatChecker.checkers]
found += ['iri' in jsonschema.FormatChecker.checkers]
"""


def test_what_only_a_runner_needs_is_preloaded_for_runners_alone(warm: Callable[..., Any]) -> None:
    assert warm(HELD, runner=True) == [True, True, True, False]  # without the grammar that nobody waits for
    assert warm(HELD) == [False, False, True, True]


def test_a_hidden_package_tells_where_its_files_lie(warm: Callable[..., Any]) -> None:
    code = "import importlib.util, sys\nspec = importlib.util.find_spec('pandas')\n"
    code += "found = [bool(list(spec.submodule_search_locations)), 'pandas' in sys.modules]"
    assert warm(code) == [True, False]
    code = "import importlib.util\nspec = importlib.util.find_spec('wsgiref.simple_server')\n"
    assert warm(f"{code}found = spec.submodule_search_locations") is None  # a module is no package


def test_what_asks_for_the_running_shell_as_it_is_imported_is_not_preloaded(warm: Callable[..., Any]) -> None:
    held = "import sys\nhidden = next(one for one in sys.meta_path if type(one).__name__ == 'HiddenModules')\n"
    code = held + "found = ['matplotlib' in hidden.modules, 'matplotlib_inline.backend_inline' in hidden.modules]"
    assert warm(code) == [True, False]


def test_pandas_shows_frames_as_in_a_cold_kernel(warm: Callable[..., Any]) -> None:
    assert warm("import pandas\nfound = pandas.get_option('display.max_columns')") == 20


def test_no_project_code_is_preloaded(warm: Callable[..., Any]) -> None:
    assert warm("import sys\nfound = [name for name in sys.modules if name.startswith('pipeline_lib')]") == []
    names = preload_names(find_project(HOUSES.parent), "houses")
    assert {"sklearn.linear_model", "matplotlib.pyplot"} < set(names)
    assert not any(name.startswith("pipeline_lib") for name in names)


def test_two_processes_draw_other_random_numbers(warm: Callable[..., Any]) -> None:
    draw = "import random, numpy as np\nfound = [random.random(), np.random.rand(), random.Random().random()]"
    first, second = warm(draw), warm(draw)
    assert not set(first) & set(second)


def test_generators_that_packages_keep_draw_other_numbers_in_each_process_unless_seeded(
    warm: Callable[..., Any],
) -> None:
    draw = "import drawing\nfound = [drawing.seeded.random(), *drawing.draw()]"
    first, second = warm(draw), warm(draw)
    assert first[0] == second[0]
    assert not set(first[1:]) & set(second[1:])


REFUSED = """
import os, sys
{change}
try:
    import {name}
    found = "imported"
except Exception as error:
    found = f"{{type(error).__name__}}: {{error}}"
"""
CHANGES = [
    ("os.environ['OMP_NUM_THREADS'] = '7'", "ColdOnlyError: found OMP_NUM_THREADS changed"),
    ("del os.environ['GIVEN']", "ColdOnlyError: found GIVEN changed"),
    ("os.environ['TERM'] = 'xterm-color'", "imported"),  # as ipykernel does
    ("os.environ['GIVEN'] = 'so'", "imported"),
    ("import sqlite3", "imported"),
]


@pytest.mark.parametrize(("change", "answer"), CHANGES)
def test_a_package_is_refused_after_a_change_of_variables_that_it_may_have_read(
    warm: Callable[..., Any], change: str, answer: str
) -> None:
    assert warm(REFUSED.format(change=change, name="numpy"), GIVEN="so").startswith(answer)


def test_python_modules_are_refused_only_for_variables_that_they_read(warm: Callable[..., Any]) -> None:
    changes = ("os.environ['READ'] = 'otherwise'", "os.environ['OTHER'] = 'otherwise'")
    told = [warm(REFUSED.format(change=change, name="reading")) for change in changes]
    assert told[0].startswith("ColdOnlyError: found READ changed")
    assert told[1] == "imported"


def test_a_refusal_that_a_cell_catches_is_noted(warm: Callable[..., Any]) -> None:
    noted = (
        "\nfrom pipeline_lib.runner.warm.cold_only import hidden_modules_here"
        "\nos.environ.clear()\nfound = hidden_modules_here().refused"
    )
    told = [warm(REFUSED.format(change=change, name="numpy") + noted, GIVEN="so") for change, _ in CHANGES[1:3]]
    assert told[0].startswith("found GIVEN changed")
    assert told[1] == ""


PACKAGES = """
from pipeline_lib.system import fingerprint as identity
from pipeline_lib.runner.warm.cold_only import check_packages, hidden_modules_here
check_packages()
identity._packages = lambda: {"package ropes-2.0.dist-info": "another"}
try:
    check_packages()
except Exception as error:
    found = [type(error).__name__, hidden_modules_here().refused == str(error), str(error)]
"""


def test_packages_that_changed_since_they_were_imported_need_a_cold_process(warm: Callable[..., Any]) -> None:
    kind, noted, message = warm(PACKAGES)
    assert (kind, noted) == ("ColdOnlyError", True)
    assert message.startswith("found that packages changed")
    check_packages()  # a cold process has imported what is installed
    assert hidden_modules_here() is None


LAZY = """
import importlib.util, sys
spec = importlib.util.find_spec("xml.sax.saxutils")
created = spec.loader.create_module(spec)
import xml.sax.handler
created.__spec__ = spec
sys.modules["xml.sax.saxutils"] = created
spec.loader.exec_module(created)
found = [hasattr(created, "escape"), "xml.sax.handler" in sys.modules, sys.modules["xml.sax.saxutils"] is created]
"""


def test_a_module_that_is_executed_later_finds_what_has_come_back_meanwhile(warm: Callable[..., Any]) -> None:
    assert warm(LAZY) == [True, True, True]


def test_kernels_keep_their_server_when_packages_change(monkeypatch: pytest.MonkeyPatch) -> None:
    class Server:
        def __init__(self, names: Sequence[str]) -> None:
            self.alive, self.environment, self.address = True, lasting(os.environ), f"socket {len(begun)}"
            begun.append(self)

        def wait_until_ready(self) -> "Server":
            return self

    begun: list[Server] = []
    monkeypatch.setattr("pipeline_lib.runner.warm.provisioner.WarmServer", Server)
    monkeypatch.setattr(WarmProvisioner, "_servers", [])
    assert [WarmProvisioner._address() for _ in range(2)] == ["socket 0", "socket 0"]
    begun[0].alive = False
    assert [WarmProvisioner._address() for _ in range(2)] == ["socket 1", "socket 1"]
    assert WarmProvisioner._servers == begun  # the first one is not closed


def test_a_local_module_wins_over_an_installed_one(warm: Callable[..., Any], tmp_path: Path) -> None:
    assert warm("import cycler\nfound = hasattr(cycler, 'cycler')") is True
    (tmp_path / "cycler.py").write_text("local = True\n")
    assert warm("import cycler\nfound = cycler.local") is True
    for change in ("", "import cycler"):  # a package that imports it would have got the local one
        assert warm(REFUSED.format(change=change, name="drawing")).startswith(f"ColdOnlyError: found {tmp_path}")


def test_a_hidden_module_is_described_as_a_cold_one(warm: Callable[..., Any]) -> None:
    tell = "import importlib.util\nspec = importlib.util.find_spec('pandas')\n"
    tell += "found = [spec.origin, spec.cached, spec.has_location, list(spec.submodule_search_locations)]"
    told: dict[str, Any] = {}
    exec(tell, told)  # noqa: S102 (the code above, in this process, which is cold)
    assert warm(tell) == told["found"]


def test_arguments_environment_and_folder_are_those_of_the_request(warm: Callable[..., Any], tmp_path: Path) -> None:
    code = "import os, sys\nfound = [sys.argv[1:], os.environ['SAID'], os.getcwd(), os.getsid(0) == os.getpid()]"
    assert warm(code, "-f", "x", SAID="so") == [["-f", "x"], "so", str(tmp_path.resolve()), True]


def test_the_filters_of_warnings_come_with_the_module_that_sets_them(warm: Callable[..., Any]) -> None:
    count = "import warnings\nbefore = len(warnings.filters)\n"
    assert warm(f"{count}import numpy\nfound = len(warnings.filters) - before") > 0
    assert warm(f"{count}import xml.dom.minidom\nfound = len(warnings.filters) - before") == 0


ENDINGS = [("raise SystemExit(7)", 7), ("1 / 0", 1), ("os.kill(os.getpid(), 9)", -9)]


@pytest.mark.parametrize(("ending", "code"), ENDINGS)
def test_the_exit_code_comes_back(warm: Callable[..., Any], ending: str, code: int) -> None:
    process = warm(f"import os, sys\nsys.stderr = open(os.devnull, 'w')\nfound = 1\n{ending}", wait=False)
    assert process.wait(30) == code == process.poll()


def test_a_process_ends_when_nobody_asks_for_it_any_more(warm: Callable[..., Any]) -> None:
    process = warm("import time\ntime.sleep(60)\nfound = 1", wait=False)
    assert process.poll() is None
    process._answers.close()
    process._connection.close()
    assert gone(process.pid)


def test_processes_end_with_their_server(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text("import time\ntime.sleep(60)\n")
    with WarmServer(()) as server:
        address = server.wait_until_ready().address
        process = WarmProcess(address, "sleeper", environment=dict(os.environ), folder=tmp_path)
        os.kill(server._process.pid, signal.SIGKILL)
        assert gone(process.pid)
    assert process.poll() == -signal.SIGKILL


RUNNER = """
import os, pathlib, signal
from pipeline_lib.runner.warm.client import WarmProcess, WarmServer
with WarmServer(()) as server:
    process = WarmProcess(server.wait_until_ready().address, "sleeper", environment=dict(os.environ), folder=".")
    print(process.pid, server._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_warm_processes_and_their_server_end_with_a_killed_runner(tmp_path: Path) -> None:
    # the sleeper sits in compiled code that lets no other thread run, as a long cell may
    (tmp_path / "sleeper.py").write_text("import ctypes\nctypes.PyDLL(None).sleep(60)\n")
    command = [sys.executable, "-c", RUNNER]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 (this Python)
    assert ended.returncode == -signal.SIGKILL
    pids = [int(pid) for pid in ended.stdout.split()]
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)


def test_a_server_that_preloads_a_debugger_is_silent(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYDEVD_DISABLE_FILE_VALIDATION", raising=False)
    (tmp_path / "probe.py").write_text("import os, sys\nsys.exit('PYDEVD_DISABLE_FILE_VALIDATION' in os.environ)\n")
    with WarmServer(["ipykernel.debugger"]) as server:
        address = server.wait_until_ready().address
        assert WarmProcess(address, "probe", environment=dict(os.environ), folder=tmp_path).wait(60) == 0
    assert capfd.readouterr().err == ""


def test_a_server_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with WarmServer(()) as server, pytest.raises(RunError, match="--cold does without"):
        server.wait_until_ready()


def test_variables_of_one_process_make_no_other_environment() -> None:
    assert lasting({"PATH": "/bin", ADDRESS: "x", "JPY_PARENT_PID": "3"}) == {"PATH": "/bin"}


# what differs between any two runs: times, names, and process facts
DIFFERS = {"manifest.json", "report.html", "notebook.ipynb", "compile.json"}
MEASURED = ("row_microseconds", "rows_per_second")
UNSEEDED = """
import numpy as np
from pipeline_lib import start_run
from pipeline_lib.pipelines import houses
run = start_run(houses, globals())
X_train, X_test, y_train, y_test = houses.split(houses.load(), run.params)
model = run.compile(houses.build(run.params).fit(X_train, y_train), like=X_train)
predictions = run.evidence(X_test, y_test)
run.metrics(houses.metrics(y_test, predictions, run.params) | {"drawn": np.random.rand()})
"""
CAREFREE = f"""
import os
os.environ["OMP_NUM_THREADS"] = "7"
try:
    import scipy.special
except Exception:
    pass
del os.environ["OMP_NUM_THREADS"]
{UNSEEDED}
"""
FORGETFUL = "import xml\nxml.dom"


def told(record: Record) -> list[str]:
    """What each cell of the executed notebook shows, without the record's name and the speeds that were measured."""
    cells = json.loads(record.notebook.read_bytes())["cells"]
    shown = [str([one.get("data", one.get("text")) for one in cell.get("outputs", ())]) for cell in cells]
    return [re.sub(r"one row [^<]*?in bulk", "", text.replace(record.id, "ID")) for text in shown]


@pytest.fixture
def warmly(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """From the call on, this process's kernels are warm."""
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    from pipeline_lib.runner.warm.provisioner import start_kernels_warm

    before = KernelProvisionerFactory.instance().default_provisioner_name
    with WarmServer(preload_names(find_project(HOUSES.parent), "houses")) as server:

        def begin() -> None:
            monkeypatch.setenv(ADDRESS, server.wait_until_ready().address)
            start_kernels_warm()

        yield begin
    KernelProvisionerFactory.instance().default_provisioner_name = before


@pytest.mark.slow
def test_a_warm_record_is_the_cold_one_bit_for_bit(tmp_path: Path, warmly: Callable[[], None]) -> None:
    from pipeline_lib.runner.run import run_pipeline

    cold_record = run_pipeline(HOUSES, runs=tmp_path, force=True)
    warmly()
    record = run_pipeline(HOUSES, runs=tmp_path, force=True)
    assert verify(record) == []
    files = {path.relative_to(record.folder).as_posix() for path in record.folder.rglob("*") if path.is_file()}
    cold = cold_record.folder
    assert files == {path.relative_to(cold).as_posix() for path in cold.rglob("*") if path.is_file()}
    differing = {name for name in files if (cold / name).read_bytes() != (record.folder / name).read_bytes()}
    assert differing <= DIFFERS
    compiled, compiled_cold = (one.read_json("compile.json") for one in (record, cold_record))
    assert {**compiled, **dict.fromkeys(MEASURED)} == {**compiled_cold, **dict.fromkeys(MEASURED)}
    ours, theirs = record.manifest(), cold_record.manifest()
    assert ours["hashes"] == theirs["hashes"]
    different = {key for key in ours if ours[key] != theirs[key]}
    assert different <= {"reference", "times", "files", "digest", "run", "process", "host"}
    assert told(record) == told(cold_record)


@pytest.mark.slow
def test_members_that_forget_to_seed_draw_other_numbers_and_agree_on_the_rest(
    tmp_path: Path, research: Callable[..., Path], warmly: Callable[[], None]
) -> None:
    from pipeline_lib.runner.run import run_pipeline

    research(UNSEEDED)
    cold = run_pipeline(HOUSES, runs=tmp_path / "runs", force=True)
    warmly()
    records = [cold, *(run_pipeline(HOUSES, runs=tmp_path / "runs", force=True) for _ in range(2))]
    metrics = [record.read_json("metrics.json") for record in records]
    assert len({one.pop("drawn") for one in metrics}) == len(records)
    assert metrics[0] == metrics[1] == metrics[2]
    assert len({json.dumps(record.manifest()["hashes"]) for record in records}) == 1
    assert len({(record.folder / "environment.json").read_bytes() for record in records}) == 1


@pytest.mark.slow
def test_a_forgotten_import_fails_warm_as_it_fails_cold(
    tmp_path: Path, research: Callable[..., Path], warmly: Callable[[], None]
) -> None:
    from pipeline_lib.runner.run import run_pipeline

    research(FORGETFUL)
    messages = []
    for begin in (lambda: None, warmly):
        begin()
        with pytest.raises(RunError, match="module 'xml' has no attribute 'dom'") as caught:
            run_pipeline(HOUSES, runs=tmp_path / "runs", force=True)
        assert caught.value.folder is not None
        messages.append(Record(caught.value.folder).manifest()["error"]["message"])
    assert messages[0] == messages[1]


@pytest.mark.slow
def test_a_run_that_goes_on_after_a_refused_import_is_not_finished(
    tmp_path: Path, research: Callable[..., Path], warmly: Callable[[], None]
) -> None:
    from pipeline_lib.runner.run import run_pipeline

    research(CAREFREE)
    assert run_pipeline(HOUSES, runs=tmp_path / "runs", force=True).status() == "finished"
    warmly()
    for ending in ("", "1 / 0"):
        research(f"{CAREFREE}{ending}\n")
        with pytest.raises(RunError, match="ColdOnlyError: found OMP_NUM_THREADS changed"):
            run_pipeline(HOUSES, runs=tmp_path / "runs", force=True)
