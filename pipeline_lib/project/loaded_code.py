"""Is loaded code the code that the notebooks export?"""

import ast
import copy
import importlib
import importlib.util
import types
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.code_digest import CodeDigests, same_code
from pipeline_lib.project.project import GENERATED, Project


def changed_names(module: types.ModuleType) -> list[str]:
    """Names that a loaded module defines otherwise than its file now does, sorted.

    The file is executed as a throw-away module, so edited functions, classes and values all show.
    """
    loaded, fresh = _definitions(module), _definitions(_load_fresh(module))
    return sorted(name for name in {*loaded, *fresh} if loaded.get(name) != fresh.get(name))


def with_exported_definitions(fitted: Any, project: Project) -> Any:
    """The fitted pipeline with everything that the running notebook defined replaced by its exported twin.

    The pipeline itself is not touched: a copy is returned where anything had to be replaced.
    Raises InputError for a definition that no exported module holds, and for every lambda.
    """
    own: dict[int, Any] = {}
    _collect(fitted, own, set())
    if not own:
        return fitted
    twins = {key: exported_definition(defined, project) for key, defined in own.items()}
    return _replaced(copy.deepcopy(fitted), twins, set())


def exported_definition(defined: Any, project: Project) -> Any:
    """The exported definition that stands for a class or function of a running notebook (`__main__`).

    Raises InputError when no exported module defines the name, or defines it otherwise.
    """
    name = defined.__qualname__
    if "<" in name:
        raise InputError(
            f"found {name} in the fitted pipeline, expected only functions that production can import by name; "
            "give it a name in an exported cell"
        )
    remedy = f"put `#| export` on the cell that defines {name}, run `make export`, and fit again"
    for path in _modules(project):
        if name not in _defined_names(path):
            continue
        relative = path.relative_to(project.root).with_suffix("")
        twin = getattr(importlib.import_module(".".join(relative.parts)), name)
        if same_code(defined, twin):
            return twin
        raise InputError(
            f"found {name} defined in the notebook otherwise than in {relative.as_posix()}.py, expected the same "
            f"code; {remedy}"
        )
    raise InputError(
        f"found {name}, defined in the notebook, in the fitted pipeline, expected only code that production can "
        f"import; {remedy}"
    )


def _modules(project: Project) -> list[Path]:
    return [path for name in GENERATED for path in sorted((project.package / name).glob("[!_]*.py"))]


def _defined_names(path: Path) -> set[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _definitions(module: types.ModuleType) -> dict[str, str]:
    definitions = CodeDigests(module.__name__)
    # pytest adds names such as @pytest_ar to the modules of a package that brings a plugin
    return {name: definitions.of(value) for name, value in vars(module).items() if not name.startswith(("__", "@"))}


def _load_fresh(module: types.ModuleType) -> types.ModuleType:
    if module.__file__ is None or not Path(module.__file__).is_file():
        raise InputError(f"{module.__name__}: found no file for it, expected an exported module")
    spec = importlib.util.spec_from_file_location(module.__name__, module.__file__)
    if spec is None:
        raise InputError(f"{module.__name__}: found no Python file, expected an exported module")
    fresh = importlib.util.module_from_spec(spec)
    source = Path(module.__file__).read_bytes()  # the cached bytecode may be as old as the loaded module
    exec(compile(source, module.__file__, "exec"), vars(fresh))  # noqa: S102 (the module that is loaded anyway)
    return fresh


def _collect(value: Any, found: dict[int, Any], seen: set[int]) -> None:
    """Gather the classes and functions in a fitted object that no module can be imported for."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, types.FunctionType | type):
        if value.__module__ == "__main__" or "<" in value.__qualname__:
            found[id(value)] = value
    elif isinstance(value, dict):
        for part in (*value.keys(), *value.values()):
            _collect(part, found, seen)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            _collect(part, found, seen)
    elif hasattr(value, "get_params") or type(value).__module__ == "__main__":
        _collect(type(value), found, seen)
        _collect(getattr(value, "__dict__", {}), found, seen)


def _replaced(value: Any, twins: dict[int, Any], seen: set[int]) -> Any:
    """What to put in place of a value of the copied pipeline; objects are changed where they are."""
    if id(value) in twins:
        return twins[id(value)]
    if isinstance(value, tuple):
        return tuple(_replaced(part, twins, seen) for part in value)
    if id(value) in seen:
        return value
    seen.add(id(value))
    if isinstance(value, list):
        value[:] = [_replaced(part, twins, seen) for part in value]
    elif isinstance(value, dict):
        for key, part in value.items():
            value[key] = _replaced(part, twins, seen)
    elif hasattr(value, "get_params") or type(value).__module__ == "__main__":
        if id(type(value)) in twins:
            value.__class__ = twins[id(type(value))]
        _replaced(vars(value), twins, seen)
    return value
