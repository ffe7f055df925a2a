"""A trace in the place of the link to a PBX: its items come again, at the distances of then.

The items keep the distances that they had, whatever the speed, because lengths, wrap-ups and
take-overs are judged by them: a replay leads to the rows that the recording led to. All of them
are shifted by one amount, so that a page's present is about that of the replay:

- at speed 1 and below the first item is stamped with the present;
- above that, and where nothing is waited for (speed 0), the last one is, when it comes. Until then
  what still runs looks older than it was at that moment; no stamp is ever in the future.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice

import msgspec
from panoramisk.message import Message

from monitord.ami.actions import NotSentError
from monitord.ami.link import Item, Sink, Step
from monitord.ami.trace import Summary, TraceError
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.words import LinkState

BATCH_MOST = 256
"""Items handed on before others get their turn; fewer than are applied in a turn, so that no more
than one batch ever waits."""

REFUSAL = "this is a replay of a trace, there is no PBX to tell"


class Playback:
    """As :class:`monitord.ami.link.Link`, of which nothing can be asked."""

    round_trip_ms: int | None = None
    """Nothing is pinged."""

    def __init__(
        self, pbx: str, summary: Summary, items: Iterable[Item], sink: Sink, speed: float
    ) -> None:
        """``items``: those that ``summary`` tells of. ``speed``: how many times faster than they
        came; 0 waits for nothing."""
        self.pbx = pbx
        self.summary = summary
        self._items = items
        self._sink = sink
        self._speed = speed
        self.live = asyncio.Event()
        """The trace has come to a place where its link was live."""
        self.over = asyncio.Event()
        """Every item was handed on, and the word that the replay is over."""
        self._began = _present()
        lasts = summary.last.mono - summary.first.mono
        late = 0
        if speed == 0:
            late = lasts
        elif speed > 1:
            late = round(lasts - lasts / speed)
        self.shift_ms = self._began.wall - late - summary.first.wall
        """By how much every stamp is later than in the trace."""
        self._mono_shift = self._began.mono - late - summary.first.mono
        self._next = self._shifted(summary.first)
        """Of the item that comes next: no deadline behind it is judged before it has come."""
        self._ended: At | None = None
        self._last = self._next

    @property
    def heard(self) -> int:
        return self._last.wall

    def now(self) -> At:
        """The present of the PBX that is replayed, which after the end goes on as ours."""
        if self._ended is not None:
            since = _present().mono - self._ended.mono
            return At(self._last.mono + since, self._last.wall + since)
        played = round((_present().mono - self._began.mono) * self._speed)
        first = self._shifted(self.summary.first)
        mono = max(self._last.mono, min(first.mono + played, self._next.mono))
        return At(mono, self._last.wall + mono - self._last.mono)

    async def run(self) -> None:
        """Until every item was handed on."""
        over = "The replay is over. What is shown is how the trace left it."
        try:
            await self._hand_on_all()
        except TraceError as error:  # it was whole when we looked through it
            over = f"The replay broke off: {error}. What is shown is how it was there."
        self._ended = _present()
        self._sink(
            Step(
                self._last.mono,
                self._last.wall,
                ev.LinkChanged(LinkState.LOST, over, self._last.wall),
            )
        )
        self.over.set()

    async def _hand_on_all(self) -> None:
        at_once = 0
        # A recording may still go on; what it was when we looked is replayed.
        for item in islice(self._items, self.summary.items):
            self._next = self._shifted(At(item.mono, item.wall))
            wait = self._wait(item)
            if wait > 0 or at_once == BATCH_MOST:
                await asyncio.sleep(max(0, wait))
                at_once = 0
            at_once += 1
            self._last = self._next
            self._hand_on(item, self._last)

    def _wait(self, item: Item) -> float:
        """Seconds until an item is due."""
        if self._speed == 0:
            return 0.0
        offset = (item.mono - self.summary.first.mono) / self._speed
        return (self._began.mono + offset - _present().mono) / 1000

    def _hand_on(self, item: Item, at: At) -> None:
        if not isinstance(item, Step):
            self._sink(msgspec.structs.replace(item, mono=at.mono, wall=at.wall))
            return
        event = item.event
        if isinstance(event, ev.Remembered):
            return  # rows of another ledger than the one that is written now
        if isinstance(event, ev.LinkChanged):
            heard = event.heard + self.shift_ms if event.heard else 0
            detail = event.detail
            if event.link is LinkState.LIVE:
                self.live.set()
                detail = f"{self.what} {detail}".rstrip()
            event = ev.LinkChanged(event.link, detail, heard)
        self._sink(Step(at.mono, at.wall, event))

    @property
    def what(self) -> str:
        """For people, on the page as well."""
        speed = f" at {self._speed:g} times the speed"
        if self._speed in (0, 1):
            speed = "" if self._speed else ", as fast as it goes"
        shift = "later" if self.shift_ms >= 0 else "earlier"
        return (
            f"This is a replay{speed}: it was recorded from {_utc(self.summary.first.wall)} on, "
            f"and all times are {_length(abs(self.shift_ms))} {shift}."
        )

    # --- what a real link could do -------------------------------------------------------

    async def ask(self, name: str, fields: dict[str, str], *, deadline: float) -> list[Message]:
        raise NotSentError(REFUSAL)

    async def tell_all(self) -> None:
        raise NotSentError(REFUSAL)

    async def confirm(self, uniqueid: str) -> None:
        """What was asked then stands answered in the trace."""

    def drop(self, why: str) -> bool:
        return False

    def offer(self, event: ev.Event) -> None:
        now = self.now()
        self._sink(Step(now.mono, now.wall, event))

    def _shifted(self, at: At) -> At:
        return At(at.mono + self._mono_shift, at.wall + self.shift_ms)


def _present() -> At:
    return At(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000)


def _utc(wall: int) -> str:
    return datetime.fromtimestamp(wall / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _length(ms: int) -> str:
    seconds = round(ms / 1000)
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    clock = f"{hours}:{minutes:02}:{seconds:02}"
    if days:
        return f"{days} {'day' if days == 1 else 'days'} and {clock}"
    return clock
