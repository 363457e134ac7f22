"""Saved models of the survey, loaded and asked in another process."""

import pickle
from pathlib import Path

from pipeline_lib import load_model
from tools.survey.checks import Result, same_bits, trust


def check_folder(folder: Path) -> Result:
    """Whether the model saved in a folder repeats its predictions here; "differs" or "crash" where it does not."""
    written = (folder / "expected.pickle").read_bytes()
    case, library, data, context, expected = pickle.loads(written)  # noqa: S301  written by the survey itself
    try:
        model = load_model(folder / "artifact", **trust(library))
        predictions = model.predict(data[context:], **({"context": data[:context]} if context else {}))
    except Exception as error:  # what the survey looks for
        return Result(case, "crash", f"in a fresh process: {type(error).__name__}: {str(error).partition(chr(10))[0]}")
    if not same_bits(predictions, expected):
        return Result(case, "differs", "in a fresh process the predictions have other bits")
    return Result(case, "exact" if model.exact else "opaque")
