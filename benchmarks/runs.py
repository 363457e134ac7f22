"""What a run and a sweep cost against bare papermill, on a pipeline that is light and on one with work to do.

python benchmarks/runs.py [--members 20] [--seconds 30]

The pipeline is what `pipeline-lib new` writes; all runs of a comparison happen side by side in this run.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = "bench"
COPIED = ("settings.ini", "pyproject.toml", "setup.py", "pipeline_lib", "nbs", "params")


def seconds(folder: Path, *words: str) -> float:
    """Wall time of a command in the project."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as on any machine, modules are compiled once
    start = time.perf_counter()
    subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)  # noqa: S603 (our own)
    return time.perf_counter() - start


def project(folder: Path) -> Path:
    """A copy of this checkout with one light pipeline more; the notebook that papermill runs."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    tests = folder / "tests" / "parity"
    tests.mkdir(parents=True)
    seconds(folder, *command("new", NAME))
    return folder / "nbs" / "research" / f"{NAME}.ipynb"


def command(*words: str) -> tuple[str, ...]:
    """Our command line in this Python."""
    return (sys.executable, "-c", "from pipeline_lib.cli.main import main; main()", *words)


def papermill(notebook: Path, *parameters: str) -> tuple[str, ...]:
    """Bare papermill on the same notebook, its output beside it."""
    named = [word for parameter in parameters for word in ("-p", *parameter.split("="))]
    out = notebook.with_name("_out.ipynb")
    return (sys.executable, "-m", "papermill", str(notebook), str(out), "--cwd", str(notebook.parent), *named)


def with_work(notebook: Path, work: float) -> None:
    """Let the notebook's second cell of code work for some seconds."""
    content = json.loads(notebook.read_bytes())
    cell = next(cell for cell in content["cells"] if cell["id"] == "data")
    until = f"import time\n_until = time.perf_counter() + {work}\nwhile time.perf_counter() < _until:\n    pass\n"
    cell["source"] = [until, *cell["source"]]
    notebook.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--members", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        notebook = project(folder)
        params = f"params/{NAME}.yml"
        run = command("run", params, "--no-parity", "--force")
        seconds(folder, *papermill(notebook))
        bare, ours = (
            min(seconds(folder, *papermill(notebook)) for _ in range(2)),
            min(seconds(folder, *run) for _ in range(2)),
        )
        print(f"a run without work: {ours:.1f} s, papermill {bare:.1f} s: {ours - bare:+.1f} s")
        grid = ("--grid", f"seed=1..{asked.members}", "--parity", "none", "--force")
        # not timed: modules are compiled once, as for papermill above
        seconds(folder, *command("sweep", params, "--grid", "seed=0,99", "--parity", "none", "--force"))
        one_by_one = sum(seconds(folder, *papermill(notebook, f"seed={seed + 1}")) for seed in range(asked.members))
        swept = seconds(folder, *command("sweep", params, *grid))
        print(
            f"a sweep of {asked.members}: {swept:.1f} s, as many papermill runs one after the other "
            f"{one_by_one:.1f} s: {one_by_one / swept:.1f} times faster (aim 8)"
        )
        with_work(notebook, asked.seconds)
        bare, ours = seconds(folder, *papermill(notebook)), seconds(folder, *run)
        print(f"a run with {asked.seconds:.0f} s of work: {ours / bare:.3f} times papermill (aim 1.10)")


if __name__ == "__main__":
    main()
