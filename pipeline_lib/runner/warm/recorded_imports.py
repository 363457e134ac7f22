"""What each module imports and changes while modules are preloaded: other modules, warning filters, variables.

Import statements, calls of `import_module` and the execution of modules are watched; what is new after an execution is
attributed to the module that executed.
"""

import builtins
import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any


class RecordedImports(MetaPathFinder):
    """A record of imports. While it is `watching` it is a finder, by which it knows when a module executes.

    `imports` are the modules that each module imported, `filters` the warning filters with the module that set each and
    whether it went to the front, `variables` the environment variables that each set, `bound` the attributes by which a
    module holds another one. `executing` are the modules that are executing now, the innermost last.
    """

    def __init__(self) -> None:
        self.imports: dict[str, set[str]] = {}
        self.filters: list[tuple[str, Any, bool]] = []
        self.variables: dict[str, dict[str, str]] = {}
        self.bound: set[str] = set()
        self.executing: list[str] = []
        self._shell_users: set[str] = set()
        self._seen: tuple[set[str], list[Any], dict[str, str]] = (set(), [], {})

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Record every import statement and every call of import_module."""
        self._seen = (set(sys.modules), list(warnings.filters), dict(os.environ))
        originals = (builtins.__import__, importlib.import_module)
        builtins.__import__ = self._noting_statement(builtins.__import__)
        importlib.import_module = self._noting_call(importlib.import_module)
        builtins.get_ipython = _a_kernel  # type: ignore[attr-defined]
        os.environ.setdefault = self._variable  # type: ignore[method-assign, assignment]
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)
            del builtins.get_ipython  # type: ignore[attr-defined]
            del os.environ.setdefault  # the instance's; the class has its own
            builtins.__import__, importlib.import_module = originals

    def _noting_statement(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def noting(
            name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] | None = (), level: int = 0
        ) -> Any:
            imported = original(name, globals, locals, fromlist, level)
            if self.executing:
                package = (globals or {}).get("__package__") or ""
                absolute = importlib.util.resolve_name("." * level + name, package) if level else name
                self._note(absolute)
                for item in fromlist or ():
                    if f"{absolute}.{item}" in sys.modules:
                        self._note(f"{absolute}.{item}")
            return imported

        return noting

    def _noting_call(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def noting(name: str, package: str | None = None) -> Any:
            imported = original(name, package)
            self._note(importlib.util.resolve_name(name, package) if name.startswith(".") else name)
            return imported

        return noting

    def load(self, name: str) -> None:
        """Import a module; where that fails, the process that needs it shows the error."""
        self._watch_shell()
        with suppress(Exception):
            importlib.import_module(name)

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec that the other finders give, with a loader that records the module's execution."""
        self._note(name)
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = _Watch(self, spec.loader)
                return spec
        return None

    def forget_shell_users(self, known: set[str]) -> None:
        """Forget the modules that asked for the running shell, and their importers: each process imports them itself.

        Those that are `known` stay.
        """
        self._drop(self._importers(self._shell_users), known)

    @contextmanager
    def execution(self, name: str) -> Iterator[None]:
        """Attribute the changes inside this context to a module."""
        self._account()
        self.executing.append(name)
        try:
            yield
        finally:
            self._account()
            self.executing.pop()
            held = vars(sys.modules[name]).items() if name in sys.modules else ()
            self.bound |= {f"{name}.{key}" for key, value in held if isinstance(value, ModuleType)}

    def _note(self, name: str) -> None:
        if self.executing and name != self.executing[-1]:
            self.imports.setdefault(self.executing[-1], set()).add(name)

    def _account(self) -> None:
        """Attribute new modules, filters and variables to the module that is executing."""
        modules, filters, variables = self._seen
        owner = self.executing[-1] if self.executing else ""
        missing = len(sys.modules) - len(modules)
        for name in list(reversed(sys.modules)) if missing > 0 else ():
            if name not in modules:
                modules.add(name)
                self._note(name)
                missing -= 1
                if missing == 0:
                    break
        if len(warnings.filters) != len(filters):
            held = {id(entry) for entry in filters}
            positions = {id(entry): index for index, entry in enumerate(warnings.filters)}
            first = positions.get(id(filters[0]), 0) if filters else 0
            new = [entry for entry in reversed(warnings.filters) if id(entry) not in held]
            self.filters += [(owner, entry, positions[id(entry)] < first) for entry in new]
            filters = list(warnings.filters)
        if len(os.environ) != len(variables):
            for name in set(os.environ) - set(variables):
                self._variable(name, os.environ[name])
            variables = dict(os.environ)
        self._seen = (modules, filters, variables)

    def _watch_shell(self) -> None:
        """Record modules that call get_ipython at import: their result is not kept, since each kernel has its own."""
        for home in (sys.modules.get("IPython.core.getipython"), sys.modules.get("IPython")):
            original = getattr(home, "get_ipython", None)
            if home is not None and original is not None and original.__module__ != __name__:
                home.get_ipython = self._noting_shell(original)  # type: ignore[attr-defined]

    def _noting_shell(self, original: Callable[[], Any]) -> Callable[[], Any]:
        def get_ipython() -> Any:
            if self.executing:
                self._shell_users.add(self.executing[-1])
            return original()

        return get_ipython

    def _importers(self, names: set[str]) -> set[str]:
        """These modules, and all that imported one of them at import time."""
        importers: set[str] = set()
        ahead = set(names)
        while ahead:
            importers |= ahead
            ahead = {name for name, imports in self.imports.items() if imports & ahead} - importers
        return importers

    def _drop(self, names: set[str], known: set[str]) -> None:
        """Forget these modules: each process imports them itself."""
        for name in names - known:
            module = sys.modules.pop(name, None)
            parent, _, tail = name.rpartition(".")
            holder = sys.modules.get(parent)
            if holder is not None and module is not None and vars(holder).get(tail) is module:
                delattr(holder, tail)
            self.imports.pop(name, None)

    def _variable(self, name: str, value: str) -> str:
        self.variables.setdefault(self.executing[-1] if self.executing else "", {})[name] = value
        return type(os.environ).setdefault(os.environ, name, value)


class _Watch(Loader):
    """Executes a module while its imports are recorded; the module keeps its own loader."""

    def __init__(self, record: RecordedImports, loader: Any) -> None:
        self._record, self._loader = record, loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if module.__spec__:
            module.__spec__.loader = self._loader
            name = module.__spec__.name
        module.__loader__ = self._loader
        with self._record.execution(name):
            self._loader.exec_module(module)


def _a_kernel() -> SimpleNamespace:
    """Stands in for the shell while preloading: pandas only asks whether it has a kernel."""
    return SimpleNamespace(kernel=None)
