"""docs/speed.md and its picture, from the figures that were kept (docs/speed.json).

``make bench KEEP=1`` puts what it measured in the place of what was there; measures that were not
run stay as they were. The part between the two markers is written by hand and stays.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from tests.bench.figures import Figure, Report, kept, machine, table
from tests.bench.picture import picture

DOCS = Path(__file__).parents[2] / "docs"
FIGURES, TEXT, PICTURE = DOCS / "speed.json", DOCS / "speed.md", DOCS / "speed.svg"

BEGIN = "<!-- written by hand from here -->"
END = "<!-- to here -->"

_ABOUT = """\
# Speed

<!-- Written by `make bench KEEP=1`, but for the part between the markers. Do not edit the rest. -->

`make bench` measures all of this anew, `make bench NAMES="history page"` some of it, `ROUNDS=3`
with fewer rounds; `KEEP=1` writes this page and its picture. It needs what `make test` needs, and
keeps databases with ten million rows in the cache outside the checkout, so that the first run takes
longer and some 25 GB of disk. The machine should have nothing else to do.

A figure that is held against something is a ratio (or where it says so a difference) of two things
measured in turn in one run, so that it holds on another machine; the absolute ones do not. What is
given is the median of all rounds, with the lowest and the highest.
"""


class Kept(msgspec.Struct, frozen=True):
    """A report with where it was made."""

    machine: str
    report: Report


def load() -> list[Kept]:
    return msgspec.json.decode(FIGURES.read_bytes(), type=list[Kept]) if FIGURES.exists() else []


def keep_all() -> list[Path]:
    """Take over what build/bench holds, and write the page; gives the files."""
    here = machine()
    by_name = {one.report.name: one for one in load()}
    by_name |= {report.name: Kept(here, report) for report in kept()}
    some = [by_name[name] for name in sorted(by_name)]
    old = TEXT.read_text() if TEXT.exists() else ""
    FIGURES.write_bytes(msgspec.json.format(msgspec.json.encode(some)) + b"\n")
    TEXT.write_text(made(some, by_hand(old)))
    PICTURE.write_text(drawn(some))
    return [FIGURES, TEXT, PICTURE]


def by_hand(text: str) -> str:
    """What stands between the markers."""
    return text.partition(BEGIN)[2].partition(END)[0].strip("\n")


def made(some: list[Kept], hand: str) -> str:
    figures = [f for one in some for f in one.report.figures]
    judged = [f for f in figures if f.goal is not None]
    others = [f for f in figures if f.goal is None]
    parts = [_ABOUT, f"Made on {'; '.join(sorted({one.machine for one in some}))}.\n"]
    parts.append(f"## Goals\n\n{table(judged)}\n")
    if others:
        parts.append(f"## Beside them\n\n{table(others)}\n")
    parts.append("## What is missed, and why\n")
    parts.append(f"{BEGIN}\n{hand}\n{END}\n")
    notes = _notes(figures)
    if notes:
        parts.append("## What the figures mean\n\n" + "\n".join(notes) + "\n")
    if any(one.report.curves for one in some):
        parts.append(
            "## How cost grows\n\nThe dashed line is growth in proportion; both axes are"
            f" logarithmic.\n\n![Cost by size]({PICTURE.name})\n"
        )
    return "\n".join(parts)


def _notes(figures: list[Figure]) -> list[str]:
    lines = []
    for figure in figures:
        note = figure.note
        if figure.theirs and figure.compare == "difference":
            note = f"{note} The goal is about the difference.".strip()
        if note:
            lines.append(f"- **{figure.what}**: {note}")
    return lines


def drawn(some: list[Kept]) -> str:
    return picture({title: c for one in some for title, c in one.report.curves.items()})


def main() -> None:
    for path in keep_all():
        print(f"wrote {path.relative_to(DOCS.parent)}", file=sys.stderr)


if __name__ == "__main__":
    main()
