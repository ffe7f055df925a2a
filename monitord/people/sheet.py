"""The roster as a sheet: its columns, its lines, and how a CSV file is read.

Cells are text and nothing else; the one apostrophe that an export puts before what a spreadsheet
would take for a formula is taken away again.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from monitord.people.roster import Person, Roster

COLUMNS = (
    *("id", "name", "team", "leader", "agent", "active", "hired", "cadence"),
    *("account_codes", "endpoints", "since", "email"),
)
SEPARATOR = "|"
"""Between the account codes of one cell, and its endpoints."""

BYTES_MOST = 4 << 20
LINES_MOST = 20_000
CELL_MOST = 2_000

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Fault(Struct, frozen=True):
    """Why a line cannot be taken."""

    line: int | None
    """From 1, as an editor counts; None where it is the file as a whole."""
    column: str | None
    rule: str


class Line(Struct, frozen=True):
    line: int
    """Where it begins, from 1."""
    cells: dict[str, str]


def cells_of(person: Person, endpoints: list[str]) -> dict[str, str]:
    """One person's line. ``endpoints``: those that are theirs now."""
    return {
        "id": person.id,
        "name": person.name,
        "team": person.team or "",
        "leader": person.leader or "",
        "agent": "yes" if person.agent else "no",
        "active": "yes" if person.active else "no",
        "hired": person.hired or "",
        "cadence": person.cadence or "",
        "account_codes": SEPARATOR.join(person.account_codes),
        "endpoints": SEPARATOR.join(sorted(endpoints)),
        "since": "",
        "email": person.email or "",
    }


def lines(roster: Roster, at: int) -> Iterator[dict[str, str]]:
    """The whole roster, those who have left included."""
    owned: dict[str, list[str]] = {}
    for own in roster.owned:
        if own.at(at):
            owned.setdefault(own.person, []).append(own.endpoint)
    for person in roster.people.values():
        yield cells_of(person, owned.get(person.id, []))


def read(data: bytes) -> tuple[list[Line], list[Fault]]:
    """The lines of a file, and what is wrong with it; of a line with a fault there is nothing."""
    reading = _Reading()
    return reading.lines(data), reading.faults


class _Reading:
    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def _fault(self, line: int | None, column: str | None, rule: str) -> None:
        self.faults.append(Fault(line, column, rule))

    def lines(self, data: bytes) -> list[Line]:
        if len(data) > BYTES_MOST:
            self._fault(None, None, f"the file is larger than {BYTES_MOST >> 20} MB")
            return []
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self._fault(line, None, "is not text in UTF-8; save the file as “CSV UTF-8”")
            return []
        head = text.split("\n", 1)[0]
        rows = csv.reader(
            io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",", strict=True
        )
        read: list[Line] = []
        columns: list[str] = []
        before = 0
        try:
            for row in rows:
                line, before = before + 1, rows.line_num
                if not any(cell.strip() for cell in row):
                    continue
                if not columns:
                    columns = self._columns(line, row)
                    if self.faults:
                        return []
                elif len(read) >= LINES_MOST:
                    self._fault(None, None, f"there may be at most {LINES_MOST} people in a file")
                    return []
                elif self._fits(line, row, columns):
                    texts = dict(zip(columns, map(plain, row), strict=True))
                    read.append(Line(line, texts))
        except csv.Error as error:
            self._fault(before + 1, None, f"is not CSV: {error}")
            return []
        if not columns:
            self._fault(None, None, "the file is empty; its first line must name the columns")
        return read

    def _columns(self, line: int, row: list[str]) -> list[str]:
        columns = [cell.strip().lower() for cell in row]
        for name, times in Counter(columns).items():
            if name not in COLUMNS:
                rule = f"there is no such column; there are: {', '.join(COLUMNS)}"
                self._fault(line, name[:100], rule)
            elif times > 1:
                self._fault(line, name, "stands there more than once")
        if "id" not in columns and "name" not in columns:
            self._fault(line, "id", "is missing, and so is name: nobody can be told apart")
        return columns

    def _fits(self, line: int, row: list[str], columns: list[str]) -> bool:
        if len(row) != len(columns):
            self._fault(line, None, f"has {len(row)} cells, the first line {len(columns)}")
            return False
        for name, cell in zip(columns, row, strict=True):
            if len(cell) > CELL_MOST:
                self._fault(line, name, f"may be at most {CELL_MOST} characters long")
                return False
        return True


def plain(cell: str) -> str:
    """A cell as text, without what an export put before it."""
    text = cell.strip()
    if text.startswith("'") and text[1:].lstrip().startswith(_FORMULA):
        return text[1:]
    return text


def parts(cell: str) -> list[str]:
    """What stands in one cell, one after the other."""
    return [part for text in cell.split(SEPARATOR) if (part := text.strip())]
