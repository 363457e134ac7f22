"""The Python source of a function of one row while it is being written, and the objects that it uses."""

import math
from typing import Any


class Code:
    """The lines of a function's body, and the objects that they use by name."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}
        self._bound: dict[int, str] = {}
        self._locals = 0

    def bind(self, value: Any, hint: str) -> str:
        """The name of an object in the lines; one object has one name."""
        name = self._bound.get(id(value))
        if name is None:
            name = self._bound[id(value)] = f"{hint}_{len(self.names)}"
            self.names[name] = value
        return name

    def literal(self, value: Any) -> str:
        """Python source of a constant, safe anywhere in an expression."""
        if isinstance(value, float) and not math.isfinite(value):
            return self.bind(value, "number")
        return f"({value!r})" if isinstance(value, int | float) and str(value).startswith("-") else repr(value)

    def line(self, text: str) -> None:
        """Write one line; indentation is part of the text."""
        self.lines.append(text)

    def fresh(self, hint: str) -> str:
        """A new name for a local variable."""
        self._locals += 1
        return f"{hint}{self._locals}_"

    def function(self, name: str, arguments: str, filename: str) -> Any:
        """The function with these lines as its body. The lines hold only names, numbers and literals written here."""
        body = "\n".join(f"    {line}" for line in self.lines) or "    pass"
        scope = dict(self.names)
        exec(compile(f"def {name}({arguments}):\n{body}\n", filename, "exec"), scope)  # noqa: S102
        return scope[name]
