"""Modules that were imported before the fork, hidden until the process imports them itself.

While modules are preloaded, the imports of each are recorded. A later import of one of them restores exactly what a
first import would have brought: the module, what it imported, the warning filters and environment variables that
these set. A name that is undefined in a cold process stays undefined in a warm one.

    server   import numpy, pandas, sklearn …       sys.modules: all of them
      fork    hide()                               sys.modules: as in a new interpreter
      kernel   `import pandas` -> find_spec        sys.modules: pandas and what it imported, not executed again
"""

import builtins
import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

from pipeline_lib.runner.warm.cold_only import ColdOnlyError, EnvironmentAtStart, check_path, shadow
from pipeline_lib.runner.warm.reseed import UnseededGenerators
from pipeline_lib.system.jupyter_imports import fast_jupyter_imports

_SHARED = ("cython_runtime", "_cython_")
"""Modules that every Cython extension creates or reuses; they are never hidden."""


class HiddenModules(MetaPathFinder):
    """The preloaded modules. `preload` collects them, `hide` removes them from `sys.modules`; then it is a finder.

    `packages` is the digest of the installed packages. `refused` is the message of the last import that was refused,
    kept because a cell may catch the exception.
    """

    def __init__(self, packages: str) -> None:
        self.packages, self.refused = packages, ""
        self.modules: dict[str, Any] = {}
        self._imports: dict[str, set[str]] = {}
        self._filters: list[tuple[str, Any, bool]] = []
        self._bound: set[str] = set()
        self._runner: set[str] = set()
        self._shell_users: set[str] = set()
        self._variables: dict[str, dict[str, str]] = {}
        self._executing: list[str] = []
        self._seen: tuple[set[str], list[Any], dict[str, str]] = (set(), [], {})
        self._generators, self._limits = UnseededGenerators(), EnvironmentAtStart()
        self._filters_before: list[Any] = []
        self._loading = False
        self._hidden: dict[str, Any] = {}
        self._attributes: set[str] = set()
        self._order: dict[str, int] = {}

    def preload(self, names: Sequence[str], runner: Sequence[str] = ()) -> None:
        """Import modules in order. A module whose import fails here is imported by the process that needs it.

        Modules that only the imports in `runner` load stay hidden from every other process.
        """
        known = set(sys.modules)
        self._filters_before = list(warnings.filters)
        self._seen = (set(known), list(warnings.filters), dict(os.environ))
        with self._generators.watching(), self._limits.watching(self._executing), self._watching():
            for name in names:
                self._import(name)
            before = set(sys.modules)
            with fast_jupyter_imports():
                for name in runner:
                    self._import(name)
        self._drop(self._importers(self._shell_users), known)
        new = [name for name in sys.modules if name not in known and not name.startswith(_SHARED)]
        self.modules = {name: sys.modules[name] for name in new}
        self._runner = self.modules.keys() - before
        self._order = {name: index for index, name in enumerate(self.modules)}
        for name in self.modules:
            self._imports.setdefault(name, set()).update(self._held_by_compiled(name))

    def _import(self, name: str) -> None:
        self._watch_shell()
        with suppress(Exception):  # its import in the kernel shows the error
            importlib.import_module(name)

    def hide(self, runner: bool = False) -> None:
        """Make this process look as if nothing had been preloaded. Only a runner can import what was preloaded for one.

        The caller sets the environment variables.
        """
        for name, module in self.modules.items():
            sys.modules.pop(name, None)
            parent, _, tail = name.rpartition(".")
            holder = self.modules.get(parent, sys.modules.get(parent))
            own = parent and name not in self._bound and getattr(module, "__name__", "") == name  # no alias
            if own and vars(holder).get(tail) is module:
                delattr(holder, tail)
                self._attributes.add(name)
        self._hidden = {name: module for name, module in self.modules.items() if runner or name not in self._runner}
        self._limits.begin()
        warnings.filters[:] = self._filters_before  # type: ignore[index]
        _filters_changed()
        sys.meta_path.insert(0, self)

    def reseed(self) -> None:
        """Give new random state to the generators that were seeded by the system at import."""
        self._generators.reseed()
        numpy_random = self.modules.get("numpy.random")
        if numpy_random:
            numpy_random.seed()

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """While preloading, record a module's execution; afterwards, restore it."""
        if not self._loading:
            return self._spec_of_hidden(name) if name in self._hidden and not self._shadowed(name) else None
        self._note(name)
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = _Watch(self, spec.loader)
                return spec
        return None

    def _shadowed(self, name: str) -> bool:
        """Whether another module of this name, or of its package's name, comes first on the import path."""
        top = name.partition(".")[0]
        if top != name and top in sys.modules:
            return sys.modules[top] is not self.modules.get(top, sys.modules[top])
        return top in self._hidden and shadow(top, self._hidden[top]) is not None

    def _spec_of_hidden(self, name: str) -> ModuleSpec:
        """The spec also has the file's location, since some code looks for files without importing."""
        spec, kept = ModuleSpec(name, _Return(self)), getattr(self._hidden[name], "__spec__", None)
        spec.submodule_search_locations = getattr(self._hidden[name], "__path__", None)
        spec.origin, spec.cached = getattr(kept, "origin", None), getattr(kept, "cached", None)
        spec.has_location = bool(getattr(kept, "has_location", False))
        return spec

    def wanted(self, name: str) -> dict[str, Any]:
        """The modules that a first import of a hidden one would bring, in the order of their first import.

        Raises ColdOnlyError where a first import could now have another result.
        """
        wanted = {one: self._hidden[one] for one in sorted(self._wanted(name), key=self._order.__getitem__)}
        try:
            self._limits.check(name, wanted)
            check_path(name, wanted)
        except ColdOnlyError as error:
            self.refused = str(error)
            raise
        return wanted

    def bring_back(self, name: str, wanted: Mapping[str, Any]) -> None:
        """Put a module and the `wanted` ones into `sys.modules`, except those that were restored in the meantime."""
        back = {one: module for one, module in wanted.items() if self._hidden.pop(one, None) is not None}
        main = sys.modules["__main__"]
        sys.modules.update({one: main if one == "__mp_main__" else back[one] for one in back if one != name})
        for one, module in back.items():
            parent, _, tail = one.rpartition(".")
            if one != name and one in self._attributes:
                setattr(sys.modules[parent], tail, module)
            for variable, value in self._variables.get(one, {}).items():
                self._limits.restore(variable, value)
        for owner, entry, in_front in self._filters:
            if owner in back:
                warnings.filters.insert(0 if in_front else len(warnings.filters), entry)  # type: ignore[attr-defined]
        _filters_changed()

    def _wanted(self, name: str) -> set[str]:
        """A hidden module and all that it imported, directly or not."""
        wanted: set[str] = set()
        ahead = {name}
        while ahead:
            one = ahead.pop()
            wanted.add(one)
            ahead |= self._hidden.keys() & {*self._imports.get(one, ()), one.rpartition(".")[0]} - wanted
        return wanted

    @contextmanager
    def executing(self, name: str) -> Iterator[None]:
        """Attribute the changes inside this context to a module."""
        self._account()
        self._executing.append(name)
        try:
            yield
        finally:
            self._account()
            self._executing.pop()
            held = vars(sys.modules[name]).items() if name in sys.modules else ()
            self._bound |= {f"{name}.{key}" for key, value in held if isinstance(value, ModuleType)}

    def _note(self, name: str) -> None:
        if self._executing and name != self._executing[-1]:
            self._imports.setdefault(self._executing[-1], set()).add(name)

    def _account(self) -> None:
        """Attribute new modules, filters and variables to the module that is executing."""
        modules, filters, variables = self._seen
        owner = self._executing[-1] if self._executing else ""
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
            self._filters += [(owner, entry, positions[id(entry)] < first) for entry in new]
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
            if self._executing:
                self._shell_users.add(self._executing[-1])
            return original()

        return get_ipython

    def _importers(self, names: set[str]) -> set[str]:
        """These modules, and all that imported one of them at import time."""
        importers: set[str] = set()
        ahead = set(names)
        while ahead:
            importers |= ahead
            ahead = {name for name, imports in self._imports.items() if imports & ahead} - importers
        return importers

    def _drop(self, names: set[str], known: set[str]) -> None:
        """Forget these modules: each process imports them itself."""
        for name in names - known:
            module = sys.modules.pop(name, None)
            parent, _, tail = name.rpartition(".")
            holder = sys.modules.get(parent)
            if holder is not None and module is not None and vars(holder).get(tail) is module:
                delattr(holder, tail)
            self._imports.pop(name, None)

    def _variable(self, name: str, value: str) -> str:
        self._variables.setdefault(self._executing[-1] if self._executing else "", {})[name] = value
        return type(os.environ).setdefault(os.environ, name, value)

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Record every import statement and every call of import_module."""
        originals = (builtins.__import__, importlib.import_module)
        builtins.__import__ = self._noting_statement(builtins.__import__)
        importlib.import_module = self._noting_call(importlib.import_module)
        builtins.get_ipython = _a_kernel  # type: ignore[attr-defined]
        os.environ.setdefault = self._variable  # type: ignore[method-assign, assignment]
        sys.meta_path.insert(0, self)
        self._loading = True
        try:
            yield
        finally:
            self._loading = False
            sys.meta_path.remove(self)
            del builtins.get_ipython  # type: ignore[attr-defined]
            del os.environ.setdefault  # the instance's; the class has its own
            builtins.__import__, importlib.import_module = originals

    def _noting_statement(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def noting(
            name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] | None = (), level: int = 0
        ) -> Any:
            imported = original(name, globals, locals, fromlist, level)
            if self._executing:
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

    def _held_by_compiled(self, name: str) -> set[str]:
        """What an extension module imported, inferred from its attributes: no Python hook sees its imports."""
        module = self.modules[name]
        origin = str(getattr(getattr(module, "__spec__", None), "origin", "") or "")
        if not origin.endswith((".so", ".pyd")):
            return set()
        held = list(vars(module).values())
        kinds = {value if isinstance(value, type) else type(value) for value in held}
        names = {kind.__module__ for kind in kinds} | {one.__name__ for one in held if isinstance(one, ModuleType)}
        return {one for one in names if one in self.modules and self._order[one] < self._order[name]}


class _Watch(Loader):
    """Executes a module while its imports are recorded; the module keeps its own loader."""

    def __init__(self, hidden: HiddenModules, loader: Any) -> None:
        self._hidden_modules, self._loader = hidden, loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if module.__spec__:
            module.__spec__.loader = self._loader
            name = module.__spec__.name
        module.__loader__ = self._loader
        with self._hidden_modules.executing(name):
            self._loader.exec_module(module)


class _Return(Loader):
    """Hands the import system a module that was executed before the fork."""

    def __init__(self, hidden: HiddenModules) -> None:
        self._hidden_modules = hidden
        self._spec: ModuleSpec | None = None
        self._wanted: Mapping[str, Any] = {}

    def create_module(self, spec: ModuleSpec) -> Any:
        self._wanted = self._hidden_modules.wanted(spec.name)
        module = self._wanted[spec.name]
        self._spec = getattr(module, "__spec__", None)
        return module

    def exec_module(self, module: Any) -> None:
        name = module.__spec__.name
        module.__spec__ = self._spec
        self._hidden_modules.bring_back(name, self._wanted)


def _a_kernel() -> SimpleNamespace:
    """Stands in for the shell while preloading: pandas only asks whether it has a kernel."""
    return SimpleNamespace(kernel=None)


def _filters_changed() -> None:
    changed = getattr(warnings, "_filters_mutated", None)  # every function of `warnings` calls it
    if changed:
        changed()
