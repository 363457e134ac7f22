"""Measure every design, print the table, and write it to the page.

    python -m tools.simulations [--only TEXT] [--repetitions COUNT]

The page is docs/comparison-statistics.md; a part, or other repetitions, leave it as it is. Exits with 1 if a design
does not show what it has to.
"""

import argparse
import math
import sys
import time
from pathlib import Path

from tools.simulations.designs import designs
from tools.simulations.measure import Measurement, measure

PAGE = Path(__file__).parents[2] / "docs" / "comparison-statistics.md"
BEGIN, END = "<!-- measured by make simulations -->\n", "<!-- end -->\n"
HEADER = (
    "| design | interval holds the truth | reliable | holds where reliable | better | worse |\n"
    "|---|---:|---:|---:|---:|---:|\n"
)


def row(measurement: Measurement) -> str:
    """A row of the table; a star marks what no sample of this size can show."""
    design = measurement.design
    where = "" if math.isnan(measurement.held_where_reliable) else f"{measurement.held_where_reliable:.1%}"
    cells = (
        design.name + (" *" if design.beyond else ""),
        f"{measurement.held:.1%}",
        f"{measurement.reliable:.0%}",
        where,
        f"{measurement.better:.1%}",
        f"{measurement.worse:.1%}",
    )
    return f"| {' | '.join(cells)} |"


def write(table: str) -> None:
    """Replace the table of the page."""
    text = PAGE.read_text(encoding="utf-8")
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    PAGE.write_text(f"{text[:start]}\n{table}\n{text[end:]}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="designs whose name contains this text")
    parser.add_argument("--repetitions", type=int, help="of each design, instead of its own number; for a quick look")
    arguments = parser.parse_args()
    print(HEADER, end="", flush=True)
    measured = []
    for design in designs():
        if arguments.only in design.name:
            start = time.perf_counter()
            measured.append(measure(design, arguments.repetitions))
            print(f"{row(measured[-1])} {time.perf_counter() - start:.0f} s", flush=True)
    failures = [f"{one.design.name}: {failure}" for one in measured for failure in one.failures]
    print("\n".join(failures) or "each design shows what it has to")
    if not (arguments.repetitions or arguments.only):
        write(HEADER + "".join(f"{row(one)}\n" for one in measured))
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
