"""What a record keeps of a cell's output, and how it says what it does not."""

from typing import Any

import pytest

from pipeline_lib.runner.output_limits import KEPT_ERROR, KEPT_RICH, KEPT_TAIL, KEPT_TEXT, CellOutput, shorten


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"msg_type": "stream", "content": {"name": name, "text": text}}


def kept(messages: list[dict[str, Any]]) -> list[Any]:
    """The outputs of a cell that sends these messages."""
    cell, outputs = CellOutput(), []
    for message in messages:
        if cell.admits(message):
            outputs.append(message["content"])
        cell.write_note(outputs)
    return outputs


def test_what_fits_is_kept_as_it_is() -> None:
    messages = [
        stream("a"),
        stream("b", "stderr"),
        {"msg_type": "display_data", "content": {"data": {"text/plain": "c"}}},
    ]
    assert kept(messages) == [message["content"] for message in messages]


def test_a_flood_keeps_beginning_and_end_and_counts_the_rest() -> None:
    outputs = kept([stream(f"{number:>9}\n" * 1000) for number in range(1000)])
    texts = [output["text"] for output in outputs]
    assert sum(map(len, texts[:-1])) == KEPT_TEXT
    assert texts[0].startswith("        0\n")
    assert texts[-1].endswith("      999\n")
    assert "8,990,000 characters left out" in texts[-1]
    assert len(texts[-1]) < KEPT_TAIL + 200


def test_one_print_of_everything_is_cut_too() -> None:
    outputs = kept([stream("x" * 3_000_000)])
    assert len(outputs[0]["text"]) == KEPT_TEXT
    assert "1,990,000 characters left out" in outputs[1]["text"]


def test_many_short_messages_are_few_outputs() -> None:
    assert (
        len(kept([stream("x", name) for _ in range(50_000) for name in ("stdout", "stderr")])) == KEPT_TEXT // 100 + 1
    )


def test_pictures_beyond_the_limit_are_counted() -> None:
    picture = {"msg_type": "display_data", "content": {"data": {"image/png": "x" * (KEPT_RICH // 2)}}}
    small = {"msg_type": "display_data", "content": {"data": {"application/json": {"a": 1}}}}
    outputs = kept([picture, picture, picture, small])
    assert len(outputs) == 3
    assert "2 outputs left out" in outputs[1]["text"]


def test_a_cell_that_clears_its_output_has_room_again() -> None:
    cell: Any = CellOutput()
    assert cell.admits(stream("x" * KEPT_TEXT))
    assert not cell.admits(stream("x"))
    assert cell.admits({"msg_type": "clear_output", "content": {}})
    assert cell.admits(stream("x"))


def test_a_cell_whose_messages_break_off_says_so() -> None:
    for ends, lost in ((["busy", "idle"], 0), (["busy"], 1), ([], 0)):
        cell = CellOutput()
        outputs: list[Any] = []
        for state in ends:
            assert cell.admits({"msg_type": "status", "content": {"execution_state": state}})
        cell.close(outputs)
        assert len(outputs) == lost


def test_an_error_of_any_length_is_shorten() -> None:
    content = {"ename": "ValueError", "evalue": "x" * 10**6, "traceback": ["y" * 10**6, "the end"]}
    assert CellOutput().admits({"msg_type": "error", "content": content})
    assert len(content["evalue"]) < KEPT_ERROR + 100
    assert content["traceback"][0].endswith("the end")
    assert "900,000 characters left out" in content["evalue"]


@pytest.mark.parametrize("length", [0, 10])
def test_a_short_text_stays(length: int) -> None:
    assert shorten("x" * length, 10) == "x" * length
