"""The rooms of pipeline_lib: no circle of imports, one place for each thing, docs/design.md says what is there."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from example import ROOT

PACKAGE = ROOT / "pipeline_lib"
DESIGN = ROOT / "docs" / "design.md"
PRODUCTION = ("compiled", "rows", "system", "scoring", "serving", "watching")
"""Rooms that production loads; one that does not exist yet has no modules."""
RESEARCH_LIBRARIES = ("sklearn", "feature_engine", "pandas")
NO_ROOM = {"support", "data", "tools", "steps", "pipelines"}
"""Folders of tests that mirror no hand-written room."""

Graph = dict[str, set[str]]


def modules(package: Path) -> dict[str, Path]:
    """Every module below a package by its dotted name; a package is its `__init__.py`. Templates are no modules."""
    names = {}
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package.parent)
        if "templates" not in inside.parts:
            names[".".join(inside.with_suffix("").parts).removesuffix(".__init__")] = path
    return names


def imported_names(module: str, path: Path) -> Iterator[str]:
    """What the import statements of a module name, those in functions and under TYPE_CHECKING too."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def import_graph(package: Path) -> Graph:
    """Which modules of a package each of its modules imports; to import one does not count as importing its parents."""
    known = modules(package)
    graph: Graph = {name: set() for name in known}
    for name, path in known.items():
        for imported in imported_names(name, path):
            target = imported if imported in known else imported.rpartition(".")[0]
            if target in known and target != name:
                graph[name].add(target)
    return graph


def by_room(graph: Graph) -> Graph:
    """The graph of the rooms: the first name below the package. The package itself is left out."""
    rooms: Graph = {}
    for name, targets in graph.items():
        if "." in name:
            room = name.split(".")[1]
            others = {target.split(".")[1] for target in targets if "." in target} - {room}
            rooms.setdefault(room, set()).update(others)
    return rooms


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The members of one circle, the first one again at its end; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """A package of these files, for the tests of the tests."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_no_circle_of_imports() -> None:
    graph = import_graph(PACKAGE)
    assert len(graph) > 150
    assert circle(graph) == []
    assert circle(by_room(graph)) == []


def test_a_circle_is_reported_with_its_members() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}
    assert set(circle(graph)) == {"a", "b", "c"}
    graph["c"] = {"d"}
    assert circle(graph) == []


@pytest.mark.parametrize(
    "statement",
    [
        "from house.attic.roof import tiles",
        "from house.attic import roof",
        "import house.attic.roof",
        "from ..attic import roof",
        "from ..attic.roof import tiles",
        "def later():\n    from house.attic.roof import tiles",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.attic.roof import tiles",
    ],
)
def test_circles_of_every_kind_of_import_are_seen(tmp_path: Path, statement: str) -> None:
    files = {"__init__.py": "", "attic/__init__.py": "", "cellar/__init__.py": "", "cellar/stairs.py": statement}
    house = written(tmp_path / "house", {**files, "attic/roof.py": "tiles = 1"})
    assert circle(import_graph(house)) == []
    written(house, {"attic/roof.py": "import house.cellar.stairs\ntiles = 1"})
    assert set(circle(import_graph(house))) == {"house.attic.roof", "house.cellar.stairs"}
    assert set(circle(by_room(import_graph(house)))) == {"attic", "cellar"}


def test_a_circle_of_rooms_without_a_circle_of_modules_is_seen(tmp_path: Path) -> None:
    files = {"attic/roof.py": "import house.cellar.stairs", "cellar/wine.py": "import house.attic.beam"}
    house = written(tmp_path / "house", {**files, "attic/beam.py": "", "cellar/stairs.py": ""})
    graph = import_graph(house)
    assert circle(graph) == []
    assert set(circle(by_room(graph))) == {"attic", "cellar"}


def loaded_at_import(body: list[ast.stmt]) -> Iterator[str]:
    """Top-level packages that statements import as they are executed: not in functions, not under TYPE_CHECKING."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for part in ("orelse",) if typing_only else ("body", "orelse", "finalbody"):
                yield from loaded_at_import(getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                yield from loaded_at_import(handler.body)


def research_imports(package: Path) -> list[str]:
    """Modules of production rooms that import a research library as they are loaded."""
    found = []
    for name, path in modules(package).items():
        room = name.split(".")[1] if "." in name else ""
        if room in PRODUCTION:
            loaded = set(loaded_at_import(ast.parse(path.read_bytes()).body))
            found += [f"{name} imports {library}" for library in RESEARCH_LIBRARIES if library in loaded]
    return found


def test_production_rooms_load_without_research_libraries() -> None:
    assert research_imports(PACKAGE) == []


def test_a_production_module_that_imports_a_research_library_is_named(tmp_path: Path) -> None:
    files = {
        "rows/plain.py": "import pandas as pd",
        "rows/nested.py": "try:\n    from sklearn.base import clone\nexcept ImportError:\n    clone = None",
        "rows/lazy.py": "def f():\n    import pandas",
        "rows/typed.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas as pd",
        "records/plain.py": "import pandas as pd",
    }
    house = written(tmp_path / "house", files)
    assert research_imports(house) == ["house.rows.nested imports sklearn", "house.rows.plain imports pandas"]


def folders(package: Path) -> set[str]:
    """The rooms of a package: its folders with an `__init__.py`."""
    return {path.parent.name for path in package.glob("*/__init__.py")}


def root_modules(package: Path) -> set[str]:
    """Modules directly in a package."""
    return {path.name for path in package.glob("*.py")}


def listed_rooms(design: str) -> set[str]:
    """What the table of rooms lists: folders end in `/`."""
    table = design.partition("\n## Rooms\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([a-z_]+(?:/|\.py))`", table, re.MULTILINE))


