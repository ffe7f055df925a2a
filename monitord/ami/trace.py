"""Traces: what came from a PBX, kept so that it can be applied again without one.

A trace is JSON lines. The first says what it is; each following one is a message or a step of the
link, with its receive times in ms (monotonic, and UTC since 1970). Where a daemon with a ledger was
tapped, what that ledger had open comes first, as a step of its own::

    {"format":"monitord trace","version":1,"pbx":"lab","site":{...}}
    {"mono":1,"wall":2,"step":{"type":"BootSeen","boot":"...","version":"..."}}
    {"mono":3,"wall":4,"name":"Newchannel","reply":false,"text":"Event: Newchannel\\r\\n..."}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any

import msgspec
from msgspec import Meta

from monitord.ami.link import Item, Step
from monitord.ami.protocol import Received
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.site import Site

LINE_MOST = 1 << 20
"""Bytes of one line: an AMI message has 64 kB at most, and JSON makes one byte six at most."""

_Ms = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]  # up to the year 9999

_STEPS: dict[str, type[ev.Event]] = {
    cls.__name__: cls
    for cls in (
        ev.Remembered,
        ev.RosterChanged,
        ev.LinkChanged,
        ev.BootSeen,
        ev.ResyncBegun,
        ev.ResyncEnded,
        ev.MarkBegun,
        ev.MarkEnded,
        ev.ReconcileBegun,
        ev.ReconcileEnded,
        ev.ChannelUnknown,
        ev.DisconnectSent,
        ev.DisconnectSettled,
    )
}

_SECRET_HEADERS = re.compile(
    r"(?im)^(Secret|MD5Secret|Key|Password|Challenge"
    r"|(?:Received|Expected)(?:Challenge|Hash|Response)):[^\r\n]*"
)


class TraceError(ValueError):
    """A file that is no trace, or a broken one. The text names the file, line and rule."""


class Header(msgspec.Struct, forbid_unknown_fields=True):
    pbx: str
    site: Site
    """The rules under which it was recorded, with which a replay gives the same rows."""
    format: str = "monitord trace"
    version: int = 1


class _Line(msgspec.Struct, omit_defaults=True):
    mono: _Ms
    wall: _Ms
    name: str = ""
    reply: bool = False
    text: str = ""
    step: dict[str, Any] | None = None


class Scrubber:
    """Takes out what must not leave a site: secrets always, and the numbers it is told.

    Each number becomes one of the same length, the same one throughout a trace, so that what
    belonged together still does.
    """

    def __init__(self, numbers: Iterable[str]) -> None:
        # Longest first: a number may be part of another.
        ordered = sorted({n for n in numbers if n}, key=lambda n: (-len(n), n))
        self._stand_ins = {n: self._stand_in(n, i) for i, n in enumerate(ordered, 1)}
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    @staticmethod
    def _stand_in(number: str, index: int) -> str:
        digits = str(index).rjust(len(number), "0")[-len(number) :]
        return "+" + digits[1:] if number.startswith("+") else digits

    def scrub(self, text: str) -> str:
        text = _SECRET_HEADERS.sub(r"\1: ***", text)
        if self._pattern is not None:
            text = self._pattern.sub(lambda m: self._stand_ins[m[0]], text)
        return text

    def scrub_all(self, value: Any) -> Any:
        """Every string inside of it, keys of mappings too."""
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, list):
            return [self.scrub_all(v) for v in value]
        if isinstance(value, dict):
            return {self.scrub_all(k): self.scrub_all(v) for k, v in value.items()}
        return value


class Recorder:
    """Writes a trace, line by line, so that a kill costs at most the line under way."""

    def __init__(self, file: IO[bytes], scrubber: Scrubber) -> None:
        self._file = file
        self._scrubber = scrubber
        self._encode = msgspec.json.Encoder().encode

    def begin(self, header: Header) -> None:
        # Endpoints of the site's people may be numbers, and must fit what the lines then say.
        self._write(self._scrubbed(header))

    def take(self, item: Item) -> None:
        if isinstance(item, Received):
            text = self._scrubber.scrub(item.text)
            line = _Line(item.mono, item.wall, item.name, item.reply, text)
        elif type(item.event).__name__ in _STEPS:
            step = {"type": type(item.event).__name__, **self._scrubbed(item.event)}
            line = _Line(item.mono, item.wall, step=step)
        else:
            return
        self._write(line)

    def _scrubbed(self, struct: msgspec.Struct) -> Any:
        return self._scrubber.scrub_all(msgspec.json.decode(msgspec.json.encode(struct)))

    def _write(self, line: Any) -> None:
        self._file.write(self._encode(line) + b"\n")
        self._file.flush()


@dataclass(frozen=True, slots=True)
class Summary:
    """What a trace is, known only after all of it was read."""

    header: Header
    items: int
    first: At
    last: At
    """Receive times of the first and the last item; zero where there is none."""
    cut: bool
    """The last line was cut while it was written, and does not count."""


def read(path: Path) -> tuple[Header, list[Item]]:
    """A whole trace. A last line that was cut while it was written does not count.

    Raises:
        TraceError: it is none, or a line of it is broken.
    """
    with path.open("rb") as file:
        header = _header(path, file)
        return header, list(_items(path, file))


def summary(path: Path) -> Summary:
    """Look through a whole trace without keeping it.

    Raises:
        TraceError: it cannot be read, is none, or a line of it is broken.
    """
    try:
        with path.open("rb") as file:
            header = _header(path, file)
            items, first, last = 0, At(0, 0), At(0, 0)
            cut: list[int] = []
            for item in _items(path, file, cut.append):
                last = At(item.mono, item.wall)
                first = last if not items else first
                items += 1
            return Summary(header, items, first, last, cut=bool(cut))
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from None


def stream(path: Path) -> Iterator[Item]:
    """The items of a trace one by one. Errors as :func:`summary`."""
    try:
        with path.open("rb") as file:
            _header(path, file)
            yield from _items(path, file)
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from None


def _header(path: Path, file: IO[bytes]) -> Header:
    first = file.readline(LINE_MOST)
    try:
        header = msgspec.json.decode(first, type=Header)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise TraceError(f"{path}: line 1 is no trace header: {_plain(error)}") from None
    if header.format != "monitord trace" or header.version != 1:
        raise TraceError(f"{path}: line 1: only “monitord trace” version 1 can be read")
    return header


def _lines(path: Path, file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    number = 1
    while line := file.readline(LINE_MOST + 1):
        number += 1
        if len(line) > LINE_MOST:
            raise TraceError(f"{path}: line {number} is longer than {LINE_MOST} bytes")
        yield number, line


def _items(
    path: Path, file: IO[bytes], on_cut: Callable[[int], None] = lambda number: None
) -> Iterator[Item]:
    """``on_cut`` is told the number of a last line that was cut while it was written."""
    decode = msgspec.json.Decoder(_Line).decode
    for number, raw in _lines(path, file):
        try:
            line = decode(raw)
            if line.step is None:
                yield Received(line.mono, line.wall, line.name, line.text, line.reply)
            else:
                fields = dict(line.step)
                cls = _STEPS[fields.pop("type")]
                yield Step(line.mono, line.wall, msgspec.convert(fields, cls))
        except (msgspec.MsgspecError, KeyError, TypeError, RecursionError) as error:
            if not raw.endswith(b"\n"):
                on_cut(number)
                return
            raise TraceError(f"{path}: line {number} is broken: {_plain(error)}") from None


def _plain(error: Exception) -> str:
    """A trace may come from anybody, and the text of an error quotes it."""
    return "".join(c if c.isprintable() else "?" for c in str(error)[:500])
