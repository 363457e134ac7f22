"""A fork server for the tests of warm processes."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline_lib.runner.warm.client import WarmProcess, WarmServer

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
