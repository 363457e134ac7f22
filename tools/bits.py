"""The parity matrix: many pipelines, many settings, the number of rows whose bits differ from the first run.

    python -m tools.bits [--only NAME] [--quick]

Each pipeline is fitted and compiled once. Its outputs are then computed again in batches of other sizes, in
another order, from two threads, and in fresh processes under other BLAS kernels, SIMD levels, thread counts, hash
seeds, locales, time zones and Pythons. Each process proves that its setting took effect. scikit-learn's own
predictions are the control: some settings must change them.
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
SINGLE_ROWS = 150  # rows that each process predicts one by one
BATCHES = (1_000, 64, 7, 3, 2)


@dataclass(frozen=True)
class Setting:
    """A fresh process: its name, its environment variables, and what its proof must contain."""

    name: str
    environment: dict[str, str]
    proof: dict[str, Any]
    python: str = sys.executable
    prefix: tuple[str, ...] = ()
    libraries: bool = field(default=True)  # whether scikit-learn runs, too, as the control


SETTINGS = [
    Setting("fresh", {}, {}),
    Setting("core only", {}, {}, libraries=False),
    Setting("1 thread", {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}, {"threads": 1}),
    Setting("2 threads", {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}, {"threads": 2}),
    Setting("SkylakeX", {"OPENBLAS_CORETYPE": "SkylakeX"}, {"kernel": "SkylakeX"}),
    Setting("Haswell", {"OPENBLAS_CORETYPE": "Haswell"}, {"kernel": "Haswell"}),
    Setting("Nehalem", {"OPENBLAS_CORETYPE": "Nehalem"}, {"kernel": "Nehalem"}),
    Setting("Prescott", {"OPENBLAS_CORETYPE": "Prescott"}, {"kernel": "Katmai"}),  # OpenBLAS reports both as Katmai
    Setting("SIMD off", {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"}, {"simd": "X86_V2"}),
    Setting("hash 1", {"PYTHONHASHSEED": "1"}, {"hash seed": "1"}),
    Setting("hash 2", {"PYTHONHASHSEED": "2"}, {"hash seed": "2"}),
    Setting("locale C", {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, {"locale": "C"}),
    Setting("Kathmandu", {"TZ": "Asia/Kathmandu"}, {"zone": 20_700}),
]
QUICK = ("fresh", "core only", "Haswell", "SIMD off", "hash 1")


class ResearchRefuser(importlib.abc.MetaPathFinder):
    """Refuses imports of packages that production must not need."""

    names = frozenset({"sklearn", "feature_engine", "pandas", "scipy", "skops"})

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        """Refuse a forbidden module; return None for others, which leaves them to the other finders."""
        if fullname.partition(".")[0] in self.names or fullname.startswith(LIBRARY):
            raise ImportError(f"{fullname} is not for production")


@contextmanager
def core_only() -> Iterator[None]:
    """Within this context, modules beyond the core requirements cannot be imported."""
    refuser = ResearchRefuser()
    sys.meta_path.insert(0, refuser)
    try:
        yield
    finally:
        sys.meta_path.remove(refuser)


def prepare(folder: Path, only: str) -> list[str]:
    """Fit, compile and save every pipeline, with its rows, our outputs and those of scikit-learn."""
    from pipeline_lib.compiler.compile import compile_pipeline
    from tools.zoo import cases

    names = []
    for case in cases(only):
        path = folder / case.name.replace(" ", "_")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # feature-engine calls deprecated functions of pandas
            model = compile_pipeline(case.fitted, like=case.rows)
        model.save(path)
        rows = conform(case.rows, model.row)
        pq.write_table(rows, path / "rows.parquet")
        pq.write_table(model.evaluate(rows).outputs, path / "outputs.parquet")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.save(path / "control.npy", library_outputs(case.fitted, rows))
        (path / "control.pickle").write_bytes(pickle.dumps(case.fitted))  # in a temporary folder of this tool
        names.append(path.name)
    return names


def library_outputs(fitted: Any, rows: pa.Table) -> Any:
    """scikit-learn's own numbers: probabilities, decision values, or predictions."""
    from pipeline_lib.rows.frames import to_frame

    method = next(m for m in ("predict_proba", "decision_function", "predict") if hasattr(fitted, m))
    return np.asarray(getattr(fitted, method)(to_frame(rows)), dtype=np.float64)


