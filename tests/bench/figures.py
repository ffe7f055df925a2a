"""What a bench gives: figures, each held against something measured in the same run.

A figure's samples come in alternated pairs (ours, theirs, ours, theirs, …), so that a machine that
becomes slower in the middle slows both. Where nothing is named to hold it against, there is ours
only, in a unit of its own.
"""

from __future__ import annotations

import math
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

FOLDER = Path(__file__).parents[2] / "build" / "bench"


class Goal(msgspec.Struct, frozen=True):
    """``least``: the figure must reach ``value``; ``most``: it must not pass it."""

    bound: Literal["least", "most"]
    value: float

    def met(self, figure: float) -> bool:
        return figure >= self.value if self.bound == "least" else figure <= self.value


class Figure(msgspec.Struct, frozen=True):
    """One line of the table."""

    what: str
    against: str
    """What it is held against; empty where it is judged alone."""
    unit: str
    """Of ``ours`` and ``theirs``."""
    ours: list[float]
    theirs: list[float] = []
    goal: Goal | None = None
    compare: Literal["ratio", "difference"] = "ratio"
    """How ours and theirs become the figure, where there is a theirs."""
    note: str = ""

    @property
    def samples(self) -> list[float]:
        """One for each pair: what the goal is about."""
        if not self.theirs:
            return self.ours
        pairs = zip(self.ours, self.theirs, strict=True)
        if self.compare == "difference":
            return [ours - theirs for ours, theirs in pairs]
        return [ours / theirs for ours, theirs in pairs]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def met(self) -> bool | None:
        """None where it has no goal."""
        return None if self.goal is None else self.goal.met(self.median)


Curve = list[tuple[float, float]]
"""Size and cost."""


class Report(msgspec.Struct, frozen=True):
    """What one measure gave, as it is kept in build/bench/<name>.json."""

    name: str
    figures: list[Figure]
    curves: dict[str, Curve] = {}
    """By title."""


def keep(report: Report) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{report.name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return path


def kept() -> list[Report]:
    """All that were measured, in the order of their names."""
    decode = msgspec.json.Decoder(Report).decode
    return [decode(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))]


def shown(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def line_of(figure: Figure) -> list[str]:
    """what, ours, against, theirs, figure with its spread, goal, whether it is met."""
    unit = f" {figure.unit}" if figure.unit else ""
    ours = shown(statistics.median(figure.ours)) + unit
    theirs = shown(statistics.median(figure.theirs)) + unit if figure.theirs else ""
    low, high = min(figure.samples), max(figure.samples)
    spread = f"{shown(figure.median)} ({shown(low)} to {shown(high)})"
    goal = f"at {figure.goal.bound} {shown(figure.goal.value)}" if figure.goal else ""
    verdict = {None: "", True: "met", False: "missed"}[figure.met]
    return [figure.what, ours, figure.against, theirs, spread, goal, verdict]


HEADINGS = ["what", "ours", "against", "theirs", "median (lowest to highest)", "goal", ""]


def table(figures: Sequence[Figure]) -> str:
    """As Markdown, which reads well in a terminal too."""
    rows = [HEADINGS, *map(line_of, figures)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least ``share`` of them do not pass."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def machine() -> str:
    """The machine, for whoever compares: nothing that names it."""
    models = {
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    }
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    return (
        f"{os.cpu_count()} processors ({', '.join(sorted(models)) or 'of an unnamed kind'}), "
        f"{kilobytes / 1e6:.0f} GB of memory, Linux {platform.release().split('-')[0]}, "
        f"Python {sys.version.split()[0]}"
    )
