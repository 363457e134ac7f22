"""Rows that the library refuses with an error, or that a plan cannot answer exactly: the plan refuses them, too."""

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recording import Recording


def checked(
    recording: Recording, value: Value, condition: Value, expected: str, advice: str = "correct the row"
) -> Value:
    """The value; rows in which the condition does not hold are refused, with the line of own code."""
    line = recording.line()
    return recording.build.check(
        value,
        condition,
        name=", ".join(input_names(recording, value)) or "a column",
        where=str(line) if line else "own code",
        expected=expected,
        advice=advice,
    )


def input_names(recording: Recording, value: Value) -> list[str]:
    """The names of the input columns that a value depends on."""
    nodes = recording.build.nodes
    needed = {value.node}
    for number in range(value.node, -1, -1):
        if number in needed:
            needed.update(nodes[number].inputs)
    return sorted(str(nodes[number].settings["column"]) for number in needed if nodes[number].operation == "input")
