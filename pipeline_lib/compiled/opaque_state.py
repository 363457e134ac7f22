"""The state of an opaque step on disk: a zip file, read without executing what is in it.

    schema.json, arrays   the fitted object in skops format, whose classes and functions `opaque_trust` admits
    parts/N.txt, ...      boosters as their library's own model file: LightGBM text, XGBoost UBJSON, CatBoost's cbm
    packages.json         the packages whose classes the step holds, with the versions that it was compiled with

In the skops tree a `Part` takes the place of a booster and of what pandas holds, which skops does not store. States
without packages.json are of earlier releases.
"""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any
from zipfile import ZipFile

import numpy as np

from pipeline_lib.compiled.opaque_objects import MODEL_FILES, PARTS, check_object
from pipeline_lib.compiled.opaque_trust import may_be_trusted, nodes_of, refused_names
from pipeline_lib.compiled.opaque_versions import PACKAGES, check_versions
from pipeline_lib.errors import InputError


class UntrustedError(InputError):
    """The state of a `step` that holds classes or functions, by `names`, that are not admitted."""

    def __init__(self, message: str, names: Sequence[str], step: str) -> None:
        super().__init__(message)
        self.names = tuple(names)
        self.step = step


class Part:
    """The place of an object that skops does not store: `kind` says what it is, `content` holds it as data.

    Of a booster, `content` names its model file in the state.
    """

    def __init__(self, kind: str, content: Mapping[str, Any]) -> None:
        self.kind = kind
        self.content = dict(content)


def load_state(
    state: bytes, library: str, trust: Sequence[str] = (), *, other_versions: bool = False, name: str = ""
) -> Any:
    """A fitted step from its state. What is admitted: see `opaque_trust`; `name` is the step's name in messages.

    Attributes named `n_jobs` become 1. Raises UntrustedError for what is not admitted, and InputError for a damaged
    state and, without `other_versions`, where a package of the step has another version than when it was compiled.
    """
    import skops.io

    where = f"step {name}: " if name else ""
    try:
        with ZipFile(io.BytesIO(state)) as archive:
            schema = json.loads(archive.read("schema.json"))
            packages = json.loads(archive.read(PACKAGES)) if PACKAGES in archive.namelist() else {}
            files = {entry: archive.read(entry) for entry in archive.namelist() if entry.startswith("parts/")}
    except Exception as error:  # a damaged file can make zip and JSON raise anything
        raise InputError(
            f"{where}found a damaged opaque step ({error}), expected a zip file in skops format; run again"
        ) from error
    check_versions(where, packages, other_versions)
    try:
        refused = refused_names(schema, library, trust)
    except RecursionError:
        raise InputError(f"{where}found an opaque step nested too deeply, expected state of a fitted step") from None
    if refused:
        raise UntrustedError(f"{where}{_refusal(refused, library)}", refused, name)
    try:
        loaded = skops.io.loads(state, trusted=sorted({node.full_name for node in nodes_of(schema)}))
        return _Restored(files).of(loaded)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{where}found an opaque step that cannot be loaded ({type(error).__name__}: {error}), expected state of "
            "the installed libraries; run again"
        ) from error


def _refusal(refused: Sequence[str], library: str) -> str:
    return (
        f"found {', '.join(refused)} in an opaque step, expected only estimators of scikit-learn and feature-engine, "
        "which must be installed, LightGBM's, XGBoost's and CatBoost's, "
        f"and what {library}.steps and {library}.pipelines export; {_remedy(refused)}"
    )


def _remedy(refused: Sequence[str]) -> str:
    own = {name.partition(".")[0] for name in refused if name.split(".")[1:2] in (["steps"], ["pipelines"])}
    roots = {name.partition(".")[0] for name in refused}
    if len(own) == len(roots) == 1:
        return f"where you trust that package, load_model(folder, library={own.pop()!r})"
    if "__main__" in roots:
        return "export own code from a notebook: put `#| export` on the cell that defines it, and run `make export`"
    if roots <= {"sklearn", "feature_engine", *MODEL_FILES}:
        return "pip install 'nb-pipeline-lib[opaque]'"
    if not all(map(may_be_trusted, roots)):
        return "keep such objects out of the fitted steps"
    trusted = ", ".join(repr(root) for root in sorted(roots))
    return f"where you trust {', '.join(sorted(roots))}, pass trust=({trusted},) to load_model, and when you compile"


class _Restored:
    """A loaded object whose parts are made, and whose estimators use one job."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._made: dict[int, Any] = {}
        self._kept: list[Any] = []  # so that no other object gets their ids

    def of(self, thing: Any) -> Any:
        """The object that takes a thing's place: the thing itself, changed inside, but for parts and tuples."""
        if isinstance(thing, str | bytes | int | float | type(None)):
            return thing
        if id(thing) in self._made:
            return self._made[id(thing)]
        self._kept.append(thing)
        self._made[id(thing)] = thing
        if isinstance(thing, Part):
            made = self._part(thing)
        elif isinstance(thing, tuple):
            items = [self.of(item) for item in thing]
            same = all(new is old for new, old in zip(items, thing, strict=True))
            made = thing if same else tuple(items)
        else:
            made = thing
            self._inside(thing)
        self._made[id(thing)] = made
        return made

    def _inside(self, thing: Any) -> None:
        if isinstance(thing, dict):
            for key, value in thing.items():
                thing[key] = self.of(value)
        elif isinstance(thing, list):
            thing[:] = [self.of(item) for item in thing]
        elif isinstance(thing, np.ndarray):
            if thing.dtype == object:
                for index, item in np.ndenumerate(thing):
                    thing[index] = self.of(item)
        elif hasattr(thing, "__dict__") and not isinstance(thing, type):
            for key, value in vars(thing).items():
                vars(thing)[key] = self.of(value)
            if vars(thing).get("n_jobs") not in (None, 1):
                thing.n_jobs = 1
        check_object(thing)

    def _part(self, part: Part) -> Any:
        if part.kind not in PARTS:
            raise InputError(f"found a part {part.kind!r}, expected one of {', '.join(PARTS)}; run again")
        content = {name: self.of(value) for name, value in part.content.items()}
        if "file" in content:
            content["file"] = self._files[content["file"]]
        return PARTS[part.kind](content)
