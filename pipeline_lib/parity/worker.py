"""The fresh process: `python -P -m pipeline_lib.parity.worker REQUEST.json`, which names the file for its answer.

Nothing but the standard library is imported before the clock is moved.
"""

import gc
import json
import sys
from pathlib import Path

from pipeline_lib.system.parent_death import exit_with_parent


def main(path: str) -> None:
    """Do what a request asks, and write the results where it says."""
    request = json.loads(Path(path).read_bytes())
    exit_with_parent(request["parent"])
    if request["days"] is not None:
        from pipeline_lib.parity.clock import move

        move(request["days"])
    from pipeline_lib.parity.replay import repeat

    Path(request["result"]).write_text(json.dumps(repeat(request)), encoding="utf-8")
    gc.freeze()  # modules go with the process; to look through thousands of them takes half a second


if __name__ == "__main__":
    main(sys.argv[1])
