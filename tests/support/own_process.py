"""A test module's counts from a process of its own: memory that must not be reached would end it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def counts(module: str) -> tuple[int, ...]:
    """The numbers that a module prints when it runs as a script, which it must do without an error."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    ended = subprocess.run(  # noqa: S603 (our own)
        [sys.executable, module],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return tuple(map(int, ended.stdout.split()))
