"""Files, connections and programs that own code uses while it is recorded the second time, seen by Python's audit hook.

`forbidden` refuses such functions by name, but a library's object may use them out of sight: `self.table_.to_csv()`.
The hook cannot be taken away again, so it belongs to the process of the second recording alone.
"""

import sys
from typing import Any

from pipeline_lib.compiler.tracing.own_code.forbidden import FILE
from pipeline_lib.compiler.tracing.own_code.guards import is_own_frame
from pipeline_lib.compiler.tracing.refusals import line_of

_EVENTS = {
    "open": "the file {!r} opened",
    **dict.fromkeys(("os.listdir", "os.scandir", "glob.glob"), "the folder {!r} listed"),
    **dict.fromkeys(("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chdir"), "the path {!r} changed"),
    **dict.fromkeys(("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"), "the program {!r} run"),
    **dict.fromkeys(("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"), "a connection made"),
    **dict.fromkeys(("sqlite3.connect", "urllib.Request"), "{!r} read"),
}
_LOADERS = ("importlib", "linecache", "tokenize", "zoneinfo", "pytz", "dateutil")
"""Modules that read files of Python itself: code, and time zones. pandas reads time zones without them."""


class SideEffects:
    """What own code did that no replay can see; `watch` starts to look."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._looking = False

    def watch(self) -> None:
        """Look from now on, as long as the process lives."""
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, arguments: Any) -> None:
        if event not in _EVENTS or self._looking or "zoneinfo" in str(arguments[:1]):
            return
        self._looking = True
        try:
            line = _own_line()
            if line is not None:
                what = _EVENTS[event].format(arguments[0] if arguments else "")
                self.found.append(f"{line}: found {what} by own code: {FILE[0]}; {FILE[1]}")
                raise OSError(self.found[-1])
        finally:
            self._looking = False


def _own_line() -> Any:
    """The line of own code that is running; None where Python itself reads code for it, or where there is none."""
    frame = sys._getframe(2)
    while frame is not None and not is_own_frame(frame):
        if str(frame.f_globals.get("__name__")).startswith(_LOADERS):
            return None
        frame = frame.f_back  # type: ignore[assignment]
    return None if frame is None else line_of(frame.f_code, frame.f_lineno)
