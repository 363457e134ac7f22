"""A model file from elsewhere: which packages and versions it needs, read without loading it.

    pickle       the names that its opcodes would import, and the versions that scikit-learn's objects note
    joblib       the same, decompressed
    skops        the names and versions in its JSON

What loading would run besides the classes of known packages is named.
"""

import bz2
import gzip
import io
import json
import lzma
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

from pipeline_lib.compiled.opaque_trust import nodes_of
from pipeline_lib.compiled.opaque_versions import DISTRIBUTIONS
from pipeline_lib.compiler.pickle_names import Made, Name, read_pickle_names
from pipeline_lib.errors import InputError

_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZ": "bz2", b"\xfd7z": "xz", b"]\x00": "lzma", b"x": "zlib"}
_PLAIN = ("builtins", "__builtin__", "collections", "copyreg", "copy_reg", "datetime", "_codecs", "_loss", "joblib")
_PACKAGES = frozenset(
    {
        *("sklearn", "numpy", "scipy", "pandas", "lightgbm", "xgboost", "catboost", "imblearn"),
        *("category_encoders", "feature_engine", "pipeline_lib"),
    }
)
_RUNS = ("eval", "exec", "compile", "open", "__import__", "getattr", "setattr", "input", "breakpoint")
_SHOWN = 8
_PAGE = "see In production, A model fitted elsewhere"
_REMEDY = "name a model that pickle, joblib or skops wrote; a booster's own model file is loaded by its library"


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds and needs.

    `kind` is its format, `of` the class of the outermost object. `versions` are the packages that it needs with the
    versions that it was written with, "" where it does not say. `others` are names of no known package: loading the
    file imports them, and may run them.
    """

    kind: str
    of: str
    versions: dict[str, str]
    others: tuple[str, ...]

    @property
    def wrong(self) -> dict[str, str]:
        """The packages of which another version, or none, is installed; with the version that the file needs."""
        return {name: version for name, version in self.versions.items() if version not in ("", _installed(name))}

    def __str__(self) -> str:
        lines = [f"{self.kind} of {self.of}; nothing in it was loaded"]
        for name, version in self.versions.items():
            written = f"written with {version}" if version else "the file does not say its version"
            installed = _installed(name)
            lines.append(f"  {name}: {written}, installed: {installed or 'none'}")
        if self.others:
            lines.append(f"  of no known package: {', '.join(self.others[:_SHOWN])}")
            lines.append("  loading the file imports these and may run them; load it only where you trust its author")
        lines.append(f"  {self._advice()}")
        return "\n".join(lines)

    def _advice(self) -> str:
        if not any(self.versions.values()):
            return f"it names no version: compare the compiled pipeline with its own environment's ({_PAGE})"
        if not self.wrong:
            return "the versions that it names are installed: what loads it can compile it"
        pins = " ".join(f"'{name}=={version}'" for name, version in self.wrong.items())
        return (
            "written with other versions: fit it again here, or load it here and compare the compiled pipeline with "
            f"answers from an environment that has pip install {pins} ({_PAGE})"
        )


def inspect_model(path: str | Path) -> ModelFile:
    """What a pickle, joblib or skops file needs. Raises InputError for another file, and for a damaged one."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(6)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{path}: found {reason}, expected a model file; name one that can be read") from error
    try:
        if start.startswith(b"PK"):
            return _of_skops(path)
        kind = next((name for magic, name in _COMPRESSED.items() if start.startswith(magic)), "")
        with _opened(path, kind) as stream:
            return _of_pickle(stream, f"joblib file ({kind})" if kind else "pickle")
    except (OSError, EOFError, zlib.error, lzma.LZMAError, BadZipFile, KeyError, ValueError) as error:
        raise InputError(f"{path}: found a damaged file ({error}), expected a pickle, joblib or skops file") from error
    except InputError as error:
        raise InputError(f"{path}: {error}; {_REMEDY}") from error


def _opened(path: Path, kind: str) -> BinaryIO:
    if kind == "zlib":
        return io.BytesIO(zlib.decompress(path.read_bytes()))
    opener: Any = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open, "lzma": lzma.open}.get(kind, open)
    stream: BinaryIO = opener(path, "rb")
    return stream


def _of_pickle(stream: BinaryIO, kind: str) -> ModelFile:
    found = read_pickle_names(stream)
    top = found.top.by if isinstance(found.top, Made) else found.top
    while isinstance(top, Made):
        top = top.by
    if isinstance(top, Name) and top.full_name in ("copyreg._reconstructor", "copy_reg._reconstructor"):
        top = found.top.arguments[0]
    states = (made.state for made in found.made if isinstance(made.state, dict))
    noted = [state["_sklearn_version"] for state in states if isinstance(state.get("_sklearn_version"), str)]
    if any(name.module.startswith("joblib.") for name in found.names) and kind == "pickle":
        kind = "joblib file"
    of = top.full_name if isinstance(top, Name) else type(found.top).__name__
    return _model_file(f"{kind}, protocol {found.protocol},", of, [(n.module, n.name) for n in found.names], noted)


def _of_skops(path: Path) -> ModelFile:
    with ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))
    names = [(node.module, node.name) for node in nodes_of(schema)]
    noted = list(_sklearn_versions(schema))
    of = f"{schema['__module__']}.{schema['__class__']}"
    return _model_file(f"skops file (skops {schema.get('_skops_version')})", of, names, noted)


def _sklearn_versions(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        noted = schema.get("_sklearn_version")
        if isinstance(noted, dict) and isinstance(noted.get("content"), str):
            yield str(json.loads(noted["content"]))
    for child in (schema.values() if isinstance(schema, dict) else schema) if isinstance(schema, dict | list) else ():
        yield from _sklearn_versions(child)


def _model_file(kind: str, of: str, names: list[tuple[str, str]], noted: list[str]) -> ModelFile:
    """`noted` are the versions that scikit-learn's objects note: of a whole file they are one."""
    roots = sorted({module.partition(".")[0] for module, _ in names} & _PACKAGES)
    needed = {DISTRIBUTIONS.get(root, root): "" for root in roots}
    known = (*_PACKAGES, *_PLAIN)
    others = {
        f"{module}.{name}"
        for module, name in names
        if module.partition(".")[0] not in known or (module in ("builtins", "__builtin__") and name in _RUNS)
    }
    return ModelFile(kind, of, needed | ({"scikit-learn": noted[-1]} if noted else {}), tuple(sorted(others)))


def _installed(name: str) -> str:
    candidates = (name, f"{name}-cpu") if name == "xgboost" else (name,)
    for candidate in candidates:
        try:
            return metadata.version(candidate)
        except metadata.PackageNotFoundError:
            continue
    module = sys.modules.get(name)
    return str(getattr(module, "__version__", "")) if module else ""
