"""The benches: that each can still be run, and that what is kept of them is what they write.

No time is judged here, and no goal: that is what `make bench` is for.
"""

from __future__ import annotations

import importlib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.bench import document
from tests.bench.__main__ import names
from tests.bench.figures import Figure, Goal, Report, percentile, table
from tests.bench.picture import picture, steepest

SMALL = [
    n for n in names() if hasattr(importlib.import_module(f"tests.bench.measures.{n}"), "SMALL")
]
IN_CHROMIUM = {"page", "smooth"}


@pytest.mark.faults  # minutes in all, and no word about the product
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.browser if n in IN_CHROMIUM else ()) for n in SMALL],
)
async def test_a_measure_runs_at_a_tiny_size(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITORD_CACHE", str(tmp_path))  # its databases are no others' business
    module = importlib.import_module(f"tests.bench.measures.{name}")
    report: Report = await module.measure(1, module.SMALL)
    assert report.name == name
    assert report.figures and all(f.samples for f in report.figures)
    assert all(figure.what in table(report.figures) for figure in report.figures)
    assert all(len(curve) > 1 for curve in report.curves.values())


def test_what_is_kept_is_as_the_writer_makes_it() -> None:
    kept = document.load()
    assert kept and {one.report.name for one in kept} <= set(names())
    text = document.TEXT.read_text()
    assert document.made(kept, document.by_hand(text)) == text, "run make bench KEEP=1"
    assert document.drawn(kept) == document.PICTURE.read_text(), "run make bench KEEP=1"


def test_every_missed_goal_is_explained() -> None:
    """By hand, under the name that the table has."""
    text = document.by_hand(document.TEXT.read_text())
    figures = [f for one in document.load() for f in one.report.figures]
    missed = {f.what.partition(":")[0].partition(", ")[0] for f in figures if f.met is False}
    assert [what for what in missed if what not in text] == []


def test_the_hand_written_part_stays() -> None:
    some = [
        document.Kept("a machine", Report("one", [Figure("speed", "", "s", [1.0], note="Noted.")]))
    ]
    once = document.made(some, "Because.\n\nAnd so on.")
    assert document.made(some, document.by_hand(once)) == once
    assert "Because.\n\nAnd so on." in once and "Noted." in once and "a machine" in once


@pytest.mark.parametrize(
    ("compare", "figure", "met"), [("ratio", 2.0, False), ("difference", 4.0, True)]
)
def test_a_figure_is_judged_by_what_it_is_held_against(
    compare: str, figure: float, met: bool
) -> None:
    goal = Goal("most", 1.5) if compare == "ratio" else Goal("most", 5)
    made = Figure("x", "y", "", [8.0, 9.0, 8.0], [4.0, 3.0, 4.0], goal, compare)  # type: ignore[arg-type]
    assert (made.median, made.met) == (figure, met)


def test_percentiles_are_samples() -> None:
    assert percentile([3, 1, 2], 0.99) == 3
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([7], 0.5) == 7


def test_the_picture_is_whole_and_tells_a_straight_line() -> None:
    curve = [(10.0, 5.0), (100.0, 50.0), (1000.0, 500.0)]
    root = ET.fromstring(picture({"a < b": curve, "none": []}))
    texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "a < b" in texts and "none: nothing to draw" in texts
    assert steepest(curve) == pytest.approx(1)
    assert steepest([(1.0, 1.0), (2.0, 4.0)]) == pytest.approx(2)
