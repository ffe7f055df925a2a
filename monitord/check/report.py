"""What a check has found: as data, as text of 80 columns, and as JSON. PURE."""

from __future__ import annotations

import textwrap
from enum import StrEnum

import msgspec
from msgspec import Struct, field

WIDTH = 80


class Verdict(StrEnum):
    """How sure we are, and of what."""

    OK = "ok"
    SEEN = "seen"
    NOT_YET = "not yet seen"
    """Nothing speaks against it; nothing that happened would have shown it."""
    WARNING = "warning"
    """It works, but more is let through or allowed than should be, or something is odd."""
    REFUSED = "refused"
    """The PBX said no, or something happened there that it should have told and did not."""
    WRONG = "wrong"
    """Here, on our side, or on the way."""


BAD = frozenset({Verdict.REFUSED, Verdict.WRONG})
_COLUMN = 2 + max(len(v) for v in Verdict) + 2


class Line(Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at."""

    about: str
    verdict: Verdict
    found: str
    without: str = ""
    """What will not work without it, or what to do."""
    times: int | None = None


class Section(Struct, frozen=True):
    title: str
    lines: list[Line] = field(default_factory=list)


class Report(Struct, frozen=True):
    sections: list[Section]
    watched_s: int
    """How long what the PBXs send was watched."""

    def _with(self, *verdicts: Verdict) -> int:
        return sum(line.verdict in verdicts for s in self.sections for line in s.lines)

    @property
    def wrong(self) -> int:
        return self._with(*BAD)

    @property
    def exit_code(self) -> int:
        return 1 if self.wrong else 0

    def json(self) -> str:
        body = {
            "ok": not self.wrong,
            "wrong": self.wrong,
            "warnings": self._with(Verdict.WARNING),
            "not_yet_seen": self._with(Verdict.NOT_YET),
            "watched_s": self.watched_s,
            "sections": self.sections,
        }
        return msgspec.json.format(msgspec.json.encode(body), indent=2).decode()

    def text(self) -> str:
        out: list[str] = []
        for section in self.sections:
            out += [printable(section.title), "-" * min(len(section.title), WIDTH)]
            for line in section.lines:
                out += _text(line)
            out.append("")
        return "\n".join([*out, *_wrapped(self._sum(), 0), ""])

    def _sum(self) -> str:
        warnings, unseen = self._with(Verdict.WARNING), self._with(Verdict.NOT_YET)
        said = f"{self.wrong} wrong or refused." if self.wrong else "Nothing is wrong."
        if warnings:
            said += f" {warnings} warning{'s' if warnings > 1 else ''}."
        if unseen:
            said += f" {unseen} not yet seen, which neither proves nor disproves them."
        return said


def printable(text: str) -> str:
    """Names come from the PBX; none may write to somebody's terminal as it likes."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _text(line: Line) -> list[str]:
    times = "" if line.times is None else f" ({line.times}×)"
    first, *rest = _wrapped(f"{line.about}{times}: {line.found}", _COLUMN)
    out = [f"  {line.verdict:<{_COLUMN - 2}}{first.lstrip()}", *rest]
    if line.without and line.verdict not in (Verdict.OK, Verdict.SEEN):
        out += _wrapped(line.without, _COLUMN)
    return out


def _wrapped(text: str, indent: int) -> list[str]:
    blank = " " * indent
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=blank,
        subsequent_indent=blank,
        break_on_hyphens=False,
        break_long_words=False,  # a path is copied whole or not at all
    )
