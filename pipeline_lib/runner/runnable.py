"""Whether a research notebook can be executed here: checked before a kernel starts, as papermill looks later."""

import warnings
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.notebooks import cells, id_problem
from pipeline_lib.system.jupyter_imports import fast_jupyter_imports

_WITH_IDS = 5
"""The minor version of the notebook format that has cell ids; papermill gives new ids to older notebooks."""
_SHOWN = 160
"""Characters of a validator's message that are shown: it may quote a whole cell."""


def check_runnable(notebook: dict[str, Any], shown: str) -> None:
    """Refuse a notebook that is not Python's, or not as its format says; all wrong cell ids are named at once.

    The kernel that the notebook names does not count: a run uses the IPython of its own environment.
    """
    if notebook.get("nbformat_minor") == _WITH_IDS:
        problems = [(cell, problem) for cell in cells(notebook) if (problem := id_problem(cell))]
        if problems:
            raise InputError("\n".join(f"{shown}: cell {cell.number}: {problem}" for cell, problem in problems))
    _check_format(notebook, shown)
    language = _language(notebook["metadata"])
    if language.lower() not in ("", "python", "ipython"):
        raise InputError(
            f"{shown}: found a notebook in {language}, expected Python; choose a Python kernel in Jupyter (Kernel, "
            "Change Kernel) and save the notebook"
        )


def _language(metadata: dict[str, Any]) -> str:
    """The language of the kernel that was chosen last; empty where the notebook has none."""
    kernel, language = metadata.get("kernelspec"), metadata.get("language_info")
    chosen = kernel.get("language") if isinstance(kernel, dict) else None
    return str(chosen or (language.get("name") if isinstance(language, dict) else None) or "")


def _check_format(notebook: dict[str, Any], shown: str) -> None:
    """Refuse what no executed copy of the notebook could be valid with."""
    with fast_jupyter_imports():
        import nbformat

    try:
        node = nbformat.from_dict(_as_executed(notebook))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ids that are missing or doubled are replaced
            nbformat.validate(nbformat.v4.upgrade(node) or node)
    except Exception as error:  # its own, or what it trips over
        path = list(getattr(error, "absolute_path", ()))
        where = f"cell {path[1] + 1}" if path[:1] == ["cells"] and len(path) > 1 else "the notebook"
        text = str(getattr(error, "message", error))
        raise InputError(
            f"{shown}: {where}: found {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}, expected what the notebook "
            "format says; save the notebook again from Jupyter"
        ) from error


def _as_executed(notebook: dict[str, Any]) -> dict[str, Any]:
    """A copy without what an execution replaces: outputs, execution counts, the kernel and its language."""
    copy = dict(notebook)
    if isinstance(notebook.get("metadata"), dict):
        replaced = ("kernelspec", "language_info")
        copy["metadata"] = {name: value for name, value in notebook["metadata"].items() if name not in replaced}
    copy["cells"] = [
        {**cell, "outputs": [], "execution_count": None} if cell["cell_type"] == "code" else cell
        for cell in notebook["cells"]
    ]
    return copy
