"""Rows of the ledgers as CSV, as spreadsheets take it: UTF-8 with a byte order mark, RFC 4180.

A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV
injection"): texts come from diallers and from callers. That holds for a number such as
``+442079460018`` too, which stays readable as ``'+442079460018`` and which the spreadsheet would
else have turned into a sum. A program that reads the file takes one leading apostrophe away.
Many spreadsheets divide at semicolons, whatever the quotes say; so what would be a formula behind
a semicolon, a tab or a line break inside a cell gets its apostrophe as well.

Instants are ISO 8601 with ms and their offset from UTC, lengths are whole ms, truth is ``yes`` or
``no``, what is not known is empty.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)

BOM = "\ufeff".encode()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNSEEN = r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*"
"""What a spreadsheet may pass over at the beginning of a cell."""

_FORMULA = re.compile(rf"^(?=[\t\r])|(^|(?<=[;\t\r\n]))(?={_UNSEEN}[=+\-@＝＋－＠])")

INSTANTS = frozenset(
    {"started", "answered", "ended", "ended_after"}
    | {"moment", "made", "changed", "settled", "shared"}
)

SUPERVISION = (
    *("id", "pbx", "supervisor_id", "supervisor_name", "supervisor_endpoint"),
    *("agent_id", "agent_name", "agent_endpoint", "type", "at_least", "type_provenance"),
    *("started", "started_exact", "ended", "ended_exact", "ended_after"),
    *("end_reason", "ended_by_name", "length_ms", "waiting_ms", "means", "campaign", "call_id"),
)
REASONS = ("reason", "disconnect_reason")
"""Follow the columns of a supervision: why it was, and why somebody disconnected it."""

SEGMENT = (
    *("n", "type", "at_least", "type_provenance", "call_id", "number"),
    *("campaign", "list", "result"),
    *("started", "started_exact", "ended", "ended_exact", "length_ms"),
)
OWNER = ("id", "pbx", "supervisor_id", "supervisor_name", "agent_id", "agent_name")
"""What each segment's row repeats of its supervision."""

CALL = (
    *("id", "pbx", "call_id", "agent_id", "agent_name", "agent_endpoint", "direction", "number"),
    *("queue", "campaign", "list", "result", "started", "started_exact", "answered"),
    *("ended", "ended_exact", "ended_after", "end_reason"),
    *("talk_ms", "hold_ms", "wrap_up_ms", "length_ms"),
)
STATUS = (
    *("id", "pbx", "agent_id", "agent_name", "agent_endpoint", "status", "reason"),
    *("started", "started_exact", "ended", "ended_exact", "ended_after", "length_ms"),
)
GAP = ("id", "pbx", "started", "ended", "why")

COLUMNS: dict[type[Any], tuple[str, ...]] = {
    SupervisionRecord: SUPERVISION,
    CallRecord: CALL,
    StatusRecord: STATUS,
    GapRecord: GAP,
}
SEGMENT_COLUMNS = tuple(f"supervision_{name}" for name in OWNER) + SEGMENT


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return _FORMULA.sub("'", text)


def instant(ms: int, zone: tzinfo) -> str:
    """ISO 8601 with ms and offset. What no calendar has stays a number."""
    try:
        at = (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone)
    except (OverflowError, ValueError):
        return str(ms)
    return at.isoformat(timespec="milliseconds")


class Sheet:
    """Makes the bytes of a CSV file, some rows at a time."""

    def __init__(self, columns: tuple[str, ...], zone: tzinfo) -> None:
        self._columns = columns
        self._zone = zone

    def head(self, also: tuple[str, ...] = ()) -> bytes:
        return BOM + self._bytes([self._columns + also])

    def rows(
        self, records: Iterable[Any], also: Iterable[Iterable[str | None]] | None = None
    ) -> bytes:
        """``also``: of each record, further cells behind its own."""
        cells = [self._cells(r, self._columns) for r in records]
        for row, more in zip(cells, also or (), strict=also is not None):
            row += [safe(text or "") for text in more]
        return self._bytes(cells)

    def segments(self, owned: Iterable[tuple[SupervisionRecord, list[SegmentRecord]]]) -> bytes:
        return self._bytes(
            [
                self._cells(owner, OWNER) + self._cells(segment, SEGMENT)
                for owner, segments in owned
                for segment in segments
            ]
        )

    def _cells(self, record: Any, columns: Iterable[str]) -> list[str]:
        return [self._cell(name, getattr(record, name)) for name in columns]

    def _cell(self, name: str, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int):
            return instant(value, self._zone) if name in INSTANTS else str(value)
        return safe(str(value))

    @staticmethod
    def _bytes(rows: Iterable[Iterable[str]]) -> bytes:
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\r\n").writerows(rows)
        # A surrogate, which no UTF-8 has, must not break the whole file off.
        return out.getvalue().encode(errors="replace")
