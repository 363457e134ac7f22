"""One style for all diagnostic plots, and a figure as a picture with alternative text."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipeline_lib.system.html_page import Markup, element, image, joined

INK, SOFT, LINE, BLUE, RED = "#1d2129", "#5b6472", "#d9dee5", "#0b57a4", "#b3261e"
_DPI = 110
_STYLE: Any = {
    "font.size": 9,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.grid": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Picture:
    """A plot: its title, what to look for in it, the picture (PNG) and its alternative text."""

    title: str
    reading: str
    png: bytes
    alt: str

    def html(self) -> Markup:
        """Heading, sentence and picture."""
        return joined(element("h3", self.title), element("p", self.reading), image(self.png, self.alt))


@contextmanager
def axes(panels: int = 1, *, width: float = 4.4, height: float = 3.4) -> Iterator[tuple[Any, Any]]:
    """A figure and its panels side by side, in the style of all diagnostics."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width * panels, height), dpi=_DPI, layout="constrained")
        yield figure, figure.subplots(1, panels, squeeze=False)[0]


def png_of(figure: Any) -> bytes:
    """A figure as PNG; call it inside `axes`, where its style holds."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


def thousands(axis: Any) -> None:
    """Write the numbers of an axis with separated thousands, where they are large."""
    from matplotlib.ticker import FuncFormatter

    low, high = axis.get_view_interval()
    if max(abs(low), abs(high)) >= 10_000:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.set_tick_params(labelsize=8)
