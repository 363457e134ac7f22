"""Limits of the output that a record keeps: more is cut while it streams, and a note says so."""

import json
from typing import Any

from nbformat.v4 import new_output

KEPT_TEXT = 1_000_000
"""Characters of printed text that are kept from a cell's beginning; each message counts as at least 100."""
KEPT_TAIL = 10_000
"""Characters of printed text that are kept from the end of a cell that prints more."""
KEPT_RICH = 20_000_000
"""Characters of tables, pictures and HTML that are kept of a cell, as the notebook stores them."""
KEPT_ERROR = 100_000
"""Characters that are kept of an error's message, and of its traceback."""
_LEAST = 100
"""Characters that a message counts at least: many short ones fill a notebook, too."""


class CellOutput:
    """The limits of one cell's output, applied message by message."""

    def __init__(self) -> None:
        self._text = self._rich = 0
        self._characters_left_out = self._outputs_left_out = 0
        self._tail = ""
        self._note: Any = None
        self._began = self._ended = False

    def admits(self, message: dict[str, Any]) -> bool:
        """Whether to keep a message from the kernel; a text that fits in part is shortened in place."""
        content = message["content"]
        match message["msg_type"]:
            case "status":
                self._began = True
                self._ended = content["execution_state"] == "idle"
            case "clear_output":
                CellOutput.__init__(self)  # the cell's outputs so far are gone, counts start again
            case "stream":
                return self._admits_text(content)
            case "display_data" | "execute_result" | "update_display_data":
                return self._admits_rich(content)
            case "error":
                content["evalue"] = shorten(content["evalue"])
                content["traceback"] = [shorten("\n".join(content["traceback"]))]
        return True

    def _admits_text(self, content: dict[str, Any]) -> bool:
        text, room = content["text"], max(KEPT_TEXT - self._text, 0)
        self._text += max(len(text), _LEAST)
        content["text"], rest = text[:room], text[room:]
        self._characters_left_out += len(rest)
        self._tail = (self._tail + rest)[-KEPT_TAIL:]
        return room > 0

    def _admits_rich(self, content: dict[str, Any]) -> bool:
        size = sum(len(part) if isinstance(part, str) else len(json.dumps(part)) for part in content["data"].values())
        fits = self._rich + size + _LEAST <= KEPT_RICH
        self._rich += size + _LEAST if fits else 0
        self._outputs_left_out += not fits
        return fits

    def close(self, outputs: list[Any]) -> None:
        """Add a note to a cell whose messages stopped before its end was reported."""
        if self._began and not self._ended:
            outputs.append(new_output("stream", name="stderr", text="[the end of what the cell showed was lost]\n"))

    def write_note(self, outputs: list[Any]) -> None:
        """Add or update the note of what was left out; none where nothing was."""
        notes = []
        if self._outputs_left_out:
            notes.append(
                f"[{self._outputs_left_out:,} outputs left out: {KEPT_RICH:,} characters of a cell are kept]\n"
            )
        if self._characters_left_out:
            left_out = self._characters_left_out - len(self._tail)
            notes.append(
                f"[at least {left_out:,} characters left out: of what a cell prints, "
                f"{KEPT_TEXT:,} are kept from the beginning and {KEPT_TAIL:,} from the end]\n{self._tail}"
            )
        if not notes:
            return
        if self._note is None:
            self._note = new_output("stream", name="stderr")
            outputs.append(self._note)
        self._note["text"] = "".join(notes)


def shorten(text: str, limit: int = KEPT_ERROR) -> str:
    """A text's beginning and end, with a note of what is left out between."""
    half = limit // 2
    left_out = f"\n[{len(text) - limit:,} characters left out]\n"
    return text if len(text) <= limit else f"{text[:half]}{left_out}{text[-half:]}"
