"""The parity matrix: many pipelines, many settings, the number of rows whose bits differ from the first run.

    python -m tools.bits [--only NAME] [--quick]

Each pipeline is fitted and compiled once. Its outputs are then computed again in batches of other sizes, in
another order, from two threads, and in fresh processes under other BLAS kernels, SIMD levels, thread counts, hash
seeds, locales, time zones and Pythons. Each process proves that its setting took effect. scikit-learn's own predictions
are the control: they must differ in some of the settings.
"""

import argparse
import importlib.abc
import json
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.evidence.bits import differing_rows
from pipeline_lib.rows.conform import conform

ROOT = Path(__file__).parent.parent
LIBRARY = ("pipeline_lib.steps", "pipeline_lib.pipelines")
SINGLE_ROWS = 150  # of those that are predicted alone in each process
BATCHES = (1_000, 64, 7, 3, 2)


@dataclass(frozen=True)
class Setting:
    """A fresh process: its name, what it changes in the environment, and what its proof must contain."""

    name: str
    environment: dict[str, str]
    proof: dict[str, Any]
    python: str = sys.executable
    prefix: tuple[str, ...] = ()
    libraries: bool = field(default=True)  # scikit-learn is there, as a control


SETTINGS = [
    Setting("fresh", {}, {}),
    Setting("core only", {}, {}, libraries=False),
    Setting("1 thread", {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}, {"threads": 1}),
    Setting("2 threads", {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}, {"threads": 2}),
    Setting("SkylakeX", {"OPENBLAS_CORETYPE": "SkylakeX"}, {"kernel": "SkylakeX"}),
    Setting("Haswell", {"OPENBLAS_CORETYPE": "Haswell"}, {"kernel": "Haswell"}),
    Setting("Nehalem", {"OPENBLAS_CORETYPE": "Nehalem"}, {"kernel": "Nehalem"}),
    Setting("Prescott", {"OPENBLAS_CORETYPE": "Prescott"}, {"kernel": "Katmai"}),  # OpenBLAS has one name for both
    Setting("SIMD off", {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"}, {"simd": "X86_V2"}),
    Setting("hash 1", {"PYTHONHASHSEED": "1"}, {"hash seed": "1"}),
    Setting("hash 2", {"PYTHONHASHSEED": "2"}, {"hash seed": "2"}),
    Setting("locale C", {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, {"locale": "C"}),
    Setting("Kathmandu", {"TZ": "Asia/Kathmandu"}, {"zone": 20_700}),
]
QUICK = ("fresh", "core only", "Haswell", "SIMD off", "hash 1")


class ResearchRefuser(importlib.abc.MetaPathFinder):
    """Makes what production must not need unimportable."""

    names = frozenset({"sklearn", "feature_engine", "pandas", "scipy", "skops"})

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        """Refuse, or leave the module to the other finders."""
        if fullname.partition(".")[0] in self.names or fullname.startswith(LIBRARY):
            raise ImportError(f"{fullname} is not for production")


@contextmanager
def core_only() -> Iterator[None]:
    """While it lasts, nothing but the core requirements can be imported anew."""
    refuser = ResearchRefuser()
    sys.meta_path.insert(0, refuser)
    try:
        yield
    finally:
        sys.meta_path.remove(refuser)


def prepare(folder: Path, only: str) -> list[str]:
    """Fit, compile and save every pipeline, with its rows and the first outputs of ours and of scikit-learn."""
    from pipeline_lib.compiler.compile import compile_pipeline
    from tools.zoo import cases

    names = []
    for case in cases(only):
        place = folder / case.name.replace(" ", "_")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # feature-engine calls what pandas will remove
            model = compile_pipeline(case.fitted, like=case.rows)
        model.save(place)
        rows = conform(case.rows, model.row)
        pq.write_table(rows, place / "rows.parquet")
        pq.write_table(model.evaluate(rows).outputs, place / "outputs.parquet")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.save(place / "control.npy", plain(case.fitted, rows))
        (place / "control.pickle").write_bytes(pickle.dumps(case.fitted))  # a control of this tool, in its own folder
        names.append(place.name)
    return names


def plain(fitted: Any, rows: pa.Table) -> Any:
    """scikit-learn's own numbers: probabilities, decision values, or predictions."""
    from pipeline_lib.rows.frames import to_frame

    method = next(m for m in ("predict_proba", "decision_function", "predict") if hasattr(fitted, m))
    return np.asarray(getattr(fitted, method)(to_frame(rows)), dtype=np.float64)


def in_batches(model: CompiledPipeline, rows: pa.Table, expected: pa.Table) -> dict[str, int]:
    """How many rows differ in batches of each size, in another order, and from two threads at once."""
    order = np.random.default_rng(0).permutation(rows.num_rows)
    shuffled = rows.take(pa.array(order))
    columns = list(np.random.default_rng(0).permutation(rows.column_names))
    found = {str(size): batched(model, rows, expected, size) for size in BATCHES}
    found["rows shuffled"] = count(model.evaluate(shuffled).outputs, expected.take(pa.array(order)))
    mixed = conform(rows.select(columns), model.row)
    found["columns shuffled"] = count(model.evaluate(mixed).outputs, expected)
    halves = [rows.slice(0, rows.num_rows // 2), rows.slice(rows.num_rows // 2)]
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda part: model.evaluate(part).outputs, halves * 4))
    found["two at once"] = sum(count(pa.concat_tables(parts[i : i + 2]), expected) for i in range(0, 8, 2))
    return found


def batched(model: CompiledPipeline, rows: pa.Table, expected: pa.Table, size: int) -> int:
    """How many rows differ in batches of a size."""
    parts = [model.evaluate(rows.slice(start, size)).outputs for start in range(0, rows.num_rows, size)]
    return count(pa.concat_tables(parts), expected)


def count(found: pa.Table, expected: pa.Table) -> int:
    """How many rows differ in their bits."""
    return int(differing_rows(expected, found).sum())


def alone(model: CompiledPipeline, rows: pa.Table, expected: pa.Table) -> int:
    """How many rows differ when each is predicted alone, by the row executor."""
    roots = list(model.plan.outputs.values())
    values = [model._rows.evaluate(roots, row) for row in rows.to_pylist()]
    columns = [
        pa.array([row[place] for row in values], field.type, from_pandas=False)
        for place, field in enumerate(expected.schema)
    ]
    return count(pa.Table.from_arrays(columns, schema=expected.schema), expected)


def judge(folder: Path, libraries: bool, every: bool) -> dict[str, Any]:
    """In a fresh process: which rows of each pipeline differ, and what this process is."""
    found: dict[str, Any] = {"rows": {}, "control": {}}
    with nullcontext() if libraries else core_only():
        return {**_judged(folder, found, libraries=libraries, every=every), "proof": proof()}


def _judged(folder: Path, found: dict[str, Any], *, libraries: bool, every: bool) -> dict[str, Any]:
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        model = load_model(place)
        rows, expected = (pq.read_table(place / name) for name in ("rows.parquet", "outputs.parquet"))
        few = SINGLE_ROWS if not every else rows.num_rows
        differing = {"whole": count(model.evaluate(rows).outputs, expected)}
        differing["1"] = alone(model, rows.slice(0, few), expected.slice(0, few))
        differing |= in_batches(model, rows, expected) if every else {}
        found["rows"][place.name] = differing
        if libraries:
            found["control"][place.name] = control(place, rows, every)
    return found


def control(place: Path, rows: pa.Table, every: bool) -> int:
    """How many rows scikit-learn itself answers otherwise than in the first process, whole or in small batches."""
    fitted = pickle.loads((place / "control.pickle").read_bytes())  # noqa: S301  written by `prepare` just now
    expected = np.load(place / "control.npy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if every:
            blocks = [plain(fitted, rows.slice(start, 1)) for start in range(SINGLE_ROWS)]
            found, expected = np.concatenate(blocks), expected[:SINGLE_ROWS]
        else:
            found = plain(fitted, rows)
    different = (found != expected) & ~(np.isnan(found) & np.isnan(expected))
    return int(different.reshape(len(different), -1).any(axis=1).sum())


def proof() -> dict[str, Any]:
    """What this process is, as far as settings change it."""
    import locale
    import time

    found: dict[str, Any] = {"hash seed": os.environ.get("PYTHONHASHSEED"), "zone": -time.timezone}
    found |= {"locale": locale.setlocale(locale.LC_ALL, ""), "python": sys.version.split()[0]}
    from numpy._core._multiarray_umath import __cpu_features__ as features  # type: ignore[attr-defined,import-not-found,unused-ignore]

    levels = [name for name in ("X86_V2", "X86_V3", "X86_V4") if features.get(name)]
    found["simd"] = levels[-1] if levels else "other"
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return found
    blas = [info for info in threadpool_info() if info["user_api"] == "blas"]
    if blas:
        found |= {"kernel": blas[0].get("architecture"), "threads": blas[0]["num_threads"]}
    return found


def run(setting: Setting, folder: Path) -> dict[str, Any]:
    """Judge in a fresh process under a setting, which must have taken effect."""
    environment = {**os.environ, **setting.environment, "PYTHONPATH": str(ROOT)}
    request = [str(folder), str(int(setting.libraries)), str(int(setting.name == "fresh"))]
    command = [*setting.prefix, setting.python, "-m", "tools.bits", "--judge", *request]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode:
        raise SystemExit(f"{setting.name}: the process failed\n{result.stderr}")
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    wrong = {key: found["proof"].get(key) for key, value in setting.proof.items() if found["proof"].get(key) != value}
    if wrong:
        raise SystemExit(f"{setting.name}: found {wrong}, expected {setting.proof}: the setting took no effect")
    return found


def other_pythons(folder: Path) -> list[Setting]:
    """A setting for each other Python of the range on this machine, with the core requirements alone."""
    uv = str(Path(sys.executable).parent / "uv")
    settings = []
    for minor in (11, 12, 13):
        if minor == sys.version_info.minor:
            continue
        known = sorted(
            Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/3.{minor}.*/bin/python")
        )
        request = [str(known[0])] if known else ["--no-python-downloads", f"3.{minor}"]
        place = folder.parent / f"python3.{minor}"
        steps = [["venv", "--quiet", "--python", *request, str(place)]]
        steps += [["pip", "install", "--quiet", "--python", str(place / "bin/python"), "--require-hashes", "-r"]]
        steps[-1].append(str(ROOT / "requirements-core.lock"))
        if all(subprocess.run([uv, *step], capture_output=True, check=False).returncode == 0 for step in steps):  # noqa: S603
            python = str(place / "bin/python")
            settings.append(Setting(f"3.{minor}", {}, {}, python=python, libraries=False))
        else:
            print(f"no Python 3.{minor} here")
    return settings


def emulated() -> list[Setting]:
    """A setting for each emulated CPU, where qemu-user is installed."""
    import shutil

    qemu = shutil.which("qemu-x86_64")
    cpus = ("Haswell", "Nehalem") if qemu else ()
    return [
        Setting(f"qemu {cpu}", {}, {"kernel": cpu}, prefix=(str(qemu), "-cpu", cpu), libraries=False) for cpu in cpus
    ]


def table(found: dict[str, dict[str, Any]]) -> tuple[str, int]:
    """The matrix as text, and how many cells are not zero."""
    heads = [f"{name}: {batch}" for name, result in found.items() for batch in next(iter(result["rows"].values()))]
    lines = [f"{number:>3}  {head}" for number, head in enumerate(heads, 1)]
    pipelines = list(next(iter(found.values()))["rows"])
    lines += ["", f"{'rows that differ':<28}" + "".join(f"{number:>4}" for number in range(1, len(heads) + 1))]
    bad = 0
    for pipeline in pipelines:
        cells = [n for result in found.values() for n in result["rows"][pipeline].values()]
        bad += sum(n != 0 for n in cells)
        lines.append(f"{pipeline.replace('_', ' '):<28}" + "".join(f"{n:>4}" for n in cells))
    lines += ["", "scikit-learn's own answers: pipelines of which some rows differ from the first process"]
    for name, result in found.items():
        if result["control"]:
            red = sum(n > 0 for n in result["control"].values())
            how = "one row at a time" if name == "fresh" else "whole"
            lines.append(f"  {name:<10} {red:>3} of {len(result['control'])} ({how})")
    return "\n".join(lines), bad


def matrix(only: str = "", *, quick: bool = False) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Judge every pipeline under every setting; also which controls stayed green that should be red."""
    with tempfile.TemporaryDirectory(prefix="bits-") as place:
        folder = Path(place) / "pipelines"
        folder.mkdir()
        prepare(folder, only)
        settings = [s for s in SETTINGS if not quick or s.name in QUICK]
        settings += [] if quick else [*other_pythons(folder), *emulated()]
        found = {}
        for setting in settings:
            found[setting.name] = run(setting, folder)
            print(f"{setting.name}: {found[setting.name]['proof']}", flush=True)
    must = [name for name in ("fresh", "Haswell", "Nehalem", "Prescott", "SIMD off") if name in found and not only]
    return found, [name for name in must if not any(found[name]["control"].values())]


def main() -> int:
    """Print the matrix; 1 where a bit differs, or where no control turned red."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only pipelines whose name contains this")
    parser.add_argument("--quick", action="store_true", help="a smaller grid")
    parser.add_argument("--judge", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.judge:
        folder, libraries, every = asked.judge
        print(json.dumps(judge(Path(folder), libraries == "1", every == "1")))
        return 0
    found, green = matrix(asked.only, quick=asked.quick)
    text, bad = table(found)
    print(text)
    print(f"{bad} cells differ" if bad else "every cell is 0: no bit differs")
    if green:
        print(f"controls that should have turned red and did not: {', '.join(green)}")
    return 1 if bad or green else 0


if __name__ == "__main__":
    sys.exit(main())