def in_batches(model: CompiledPipeline, rows: pa.Table, expected: pa.Table) -> dict[str, int]:
    """The count of rows that differ in batches of each size, in another order, and from two threads at once."""
    order = np.random.default_rng(0).permutation(rows.num_rows)
    shuffled = rows.take(pa.array(order))
    columns = list(np.random.default_rng(0).permutation(rows.column_names))
    counts = {str(size): batched(model, rows, expected, size) for size in BATCHES}
    counts["rows shuffled"] = count(model.evaluate(shuffled).outputs, expected.take(pa.array(order)))
    mixed = conform(rows.select(columns), model.row)
    counts["columns shuffled"] = count(model.evaluate(mixed).outputs, expected)
    halves = [rows.slice(0, rows.num_rows // 2), rows.slice(rows.num_rows // 2)]
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda part: model.evaluate(part).outputs, halves * 4))
    counts["two at once"] = sum(count(pa.concat_tables(parts[i : i + 2]), expected) for i in range(0, 8, 2))
    return counts


def batched(model: CompiledPipeline, rows: pa.Table, expected: pa.Table, size: int) -> int:
    """The count of rows that differ in batches of a size."""
    parts = [model.evaluate(rows.slice(start, size)).outputs for start in range(0, rows.num_rows, size)]
    return count(pa.concat_tables(parts), expected)


def count(outputs: pa.Table, expected: pa.Table) -> int:
    """The count of rows that differ in their bits."""
    return int(differing_rows(expected, outputs).sum())


def alone(model: CompiledPipeline, rows: pa.Table, expected: pa.Table) -> int:
    """The count of rows that differ when the row executor predicts each alone."""
    roots = list(model.plan.outputs.values())
    values = [model.evaluators.rows.evaluate(roots, row) for row in rows.to_pylist()]
    columns = [
        pa.array([row[index] for row in values], field.type, from_pandas=False)
        for index, field in enumerate(expected.schema)
    ]
    return count(pa.Table.from_arrays(columns, schema=expected.schema), expected)


def judge(folder: Path, libraries: bool, every: bool) -> dict[str, Any]:
    """In a fresh process: counts of differing rows for each pipeline, and the proof of this process's setting."""
    with nullcontext() if libraries else core_only():
        return {**_counts(folder, libraries=libraries, every=every), "proof": proof()}


def _counts(folder: Path, *, libraries: bool, every: bool) -> dict[str, Any]:
    counts: dict[str, Any] = {"rows": {}, "control": {}}
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        model = load_model(path)
        rows, expected = (pq.read_table(path / name) for name in ("rows.parquet", "outputs.parquet"))
        few = SINGLE_ROWS if not every else rows.num_rows
        differing = {"whole": count(model.evaluate(rows).outputs, expected)}
        differing["1"] = alone(model, rows.slice(0, few), expected.slice(0, few))
        differing |= in_batches(model, rows, expected) if every else {}
        counts["rows"][path.name] = differing
        if libraries:
            counts["control"][path.name] = control(path, rows, every)
    return counts


