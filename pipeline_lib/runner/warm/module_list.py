"""Which modules to preload: third-party ones only, as the project's own files import them."""

import ast
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline_lib.project.project import GENERATED, Project
from pipeline_lib.system.fingerprint import site_folders

STACK = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.extensions.storemagic",
    "matplotlib_inline.backend_inline",
    "numpy",
    "pandas",
    "scipy",
    "sklearn.pipeline",
    "matplotlib.pyplot",
    "pyarrow.parquet",
    "pyarrow.compute",
    "pyarrow.feather",
    "pydantic.main",
    "pydantic.fields",
    "strictyaml",
    "nbdev.export",
    "psutil",
    "threadpoolctl",
)
"""Imported by an IPython kernel at its start, and by this library in a research run."""
RUNNER = ("papermill", "papermill.exceptions", "nbclient", "nbconvert", "nbformat", "bleach", "jupyter_client.manager")
"""Imported by the process that runs a notebook, in addition."""


def preload_names(project: Project, pipeline: str) -> list[str]:
    """Modules that the pipeline's research notebook and the generated modules import, after `STACK`; no project code.

    A name that cannot be found is left out; the cell that imports it shows the error.
    """
    notebook = project.research_notebook(pipeline)
    generated = [path for part in GENERATED for path in sorted((project.package / part).glob("*.py"))]
    sources = [*_cells(notebook), *(path.read_text(encoding="utf-8") for path in generated)]
    imports = [name for source in sources for name in _imports(source)]
    own = {project.library, "pipeline_lib", "__main__"}
    return [name for name in dict.fromkeys([*STACK, *imports]) if name.partition(".")[0] not in own and _exists(name)]


def _cells(notebook: Path) -> Iterator[str]:
    for cell in json.loads(notebook.read_bytes())["cells"]:
        if cell["cell_type"] == "code":
            yield "".join(cell["source"])


def _imports(source: str) -> Iterator[str]:
    """Absolute imports anywhere in a source; none where it is not plain Python (magics)."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _exists(name: str) -> bool:
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return True
    found = importlib.util.find_spec(top)
    home = Path(found.origin).resolve() if found is not None and found.origin else None
    return home is not None and any(home.is_relative_to(folder) for folder in site_folders())
