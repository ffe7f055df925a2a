"""What the stream shows of flags: those of calls that live, and for some minutes after."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

import structlog

from monitord.domain.views import Flag, FlagAnswer, Party
from monitord.domain.words import FlagState
from monitord.flags.store import AnswerRow, FlagRow, FlagStore
from monitord.live.hub import Hub
from monitord.store.history import UnreadableError

SHOWN_MS = 10 * 60_000
"""How long after the end of its call, or after the last that was done with it, a flag stays."""

LOOK_S = 15.0
ANSWERS_SHOWN = 5


def wall() -> int:
    return time.time_ns() // 1_000_000


class Board:
    def __init__(self, hub: Hub, store: FlagStore, clock: Callable[[], int] = wall) -> None:
        self._hub, self.store = hub, store
        self._clock = clock
        self._shown: dict[str, tuple[str, int]] = {}
        """Of each: its call, and until when it is shown once that is over."""
        self._changed = asyncio.Lock()

    async def run(self) -> None:
        """Until cancelled."""
        known = frozenset[str]()
        while True:
            known = await self.look(known)
            await asyncio.sleep(LOOK_S)

    async def look(self, known: Collection[str]) -> frozenset[str]:
        """Show the flags of calls that have come since only these were known, as after a restart
        or a gap; and forget those whose time is over. Gives the calls that are known now."""
        running = frozenset(c for shard in self._hub.shards.values() for c in shard.calls)
        try:
            fresh = running.difference(known)
            if fresh:
                for flag in await self.store.of_calls(fresh):
                    await self.show(flag)
        except UnreadableError as error:
            structlog.get_logger("flags").warning("flags_unreadable", why=str(error))
            running = frozenset(known)
        self._forget(running, self._clock())
        return running

    async def show(self, flag: FlagRow) -> None:
        """As it is now, with what was answered to it.

        Raises:
            UnreadableError: the database does not answer.
        """
        async with self._changed:  # or of two at once the older picture could come last
            now = await self.store.one(flag.id)
            answers = (await self.store.answers([flag.id])).get(flag.id, [])
            if now is None or now.state is FlagState.TAKEN_OFF:
                self._drop(flag.id)
            else:
                self._hub.flag(flag.id, view_of(now, answers))
                self._shown[flag.id] = now.call, self._clock() + SHOWN_MS
            self._hub.flush()

    def _forget(self, running: Collection[str], now: int) -> None:
        for flag, (call, until) in list(self._shown.items()):
            if call in running:
                self._shown[flag] = call, now + SHOWN_MS
            elif until <= now:
                self._drop(flag)
        self._hub.flush()

    def _drop(self, flag: str) -> None:
        if self._shown.pop(flag, None) is not None:
            self._hub.flag(flag, None)

    def __contains__(self, flag: str) -> bool:
        """Whether it is shown."""
        return flag in self._shown

    async def again(self) -> None:
        """Somebody was erased.

        Raises:
            UnreadableError: the database does not answer.
        """
        for flag in list(self._shown):
            row = await self.store.one(flag)
            if row is None:
                self._drop(flag)
            else:
                await self.show(row)


def view_of(flag: FlagRow, answers: list[AnswerRow]) -> Flag:
    return Flag(
        id=flag.id,
        pbx=flag.pbx,
        call=flag.call,
        call_id=flag.call_id,
        agent=Party(flag.agent_id, flag.agent_name, flag.agent_endpoint),
        by=flag.by_id,
        by_name=flag.by_name,
        polarity=flag.polarity,
        comment=flag.comment,
        wanted=flag.wanted,
        themes=flag.themes,
        moment=flag.moment,
        offset_ms=flag.offset_ms,
        state=flag.state,
        made=flag.made,
        changed=flag.changed,
        visible=flag.visible,
        answers=tuple(FlagAnswer(a.kind, a.text, a.at) for a in answers[-ANSWERS_SHOWN:]),
    )