def control(path: Path, rows: pa.Table, every: bool) -> int:
    """The count of rows for which scikit-learn's own outputs differ from the first process, whole or one by one."""
    fitted = pickle.loads((path / "control.pickle").read_bytes())  # noqa: S301  written by `prepare` just now
    expected = np.load(path / "control.npy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if every:
            blocks = [library_outputs(fitted, rows.slice(start, 1)) for start in range(SINGLE_ROWS)]
            outputs, expected = np.concatenate(blocks), expected[:SINGLE_ROWS]
        else:
            outputs = library_outputs(fitted, rows)
    different = (outputs != expected) & ~(np.isnan(outputs) & np.isnan(expected))
    return int(different.reshape(len(different), -1).any(axis=1).sum())


def proof() -> dict[str, Any]:
    """The properties of this process that settings change."""
    import locale
    import time

    properties: dict[str, Any] = {"hash seed": os.environ.get("PYTHONHASHSEED"), "zone": -time.timezone}
    properties |= {"locale": locale.setlocale(locale.LC_ALL, ""), "python": sys.version.split()[0]}
    from numpy._core._multiarray_umath import __cpu_features__ as features  # type: ignore[attr-defined,import-not-found,unused-ignore]

    levels = [name for name in ("X86_V2", "X86_V3", "X86_V4") if features.get(name)]
    properties["simd"] = levels[-1] if levels else "other"
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return properties
    blas = [info for info in threadpool_info() if info["user_api"] == "blas"]
    if blas:
        properties |= {"kernel": blas[0].get("architecture"), "threads": blas[0]["num_threads"]}
    return properties


def run(setting: Setting, folder: Path) -> dict[str, Any]:
    """Run `judge` in a fresh process under a setting, which must have taken effect."""
    environment = {**os.environ, **setting.environment, "PYTHONPATH": str(ROOT)}
    request = [str(folder), str(int(setting.libraries)), str(int(setting.name == "fresh"))]
    command = [*setting.prefix, setting.python, "-m", "tools.bits", "--judge", *request]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode:
        raise SystemExit(f"{setting.name}: the process failed\n{result.stderr}")
    counts: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    proved = counts["proof"]
    wrong = {key: proved.get(key) for key, value in setting.proof.items() if proved.get(key) != value}
    if wrong:
        raise SystemExit(f"{setting.name}: found {wrong}, expected {setting.proof}: the setting took no effect")
    return counts


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
        path = folder.parent / f"python3.{minor}"
        steps = [["venv", "--quiet", "--python", *request, str(path)]]
        steps += [["pip", "install", "--quiet", "--python", str(path / "bin/python"), "--require-hashes", "-r"]]
        steps[-1].append(str(ROOT / "requirements-core.lock"))
        if all(subprocess.run([uv, *step], capture_output=True, check=False).returncode == 0 for step in steps):  # noqa: S603
            python = str(path / "bin/python")
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


def table(results: dict[str, dict[str, Any]]) -> tuple[str, int]:
    """The matrix as text, and the count of cells that are not zero."""
    heads = [f"{name}: {batch}" for name, result in results.items() for batch in next(iter(result["rows"].values()))]
    lines = [f"{number:>3}  {head}" for number, head in enumerate(heads, 1)]
    pipelines = list(next(iter(results.values()))["rows"])
    lines += ["", f"{'rows that differ':<28}" + "".join(f"{number:>4}" for number in range(1, len(heads) + 1))]
    bad = 0
    for pipeline in pipelines:
        cells = [n for result in results.values() for n in result["rows"][pipeline].values()]
        bad += sum(n != 0 for n in cells)
        lines.append(f"{pipeline.replace('_', ' '):<28}" + "".join(f"{n:>4}" for n in cells))
    lines += ["", "scikit-learn's own outputs: pipelines of which some rows differ from the first process"]
    for name, result in results.items():
        if result["control"]:
            red = sum(n > 0 for n in result["control"].values())
            how = "one row at a time" if name == "fresh" else "whole"
            lines.append(f"  {name:<10} {red:>3} of {len(result['control'])} ({how})")
    return "\n".join(lines), bad


def matrix(only: str = "", *, quick: bool = False) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Judge every pipeline under every setting; also the settings whose control did not differ, but should have."""
    with tempfile.TemporaryDirectory(prefix="bits-") as temporary:
        folder = Path(temporary) / "pipelines"
        folder.mkdir()
        prepare(folder, only)
        settings = [s for s in SETTINGS if not quick or s.name in QUICK]
        settings += [] if quick else [*other_pythons(folder), *emulated()]
        results = {}
        for setting in settings:
            results[setting.name] = run(setting, folder)
            print(f"{setting.name}: {results[setting.name]['proof']}", flush=True)
    must = [] if only else [name for name in must_differ(results["fresh"]["proof"]) if name in results]
    return results, [name for name in must if not any(results[name]["control"].values())]


def must_differ(own: dict[str, Any]) -> list[str]:
    """The settings in which libraries must answer otherwise than on this machine, whose facts are `own`.

    Its own kernel changes nothing; without AVX-512 NumPy's functions need no other instructions than they always have.
    """
    names = ["fresh", *(name for name in ("Haswell", "Nehalem", "Prescott") if name != own["kernel"])]
    return [*names, "SIMD off"] if own["simd"] == "X86_V4" else names


def main() -> int:
    """Print the matrix; 1 where a bit differs, or where a control should have differed and did not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only pipelines whose name contains this")
    parser.add_argument("--quick", action="store_true", help="a smaller grid")
    parser.add_argument("--judge", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.judge:
        folder, libraries, every = arguments.judge
        print(json.dumps(judge(Path(folder), libraries == "1", every == "1")))
        return 0
    results, unchanged = matrix(arguments.only, quick=arguments.quick)
    text, bad = table(results)
    print(text)
    print(f"{bad} cells differ" if bad else "every cell is 0: no bit differs")
    if unchanged:
        print(f"controls that should have differed and did not: {', '.join(unchanged)}")
    return 1 if bad or unchanged else 0


if __name__ == "__main__":
    sys.exit(main())
