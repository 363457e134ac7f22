"""Modules that were imported before the fork, hidden until the process imports them itself.

While modules are preloaded, the imports of each are recorded. A later import of one of them restores exactly what a
first import would have brought: the module, what it imported, the warning filters and environment variables that
these set. A name that is undefined in a cold process stays undefined in a warm one.

    server   import numpy, pandas, sklearn …       sys.modules: all of them
      fork    hide()                               sys.modules: as in a new interpreter
      kernel   `import pandas` -> find_spec        sys.modules: pandas and what it imported, not executed again
"""

import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from pipeline_lib.runner.warm.cold_only import ColdOnlyError, EnvironmentAtStart, check_path, shadow
from pipeline_lib.runner.warm.recorded_imports import RecordedImports
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
        self._record = RecordedImports()
        self._runner: set[str] = set()
        self._generators, self._limits = UnseededGenerators(), EnvironmentAtStart()
        self._filters_before: list[Any] = []
        self._hidden: dict[str, Any] = {}
        self._attributes: set[str] = set()
        self._order: dict[str, int] = {}

    def preload(self, names: Sequence[str], runner: Sequence[str] = ()) -> None:
        """Import modules in order. A module whose import fails here is imported by the process that needs it.

        Modules that only the imports in `runner` load stay hidden from every other process.
        """
        known = set(sys.modules)
        self._filters_before = list(warnings.filters)
        record = self._record
        with self._generators.watching(), self._limits.watching(record.executing), record.watching():
            for name in names:
                record.load(name)
            before = set(sys.modules)
            with fast_jupyter_imports():
                for name in runner:
                    record.load(name)
        record.forget_shell_users(known)
        new = [name for name in sys.modules if name not in known and not name.startswith(_SHARED)]
        self.modules = {name: sys.modules[name] for name in new}
        self._runner = self.modules.keys() - before
        self._order = {name: index for index, name in enumerate(self.modules)}
        for name in self.modules:
            record.imports.setdefault(name, set()).update(self._held_by_compiled(name))

    def hide(self, runner: bool = False) -> None:
        """Make this process look as if nothing had been preloaded. Only a runner can import what was preloaded for one.

        The caller sets the environment variables.
        """
        for name, module in self.modules.items():
            sys.modules.pop(name, None)
            parent, _, tail = name.rpartition(".")
            holder = self.modules.get(parent, sys.modules.get(parent))
            own = parent and name not in self._record.bound and getattr(module, "__name__", "") == name  # no alias
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
        """The spec that restores a hidden module; None for others, and where another one comes first now."""
        return self._spec_of_hidden(name) if name in self._hidden and not self._shadowed(name) else None

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
            for variable, value in self._record.variables.get(one, {}).items():
                self._limits.restore(variable, value)
        for owner, entry, in_front in self._record.filters:
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
            ahead |= self._hidden.keys() & {*self._record.imports.get(one, ()), one.rpartition(".")[0]} - wanted
        return wanted

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


def _filters_changed() -> None:
    changed = getattr(warnings, "_filters_mutated", None)  # every function of `warnings` calls it
    if changed:
        changed()
