"""Scores as a sheet: how a CSV file is read, and what is wrong with which line. Pure."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, datetime, tzinfo

from msgspec import Struct

from monitord.csat.rules import (
    NAME_MOST,
    REFERENCE_MOST,
    Scale,
    ScoreError,
    score_of,
    time_fault,
)
from monitord.csat.store import Given
from monitord.people.sheet import Fault, plain

COLUMNS = ("call", "score", "at", "reference")
BYTES_MOST = 4 << 20
LINES_MOST = 20_000


class ScoreLine(Struct, frozen=True):
    line: int
    """From 1, as an editor counts."""
    given: Given


def read(data: bytes, scale: Scale, zone: tzinfo, now: int) -> tuple[list[ScoreLine], list[Fault]]:
    """The scores of a file, and what is wrong with it; of a line with a fault there is nothing.
    ``zone``: of times that say none."""
    faults: list[Fault] = []
    if len(data) > BYTES_MOST:
        return [], [Fault(None, None, f"the file is larger than {BYTES_MOST >> 20} MB")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return [], [Fault(line, None, "is not text in UTF-8; save the file as “CSV UTF-8”")]
    head = text.split("\n", 1)[0]
    rows = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",", strict=True
    )
    found: list[ScoreLine] = []
    columns: list[str] = []
    before = 0
    try:
        for row in rows:
            line, before = before + 1, rows.line_num
            if not any(cell.strip() for cell in row):
                continue
            if not columns:
                columns = [cell.strip().lower() for cell in row]
                faults += _columns(line, columns)
                if faults:
                    return [], faults
            elif len(row) != len(columns):
                rule = f"has {len(row)} cells, the first line {len(columns)}"
                faults.append(Fault(line, None, rule))
            elif len(found) + len(faults) >= LINES_MOST:
                faults.append(Fault(None, None, f"there may be at most {LINES_MOST} lines"))
                return [], faults
            else:
                cells = dict(zip(columns, map(plain, row), strict=True))
                given = _given(cells, scale, zone, now)
                if isinstance(given, Given):
                    found.append(ScoreLine(line, given))
                else:
                    faults.append(Fault(line, *given))
    except csv.Error as error:
        faults.append(Fault(before + 1, None, f"is not CSV: {error}"))
    if not columns:
        faults.append(Fault(None, None, "the file is empty; its first line must name the columns"))
    return found, faults


def _columns(line: int, columns: list[str]) -> list[Fault]:
    there_are = ", ".join(COLUMNS)
    faults = []
    for name, times in Counter(columns).items():
        if name not in COLUMNS:
            rule = f"there is no such column; there are: {there_are}"
            faults.append(Fault(line, name[:100], rule))
        elif times > 1:
            faults.append(Fault(line, name, "stands there more than once"))
    missing = [name for name in ("call", "score") if name not in columns]
    return faults + [Fault(line, name, "is missing") for name in missing]


def _given(cells: dict[str, str], scale: Scale, zone: tzinfo, now: int) -> Given | tuple[str, str]:
    """The score, or the column that is to blame and its rule."""
    for name, most in (("call", NAME_MOST), ("reference", REFERENCE_MOST)):
        text = cells.get(name, "")
        if len(text) > most:
            return name, f"may be at most {most} characters long"
        if any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in text):
            return name, "control characters are not allowed"
    if not cells["call"]:
        return "call", "must not be empty"
    try:
        value = score_of(cells["score"], scale)
    except ScoreError as error:
        return "score", str(error)
    at = None
    if when := cells.get("at", ""):
        try:
            moment = datetime.fromisoformat(when)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=zone)
            at = int(moment.astimezone(UTC).timestamp() * 1000)
        except (ValueError, OverflowError):
            return "at", "must be a time such as 2026-11-22 14:05 or 2026-11-22T14:05:00+01:00"
        if at < 0:
            return "at", "must not lie before 1970"
        if fault := time_fault(at, now):
            return "at", fault
    return Given(call=cells["call"], value=value, at=at, reference=cells.get("reference") or None)
