"""Python source that is being written for one row: lines, and the objects that it names."""

from typing import Any


class Code:
    """Lines of a function's body and the names that it uses from outside."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}
        self._bound: dict[int, str] = {}
        self._locals = 0

    def bind(self, thing: Any, hint: str) -> str:
        """A name for an object that the lines use; the same object keeps its name."""
        name = self._bound.get(id(thing))
        if name is None:
            name = self._bound[id(thing)] = f"{hint}_{len(self.names)}"
            self.names[name] = thing
        return name

    def line(self, text: str) -> None:
        """Write one line; indentation is part of the text."""
        self.lines.append(text)

    def fresh(self, hint: str) -> str:
        """A name for a local variable that no other line uses."""
        self._locals += 1
        return f"{hint}{self._locals}_"

    def function(self, name: str, arguments: str, filename: str) -> Any:
        """The function whose body the lines are. They hold names, numbers and text literals of our own writing."""
        body = "\n".join(f"    {line}" for line in self.lines) or "    pass"
        scope = dict(self.names)
        exec(compile(f"def {name}({arguments}):\n{body}\n", filename, "exec"), scope)  # noqa: S102
        return scope[name]
