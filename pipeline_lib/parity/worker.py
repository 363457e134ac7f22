"""The fresh process of a parity check: `python -P -m pipeline_lib.parity.worker REQUEST.json`.

Nothing but the standard library is imported before the clock is moved.
"""

import gc
import json
import sys
from pathlib import Path

from pipeline_lib.system.parent_death import exit_with_parent


def main(path: str) -> None:
    """Do the tasks of a request, and write the reply to the file that it names."""
    values = json.loads(Path(path).read_bytes())
    exit_with_parent(values["parent"])
    if values["days"] is not None:
        from pipeline_lib.parity.clock import move

        move(values["days"])
    from pipeline_lib.parity.replay import replay
    from pipeline_lib.parity.replay_request import ReplayRequest

    request = ReplayRequest.from_json(values)
    Path(request.result).write_text(json.dumps(replay(request).to_json()), encoding="utf-8")
    gc.freeze()  # the process ends here; a last collection over thousands of modules would take half a second


if __name__ == "__main__":
    main(sys.argv[1])
