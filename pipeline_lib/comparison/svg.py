"""Drawing in SVG: small pictures that are sharp in print, readable on a phone, and made of text and few shapes.

Pictures are `WIDTH` units wide and grow with the page up to about one and a half times that, text with them.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from pipeline_lib.system.html_page import Markup

WIDTH = 360.0
INK, SOFT, LINE, WASH = "#1d2129", "#5b6472", "#d9dee5", "#eef1f4"
CHAMPION, CHALLENGER = "#7a8492", "#0b57a4"
GOOD, BAD = "#2c7a3f", "#b3261e"


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` on the units from `start` to `end`; values outside lie on the nearer end."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def text(x: float, y: float, content: str, *, anchor: str = "start", colour: str = INK, bold: bool = False) -> str:
    """A line of text, escaped."""
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str = LINE, width: float = 1.0, dash: str = "") -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"{dashed}/>'
    )


def rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A filled rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" fill="{colour}"/>'


def dot(x: float, y: float, colour: str, radius: float = 3.0) -> str:
    """A filled circle."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>'


def path(points: Iterable[tuple[float, float]], colour: str, *, filled: bool = False, width: float = 1.5) -> str:
    """A line through points, or the area that they enclose."""
    steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    if filled:
        return f'<polygon points="{steps}" fill="{colour}" fill-opacity="0.22"/>'
    return f'<polyline points="{steps}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def picture(
    parts: Sequence[str], height: float, alternative: str, *, width: float = WIDTH, widest: str = "36rem"
) -> Markup:
    """The drawing as an element of a page; `alternative` says in words what it shows."""
    return Markup(
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(alternative)}" font-size="10" '
        f'font-family="inherit" style="display:block;width:100%;max-width:{widest};break-inside:avoid">'
        f"{''.join(parts)}</svg>"
    )


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, at most `most`.

    >>> ticks(-0.7, 2.2)
    [0.0, 1.0, 2.0]
    >>> ticks(0.0, 1.0, 6)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not high > low:
        return [low]
    exact = (high - low) / most
    size = 10.0 ** math.floor(math.log10(exact))
    for factor in (1, 2, 5, 10, 20):
        step = factor * size
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [round(number * step, 12) for number in range(first, last + 1)]
    return [low, high]


def tick_label(value: float) -> str:
    """The text of a tick: short, without an exponent for everyday numbers.

    >>> [tick_label(value) for value in (0.0, -0.05, 2500.0, 40000.0, 3e6, 2e-7)]
    ['0', '-0.05', '2,500', '40,000', '3M', '2e-07']
    """
    if value == 0:
        return "0"
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.6g}M"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"
