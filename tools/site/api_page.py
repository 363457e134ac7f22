"""The reference of the public names, from their docstrings; tests/test_docstrings.py runs the examples."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

import pipeline_lib
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.runner.research_run import Run

_HEAD = """# Python

Every public name of `pipeline_lib`, from its docstring; the examples run in the tests. Import from `pipeline_lib`
alone: `from pipeline_lib import load_model`. The methods of `Builder` are in [operations](operations.md).
"""
TOPICS: Mapping[str, Sequence[str]] = {
    "A pipeline": ("BaseParams", "Tables", "Lookup", "Context", "schema_of", "draft_row"),
    "Own steps": ("RowwiseTransformer", "trace", "check_columns", "check_dtypes", "check_tables", "Builder", "Value"),
    "Raw data": ("data_path", "sql", "fetch", "keep_raw", "checked_load", "read_rows"),
    "Runs": ("start_run", "load_params", "run_pipeline", "runs", "sweep", "check_regression", "check_classification"),
    "Compiled pipelines": ("compile_pipeline", "load_model"),
    "Comparison": ("compare", "assert_not_worse", "with_threshold", "RuleModel"),
    "Parity": ("check_parity", "Variation", "RowsToDeliver", "Delivery"),
    "Errors": ("PipelineLibError", "InputError", "DifferenceError", "RunError"),
}
"""The names by topic, in order; a name that no topic has is in the last section."""
_RETURNED: Mapping[str, type] = {"Runs": Run, "Compiled pipelines": CompiledPipeline}
"""Classes that public functions return, with the topic that has them."""
_METHODS_ELSEWHERE = {"Builder"}


def page() -> str:
    """The page: a section for each topic, in it each name."""
    listed = {name for names in TOPICS.values() for name in names}
    rest = tuple(sorted(set(pipeline_lib.__all__) - listed))
    sections = [_HEAD]
    for topic, names in {**TOPICS, **({"More": rest} if rest else {})}.items():
        sections.append(f"## {topic}\n")
        sections += [entry(name, getattr(pipeline_lib, name)) for name in names if name in pipeline_lib.__all__]
        if topic in _RETURNED:
            returned = _RETURNED[topic]
            sections.append(entry(returned.__name__, returned))
    return "\n".join(sections)


def entry(name: str, public: Any) -> str:
    """A class with its methods, or a function: a heading, the signature, the docstring as Markdown."""
    if not inspect.isclass(public):
        return f"### {name}\n\n{directive('function', f'pipeline_lib.{name}{signature(public)}', docstring(public))}"
    body = [docstring(public)]
    if name not in _METHODS_ELSEWHERE:
        body += [directive(kind, text, docs) for kind, text, docs in members(public)]
    constructor = "" if "__init__" not in vars(public) and not hasattr(public, "__dataclass_fields__") else None
    arguments = signature(public.__init__) if constructor is None else ""
    return f"### {name}\n\n" + directive("class", f"pipeline_lib.{name}{arguments}", "\n\n".join(body), fence=6)


def members(public: type) -> Iterator[tuple[str, str, str]]:
    """The public methods and properties that a class of this library defines, with signatures and docstrings."""
    for name, member in vars(public).items():
        if name.startswith("_") or not getattr(member, "__doc__", None):
            continue
        function = getattr(member, "func", None) or getattr(member, "fget", None)
        if isinstance(member, FunctionType):
            yield "method", f"{name}{signature(member)}", docstring(member)
        elif callable(function):
            yield "attribute", name, docstring(function)


def directive(kind: str, heading: str, body: str, fence: int = 4) -> str:
    """An entry of Sphinx's index of Python names."""
    colons = ":" * fence
    return f"{colons}{{py:{kind}}} {heading}\n\n{body}\n{colons}\n"


def signature(function: Callable[..., Any]) -> str:
    """The arguments as the source has them, without self; those of a generated constructor from its signature."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return re.sub(r"\(self(, )?", "(", re.sub(r" -> None$", "", str(inspect.signature(function))))
    node = tree.body[0]
    assert isinstance(node, ast.FunctionDef)  # noqa: S101  inspect found a function
    arguments = node.args
    if arguments.args and arguments.args[0].arg == "self":
        arguments.args = arguments.args[1:]
    returns = f" -> {ast.unparse(node.returns)}" if node.returns and node.name != "__init__" else ""
    return (
        f"({ast.unparse(arguments)}){returns}".replace("'", "")
        if "lambda" not in ast.unparse(arguments)
        else (f"({re.sub(r'lambda [^:]*: None', 'None', ast.unparse(arguments))}){returns}".replace("'", ""))
    )


def docstring(public: Any) -> str:
    """A docstring as Markdown: its prose as it is, its examples as blocks."""
    lines, inside = [], False
    for line in (inspect.getdoc(public) or "").splitlines():
        begins = line.lstrip().startswith(">>>")
        if begins and not inside:
            lines += ["", "```pycon"]
            inside, indent = True, len(line) - len(line.lstrip())
        elif inside and not line.strip():
            lines.append("```")
            inside = False
        lines.append(line[indent:] if inside else line)
    return "\n".join([*lines, *(["```"] if inside else [])]).replace("  # doctest: +ELLIPSIS", "")