def listed_layers(design: str) -> list[str]:
    """The lines of the block under "Layers"."""
    block = design.partition("\n## Layers\n")[2].partition("```text\n")[2].partition("```")[0]
    return block.split("\n")[:-1]


def contract_layers() -> list[str]:
    """The layers of import-linter's contract, top to bottom."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    return list(layers)


def test_design_lists_the_rooms_and_the_layers() -> None:
    design = DESIGN.read_text(encoding="utf-8")
    assert listed_rooms(design) == {f"{room}/" for room in folders(PACKAGE)} | root_modules(PACKAGE)
    assert listed_layers(design) == contract_layers()
    named = set(re.findall(r"[a-z_]+", " ".join(contract_layers())))
    assert named == folders(PACKAGE) | {name.removesuffix(".py") for name in root_modules(PACKAGE)} - {"__init__"}


def test_a_design_that_lacks_a_room_or_moves_a_layer_is_seen() -> None:
    design = DESIGN.read_text(encoding="utf-8")
    assert listed_rooms(design.replace("| `rows/`", "| rows")) == listed_rooms(design) - {"rows/"}
    moved = design.replace("\nsystem\nerrors\n", "\nerrors\nsystem\n")
    assert listed_layers(moved) != listed_layers(design) == contract_layers()


def test_names_on_disk_and_in_python_are_in_the_code() -> None:
    table = DESIGN.read_text(encoding="utf-8").partition("\n## Names on disk\n")[2]
    rows = re.findall(r"^\| `([^`]+)` \|.*\| `([^`]+)` \|$", table, re.MULTILINE)
    code = "\n".join(path.read_text(encoding="utf-8") for path in modules(PACKAGE).values())
    assert rows
    for disk, python in rows:
        assert f'"{disk}"' in code, disk
        assert re.search(rf"\b{python}\b", code), python


def packages_with_code(package: Path) -> list[str]:
    """Packages below the root whose `__init__.py` is more, or less, than a docstring."""
    found = []
    for name, path in modules(package).items():
        if path.name == "__init__.py" and path.parent != package:
            body = ast.parse(path.read_bytes()).body
            if len(body) != 1 or ast.get_docstring(ast.Module(body, [])) is None:
                found.append(name)
    return found


def test_packages_below_the_root_hold_a_docstring_only() -> None:
    assert packages_with_code(PACKAGE) == []


def test_a_package_that_holds_code_is_named(tmp_path: Path) -> None:
    files = {"__init__.py": "x = 1", "a/__init__.py": '"""A."""', "b/__init__.py": '"""B."""\nx = 1'}
    files["c/__init__.py"] = ""
    assert packages_with_code(written(tmp_path / "house", files)) == ["house.b", "house.c"]


def test_at_most_six_modules_lie_outside_the_rooms() -> None:
    assert 0 < len(root_modules(PACKAGE)) <= 6


def test_tests_mirror_the_rooms() -> None:
    tests = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name[0] not in "._"}
    rooms = folders(PACKAGE)
    assert tests - NO_ROOM <= rooms
    assert rooms - {"steps", "pipelines"} <= tests
