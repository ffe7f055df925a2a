"""Curves as SVG: logarithmic both ways, so that cost that grows in a straight line is a line of the
slope that is drawn beside it. Readable on light and dark ground."""

from __future__ import annotations

import math
from html import escape
from itertools import pairwise

from tests.bench.figures import Curve, shown

WIDTH, HEIGHT, GAP = 720, 300, 34
LEFT, RIGHT, TOP, BOTTOM = 64, 36, 40, 34

_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2933 }
  .title { font-weight: 600 }
  .quiet { fill: #52606d }
  .grid { stroke: #9aa5b1; stroke-opacity: .35 }
  .even { stroke: #7b8794; stroke-dasharray: 5 5; fill: none }
  .curve { stroke: #0b69a3; stroke-width: 2; fill: none }
  .dot { fill: #0b69a3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb }
    .quiet { fill: #9aa5b1 }
    .curve { stroke: #62b0e8 }
    .dot { fill: #62b0e8 }
  }
"""


def picture(curves: dict[str, Curve]) -> str:
    """All curves, one below the other."""
    drawn = [_panel(title, curve) for title, curve in curves.items()]
    height = len(drawn) * (HEIGHT + GAP) - GAP
    parts = [
        f'<g transform="translate(0 {n * (HEIGHT + GAP)})">\n{panel}\n</g>'
        for n, panel in enumerate(drawn)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f"<style>{_STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _panel(title: str, curve: Curve) -> str:
    points = [(x, y) for x, y in curve if x > 0 and y > 0]
    if len(points) < 2:
        return f'<text class="title" x="{LEFT}" y="20">{escape(title)}: nothing to draw</text>'
    xs, ys = [x for x, _ in points], [y for _, y in points]
    across = _Scale(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    # Always some room above and below; a flat curve would otherwise fill the height with noise.
    up = _Scale(min(ys) / 2, max(ys) * 2, HEIGHT - BOTTOM, TOP)
    lines = [f'<text class="title" x="{LEFT}" y="20">{escape(title)}</text>']
    for y in up.marks():
        at = up.at(y)
        lines.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        )
        lines.append(
            f'<text class="quiet" x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">'
            f"{_tick(y)}</text>"
        )
    for x in xs:
        lines.append(
            f'<text class="quiet" x="{across.at(x):.1f}" y="{HEIGHT - 12}" text-anchor="middle">'
            f"{_tick(x)}</text>"
        )
    # From the largest point back at the slope of a straight line, as far as the panel goes.
    last_x, last_y = points[-1]
    from_x = max(xs[0], last_x * up.low / last_y)
    lines.append(_line("even", [(from_x, last_y * from_x / last_x), (last_x, last_y)], across, up))
    lines.append(_line("curve", points, across, up))
    lines += [
        f'<circle class="dot" cx="{across.at(x):.1f}" cy="{up.at(y):.1f}" r="3.5">'
        f"<title>{_tick(x)}: {shown(y)}</title></circle>"
        for x, y in points
    ]
    return "\n".join(lines)


def _line(kind: str, points: list[tuple[float, float]], across: _Scale, up: _Scale) -> str:
    text = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in points)
    return f'<polyline class="{kind}" points="{text}"/>'


def _tick(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


class _Scale:
    """Logarithmic, from values to places."""

    def __init__(self, low: float, high: float, first: float, last: float) -> None:
        self.low, self.high, self._first, self._last = low, high, first, last

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self._first + share * (self._last - self._first)

    def marks(self) -> list[float]:
        tens = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        return [10.0**n for n in tens if self.low <= 10.0**n <= self.high]


def steepest(curve: Curve) -> float:
    """The largest slope between two neighbouring points; 1 where cost doubles with the size."""
    points = [(x, y) for x, y in curve if x > 0 and y > 0]
    slopes = [math.log(d / b) / math.log(c / a) for (a, b), (c, d) in pairwise(points)]
    return max(slopes, default=0.0)
