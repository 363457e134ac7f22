"""Whether the code that is loaded is the code that the notebooks export."""

import ast
import copy
import importlib
import importlib.util
import types
from functools import partial
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.code_digest import CodeDigests, same_code
from pipeline_lib.project.generated_modules import module_files
from pipeline_lib.project.project import Project


def changed_names(module: types.ModuleType) -> list[str]:
    """Names whose definition in a loaded module differs from the one that its file has now, sorted.

    The file is executed as a temporary module, so edited functions, classes and values are all found.
    """
    loaded, fresh = _digests(module), _digests(_load_fresh(module))
    return sorted(name for name in {*loaded, *fresh} if loaded.get(name) != fresh.get(name))


def with_exported_definitions(fitted: Any, project: Project) -> Any:
    """The fitted pipeline with the classes and functions of the running notebook replaced by the exported ones.

    Returns the pipeline itself where it has none, else a copy. Raises InputError for a definition that no exported
    module has, and for every lambda.
    """
    definitions: dict[int, Any] = {}
    _collect(fitted, definitions, set())
    if not definitions:
        return fitted
    exported = {key: exported_definition(definition, project) for key, definition in definitions.items()}
    return _replace(copy.deepcopy(fitted), exported, set())


def exported_definition(definition: Any, project: Project) -> Any:
    """The exported definition of a class or function of a running notebook (`__main__`).

    Raises InputError when no exported module defines the name, or defines it differently.
    """
    name = definition.__qualname__
    if "<" in name:
        raise InputError(
            f"found {name} in the fitted pipeline, expected only functions that production can import by name; "
            "give it a name in an exported cell"
        )
    remedy = f"put `#| export` on the cell that defines {name}, run `make export`, and fit again"
    for path in module_files(project):
        if name not in _defined_names(path):
            continue
        relative = path.relative_to(project.root).with_suffix("")
        exported = getattr(importlib.import_module(".".join(relative.parts)), name)
        if same_code(definition, exported):
            return exported
        raise InputError(
            f"found {name} with other code in the notebook than in {relative.as_posix()}.py, expected the same; "
            f"{remedy}"
        )
    raise InputError(
        f"found {name}, defined in the notebook, in the fitted pipeline, expected only code that production can "
        f"import; {remedy}"
    )


def _defined_names(path: Path) -> set[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _digests(module: types.ModuleType) -> dict[str, str]:
    digests = CodeDigests(module.__name__)
    # pytest adds names such as @pytest_ar to the modules of a package that has a pytest plugin
    return {name: digests.of(value) for name, value in vars(module).items() if not name.startswith(("__", "@"))}


def _load_fresh(module: types.ModuleType) -> types.ModuleType:
    if module.__file__ is None or not Path(module.__file__).is_file():
        raise InputError(f"{module.__name__}: found no file for it, expected an exported module")
    spec = importlib.util.spec_from_file_location(module.__name__, module.__file__)
    if spec is None:
        raise InputError(f"{module.__name__}: found no Python file, expected an exported module")
    fresh = importlib.util.module_from_spec(spec)
    source = Path(module.__file__).read_bytes()  # not the cached bytecode, which may be as old as the loaded module
    exec(compile(source, module.__file__, "exec"), vars(fresh))  # noqa: S102 (the module that is loaded anyway)
    return fresh


def _collect(value: Any, definitions: dict[int, Any], seen: set[int]) -> None:
    """Gather, by id, the classes and functions in a fitted object that cannot be imported from a module."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, types.FunctionType | type):
        if value.__module__ == "__main__" or "<" in value.__qualname__:
            definitions[id(value)] = value
    elif isinstance(value, partial):
        _collect([value.func, value.args, value.keywords], definitions, seen)
    elif isinstance(value, dict):
        for part in (*value.keys(), *value.values()):
            _collect(part, definitions, seen)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            _collect(part, definitions, seen)
    elif hasattr(value, "get_params") or type(value).__module__ == "__main__":
        _collect(type(value), definitions, seen)
        _collect(getattr(value, "__dict__", {}), definitions, seen)


def _replace(value: Any, exported: dict[int, Any], seen: set[int]) -> Any:
    """The replacement of a value in the copied pipeline; lists, dictionaries and objects are changed in place."""
    if id(value) in exported:
        return exported[id(value)]
    if isinstance(value, tuple):
        return tuple(_replace(part, exported, seen) for part in value)
    if isinstance(value, partial):
        function, given, named = (_replace(part, exported, seen) for part in (value.func, value.args, value.keywords))
        return partial(function, *given, **named)
    if id(value) in seen:
        return value
    seen.add(id(value))
    if isinstance(value, list):
        value[:] = [_replace(part, exported, seen) for part in value]
    elif isinstance(value, dict):
        for key, part in value.items():
            value[key] = _replace(part, exported, seen)
    elif hasattr(value, "get_params") or type(value).__module__ == "__main__":
        if id(type(value)) in exported:
            value.__class__ = exported[id(type(value))]
        _replace(vars(value), exported, seen)
    return value
