"""Which pipelines a change touches: by their own files, and by the steps that they import, however far."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from pipeline_lib.project.generated_modules import module_files
from pipeline_lib.project.project import Project
from pipeline_lib.runner.review.revision import Change

_MODULE = re.compile(r"#\s*\|\s*default_exp\s+([\w.]+)")


def touched_pipelines(project: Project, changes: Iterable[Change]) -> list[str]:
    """Names of the pipelines that the changed files belong to, or whose code imports a changed step, sorted."""
    names: set[str] = set()
    modules: set[str] = set()
    for change in changes:
        path = PurePosixPath(change.path)
        folder = path.parent.name
        if path.suffix == ".ipynb" and folder in ("pipelines", "research"):
            names.add(path.stem)
        elif path.suffix == ".yml":
            names.add(path.stem.partition(".")[0])
        text = b"\n".join(content for content in (change.before, change.after) if content).decode(errors="replace")
        modules.update(_MODULE.findall(text.replace("\\n", "\n")) if path.suffix == ".ipynb" else ())
    known = set(project.pipelines())
    names |= {module.partition(".")[2] for module in _users(_imports(project), modules) if module[:10] == "pipelines."}
    return sorted(name for name in names if name in known)


def _imports(project: Project) -> Mapping[str, set[str]]:
    """By generated module (`pipelines.houses`), the generated modules that it imports."""
    files = {f"{path.parent.name}.{path.stem}": path for path in module_files(project)}
    library = project.library
    return {module: {name for name in _imported(path, library) if name in files} for module, path in files.items()}


def _imported(path: Path, library: str) -> Iterator[str]:
    """Names of what a module imports from the package, without the package's own; none of code that does not parse."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix(f"{library}.") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = (node.module or "").removeprefix(library).removeprefix(".")
            origin = origin if node.level != 1 else f"{path.parent.name}.{origin}".rstrip(".")
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _users(imports: Mapping[str, set[str]], modules: set[str]) -> set[str]:
    """The modules, and all that import one of them, directly or not."""
    users = set(modules)
    while more := {module for module, others in imports.items() if module not in users and others & users}:
        users |= more
    return users
