"""Likely causes of a divergence: the variation itself, changed code, differences between two environments."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline_lib.parity.divergence import RAW
from pipeline_lib.parity.result import EDGES, FRESH, Outcome
from pipeline_lib.parity.variations import Variation
from pipeline_lib.records.layout import LIBRARY
from pipeline_lib.records.record import Record

OWN = ("nb-pipeline-lib", "numpy", "pyarrow")
"""Packages that the arithmetic of exact steps and deliveries use."""
LIBRARIES = ("scikit-learn", "feature-engine", "pandas", "scipy", "skops", "lightgbm", "xgboost")
ACCELERATORS = ("bottleneck", "numexpr", "numba", "scikit-learn-intelex", "threadpoolctl")


def with_causes(
    outcome: Outcome,
    variation: Variation,
    *,
    fresh_exact: bool,
    readers: Sequence[str],
    environment: Sequence[str],
    code: Sequence[str],
) -> Outcome:
    """The outcome with its likely causes, the most likely first; they belong to its divergence where it has one.

    `readers` are functions that read the clock, `environment` and `code` differences from the recorded ones.
    """
    divergence = outcome.divergence
    lines = [f"the wall clock is read: {reader}; pass the date in as a column or a parameter" for reader in readers]
    if divergence and divergence.step == RAW:  # before any step, so no environment is involved
        cause = f"the delivery changed the raw value before the pipeline saw it: {variation.what}"
        return replace(outcome, divergence=replace(divergence, causes=(cause,)))
    if fresh_exact and variation.name not in (FRESH, EDGES):
        lines.append(f"the variation itself: {variation.what}; without it a fresh process repeats every bit")
    nothing = (
        "nothing that was recorded of the environment differs: the artifact, the evidence or the step's code is not "
        "what the run sealed; make a new run and compare the two"
    )
    causes = (*lines, *code, *environment) or (nothing,)
    if divergence is None:
        return replace(outcome, causes=causes)
    return replace(outcome, divergence=replace(divergence, causes=causes))


def code_differences(record: Record, library: str) -> list[str]:
    """The exported cells of a run whose code is no longer in the library; opaque steps run this code."""
    spec = find_spec(library)
    if spec is None or spec.origin is None:
        return []
    root = Path(spec.origin).parent.parent
    lines = []
    for cell in record.read_json(LIBRARY) or []:
        module = root / cell["module"]
        if not module.is_file():
            lines.append(f"{cell['module']}, which the run used, is absent")
        elif cell["source"] not in module.read_text(encoding="utf-8"):
            lines.append(f"the code of {cell['module']}, cell {cell['cell']}, is not what the run used")
    return list(dict.fromkeys(lines))


def environment_differences(recorded: Mapping[str, Any] | None, here: Mapping[str, Any], *, opaque: bool) -> list[str]:
    """The differences between the recorded environment and another; those that may move bits of this artifact first."""
    if not recorded:
        return ["the record does not describe its environment"]
    first, second = (LIBRARIES, OWN) if opaque else (OWN, LIBRARIES)
    before, after = recorded.get("packages", {}), here.get("packages", {})
    lines = [line for names in (first, second, ACCELERATORS) for line in _packages(names, before, after)]
    machine = [
        *_other_blas(recorded, here, "BLAS", "architecture", "version"),
        *_changed("CPU", _at(recorded, "cpu", "model"), _at(here, "cpu", "model")),
        *_features(recorded, here),
        *_other_blas(recorded, here, "threads", "num_threads"),
    ]
    python = _changed("Python", _at(recorded, "python", "version"), _at(here, "python", "version"))
    lines += [*machine, *python] if opaque else [*python, *machine]
    lines += _changed("libc", _at(recorded, "system", "libc"), _at(here, "system", "libc"))
    for kind in ("numeric", "time", "encoding"):
        lines += _changed(f"locale ({kind})", _at(recorded, "locale", kind), _at(here, "locale", kind))
    lines += _changed("time zone", recorded.get("time_zone"), here.get("time_zone"))
    old, new = recorded.get("variables") or {}, here.get("variables") or {}
    lines += [line for name in sorted({*old, *new}) for line in _changed(name, old.get(name), new.get(name))]
    known = {*OWN, *LIBRARIES, *ACCELERATORS}
    others = [name for name in {*before, *after} if name.lower() not in known and before.get(name) != after.get(name)]
    return [*lines, *([f"{len(others)} other packages: {_few(sorted(others))}"] if others else [])]


def _packages(names: Sequence[str], before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    old, new = ({name.lower(): version for name, version in packages.items()} for packages in (before, after))
    return [line for name in names for line in _changed(name, old.get(name), new.get(name))]


def _changed(name: str, recorded: Any, here: Any) -> list[str]:
    if recorded == here:
        return []
    before, after = ("absent" if value in (None, [], {}) else _as_text(value) for value in (recorded, here))
    return [f"{name}: {before} → {after}"]


def _features(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    before, after = (set(_at(one, "cpu", "features") or ()) for one in (recorded, here))
    lost, gained = _few(sorted(before - after)), _few(sorted(after - before))
    lines = [f"CPU features: {lost} absent here"] if lost else []
    return lines + ([f"CPU features: {gained} here only"] if gained else [])


def _other_blas(recorded: Mapping[str, Any], here: Mapping[str, Any], name: str, *keys: str) -> list[str]:
    """A difference in the loaded libraries; fewer libraries than recorded are no difference."""
    before, after = _blas(recorded, *keys), _blas(here, *keys)
    return _changed(name, before, after) if set(after) - set(before) else []


def _blas(environment: Mapping[str, Any], *keys: str) -> list[str]:
    """The loaded linear algebra libraries, each as the text of some of its properties."""
    loaded = [library for library in environment.get("blas", []) if library.get("user_api") == "blas"]
    return sorted({" ".join(str(library.get(key)) for key in keys) for library in loaded})


def _at(environment: Mapping[str, Any], group: str, key: str) -> Any:
    return (environment.get(group) or {}).get(key)


def _as_text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _few(names: Sequence[str]) -> str:
    return f"{', '.join(names[:6])}{f' and {len(names) - 6} more' if len(names) > 6 else ''}"
