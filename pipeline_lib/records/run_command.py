"""How a run is started again."""

import shlex
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record


def run_arguments(record: Record) -> str:
    """The parameters file and overrides of a run, as arguments of `pipeline-lib run`."""
    try:
        manifest: dict[str, Any] = record.manifest()
    except InputError:
        manifest = {}
    overrides = (f" --set {shlex.quote(text)}" for text in manifest.get("overrides") or ())
    return f"{manifest.get('parameters_file') or f'params/{record.pipeline}.yml'}{''.join(overrides)}"
