"""Imports without the grammar of addresses: only inside the block, where it is allowed, and not imported before."""

import subprocess
import sys

CODE = """
import sys
from pipeline_lib.system.jupyter_imports import allow_fast_jupyter_imports, fast_jupyter_imports
{before}
with fast_jupyter_imports():
    import jsonschema
print('iri' in jsonschema.FormatChecker.checkers, 'rfc3987_syntax' in sys.modules)
import rfc3987_syntax
"""


def lines(before: str) -> list[str]:
    words = [sys.executable, "-c", CODE.format(before=before)]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603 (this Python)


def test_only_a_first_import_inside_the_block_leaves_the_grammar_out() -> None:
    assert lines("allow_fast_jupyter_imports()") == ["False", "False"]
    assert lines("allow_fast_jupyter_imports(); import rfc3987_syntax") == ["True", "True"]


def test_a_process_that_does_not_allow_it_imports_the_grammar() -> None:
    assert lines("") == ["True", "True"]
