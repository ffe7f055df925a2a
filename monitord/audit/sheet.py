"""An export of the audit log: JSON lines that anybody can check without the database.

The first line says what was asked for. Each row has the columns as they stand in the table, the
hash before it, and what the keys opened. The last line is signed over the SHA-256 of all lines
before it, so that no line can be changed, left out or added.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from monitord.audit.chain import Row, hash_of
from monitord.audit.keys import Keys, is_signed
from monitord.audit.reading import Opened

LINE_MOST = 16 * 1024 * 1024
VERSION = 1


class Begin(Struct, frozen=True):
    """The first line."""

    asked: int
    """ms UTC."""
    filters: dict[str, str]
    keys: str
    """Id of the set of keys."""
    public: str
    """Verifies the signature: base64 of 32 bytes, Ed25519."""
    monitord_audit: int = VERSION


class Place(Struct, frozen=True):
    n: int
    hash: str


class Summary(Struct, frozen=True):
    rows: int
    first: Place | None
    last: Place | None
    sha256: str
    """Of all lines before, with their ends."""
    at: int


class End(Struct, frozen=True):
    """The last line."""

    summary: Summary
    signature: str
    """Base64 of Ed25519 over :func:`signed_part`."""


class Line(Struct, frozen=True):
    before: str
    row: Row
    opened: dict[str, Any]


def signed_part(summary: Summary) -> bytes:
    places = [None if p is None else [p.n, p.hash] for p in (summary.first, summary.last)]
    return msgspec.json.encode(
        ["monitord audit export", summary.rows, *places, summary.sha256, summary.at]
    )


class Writer:
    """Makes the lines, in order."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._digest = hashlib.sha256()
        self.rows = 0
        self._first: Place | None = None
        self._last: Place | None = None

    def begin(self, asked: int, filters: dict[str, str]) -> bytes:
        return self._line(Begin(asked, filters, self._keys.id, self._keys.public))

    def row(self, before: str, one: Opened) -> bytes:
        self._last = Place(one.row.n, one.row.hash)
        self._first = self._first or self._last
        self.rows += 1
        opened = {
            "actor": None if one.actor_id is None else {"id": one.actor_id, "name": one.actor_name},
            "target": one.target,
            "detail": one.detail,
            "erased": one.erased,
        }
        return self._line(Line(before, one.row, opened))

    def end(self) -> bytes:
        summary = Summary(
            self.rows,
            self._first,
            self._last,
            self._digest.hexdigest(),
            time.time_ns() // 1_000_000,
        )
        return msgspec.json.encode(End(summary, self._keys.sign(signed_part(summary)))) + b"\n"

    def _line(self, line: Struct) -> bytes:
        data = msgspec.json.encode(line) + b"\n"
        self._digest.update(data)
        return data


class ExportError(Exception):
    """It is not what monitord wrote. The text says which line, and what of it."""


class Proved(Struct, frozen=True):
    begin: Begin
    summary: Summary


def prove(
    path: Path, public: str | None, progress: Callable[[int], None] = lambda rows: None
) -> Proved:
    """``public``: the key that must have signed it; None takes the one that the file names, which
    then proves only that it was not changed since that one signed it.

    Raises:
        ExportError: see there.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        digest = hashlib.sha256()
        number = 1
        line = file.readline(LINE_MOST)
        begin = _decode(line, number, Begin)
        if begin.monitord_audit != VERSION:
            raise ExportError(f"line 1: version {begin.monitord_audit} of exports is not known")
        rows, first, last = 0, None, None
        while True:
            following = file.readline(LINE_MOST)
            digest.update(line)
            if not following:
                raise ExportError(
                    f"line {number + 1}: the signed last line is missing; the file is a part"
                )
            number, line = number + 1, following
            if line.startswith(b'{"summary":'):
                break
            one = _decode(line, number, Line)
            _check(one, number, last)
            last = Place(one.row.n, one.row.hash)
            first = first or last
            rows += 1
            progress(rows)
        end = _decode(line, number, End)
        if file.read(1):
            raise ExportError(f"line {number + 1}: there is more after the signed last line")
    said = end.summary
    if said.sha256 != digest.hexdigest():
        raise ExportError("a line was changed, left out or added: the SHA-256 is another one")
    if (said.rows, said.first, said.last) != (rows, first, last):
        raise ExportError(f"line {number}: it does not say what rows there are")
    if not is_signed(public or begin.public, signed_part(said), end.signature):
        raise ExportError(f"line {number}: the signature is not of that key")
    return Proved(begin, said)


def _decode(line: bytes, number: int, kind: type[Any]) -> Any:
    if not line.endswith(b"\n"):
        raise ExportError(f"line {number}: it has no end; the file is a part")
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise ExportError(f"line {number}: it is not a line of an export") from None


def _check(one: Line, number: int, last: Place | None) -> None:
    row = one.row
    if hash_of(one.before, row) != row.hash:
        raise ExportError(f"line {number}: row {row.n} is not as it was written")
    if last is not None and row.n <= last.n:
        raise ExportError(f"line {number}: row {row.n} is not in its place")
    if last is not None and row.n == last.n + 1 and one.before != last.hash:
        raise ExportError(f"line {number}: row {row.n} does not follow row {last.n}")
