"""The files of a drafted pipeline, and the trial that they run."""

import sys
import types
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.draft import Draft
from pipeline_lib.project.drafting.load_text import load_values, params_values, split_values
from pipeline_lib.project.drafting.model_text import build_values, import_values, metrics_values
from pipeline_lib.project.drafting.research_text import facts, research_values
from pipeline_lib.project.drafting.row_text import row_values
from pipeline_lib.project.drafting.template import filled_notebook
from pipeline_lib.project.notebooks import cells

if TYPE_CHECKING:
    import pandas as pd

MAX_TRIED_BYTES = 500_000_000
"""Larger files are not read whole to try a draft."""
DECIDE = "decide:"
"""The mark of a guess in a drafted notebook."""


def draft_notebooks(draft: Draft, pipeline: str, research: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline notebook and the research notebook of a draft, from the texts of their templates."""
    values = research_values(draft)
    for part in (row_values, params_values, load_values, split_values, build_values, metrics_values, import_values):
        values |= part(draft)
    holds = facts(draft)
    return filled_notebook(pipeline, values, holds), filled_notebook(research, values, holds)


def exported_source(notebook: dict[str, Any]) -> str:
    """The source of a pipeline notebook's exported cells."""
    sources = [cell.source for cell in cells(notebook) if cell.kind == "code"]
    return "\n\n\n".join(source for source in sources if source.startswith("#| export"))


def decisions(notebook: dict[str, Any]) -> list[str]:
    """The guesses that a notebook marks, each as one line, in order."""
    found = []
    for cell in cells(notebook):
        lines = cell.source.splitlines()
        for number, line in enumerate(lines):
            before, mark, text = line.partition(DECIDE)
            if not mark or text.startswith("`"):  # a sentence about the mark
                continue
            code, hash_sign, _ = before.rpartition("#")
            text = text.strip()
            if before.startswith("`"):  # in Markdown, where a line that begins with # would be a heading
                text = text.rstrip("` ")
            elif hash_sign and not code.strip():  # a comment of its own may go on in the next lines
                for later in lines[number + 1 :]:
                    if not later.strip().startswith("# ") or DECIDE in later:
                        break
                    text += " " + later.strip()[2:]
            found.append(text)
    return found


def try_draft(draft: Draft, source: str, library: str, sample: bytes, raw: "Path | pd.DataFrame") -> str:
    """Run the drafted code on the sample, and `load` and `split` on the raw data; returns what fails, or "".

    `raw` is the raw file, or the rows of the query.

    Nothing is imported by name or written to the project.
    """
    module = types.ModuleType(f"{library}.pipelines.{draft.name}")
    with TemporaryDirectory(prefix="pipeline-lib-draft-") as folder:
        small = Path(folder) / Path(draft.sample).name
        small.write_bytes(sample)
        paths = {draft.sample: small, draft.data: raw}
        sys.modules[module.__name__] = module  # pydantic looks annotations up there
        try:
            exec(compile(source, f"{draft.name}.py", "exec"), module.__dict__)  # noqa: S102  the draft itself
            module.__dict__["data_path"] = lambda path: paths[path]
            module.__dict__["sql"] = lambda *asked: raw
            large = isinstance(raw, Path) and not draft.raw.whole and raw.stat().st_size > MAX_TRIED_BYTES
            return _trial(module, draft, whole=not large)
        finally:
            sys.modules.pop(module.__name__, None)


def _trial(module: Any, draft: Draft, *, whole: bool) -> str:
    import contextlib
    import io
    import warnings

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for path in dict.fromkeys([draft.sample, *([draft.data] if whole else [])]):
            params = module.Params(**{**draft.params, "data": path})
            try:
                frame = module.load(params)
                X_train, X_test, y_train, y_test = module.split(frame, params)
                if path == draft.sample:
                    fitted = module.build(params).fit(X_train, y_train)
                    chances = () if draft.target.task == "regression" else (fitted.predict_proba(X_test),)
                    module.metrics(y_test, fitted.predict(X_test), params, *chances)
            except (InputError, ValueError, TypeError, KeyError, OverflowError) as error:
                return f"{path}: {type(error).__name__}: {error}"
    return ""
