"""One PBX's way in: the link's items are queued, translated and handed on, in their order."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence

import structlog
from msgspec import structs

from monitord.ami.headers import MalformedError
from monitord.ami.link import DEFAULT_TIMING, AnyLink, Item, Link, LinkSettings, Sink, Timing
from monitord.ami.protocol import Received
from monitord.ami.translate import LIST_ITEMS, WANTED, translate, wanted_of
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.site import PAYMENT_EVENT, SCORE_EVENT

QUEUE_MOST = 200_000
"""Items not yet applied. Beyond that we cannot keep up, and reading all state again is both
cheaper and more honest than falling behind further."""

BATCH_MOST = 512
"""Items applied before others get their turn."""

GATHERED = ((160, 0.06), (64, 0.02))
"""Items found waiting at once, and for how many seconds at most changes are gathered then: what is
behind does not catch up faster by telling each step of it."""

PAUSE_S = 0.003
"""What comes this soon after changes were told waits until then, and is applied and told with what
has come by then. A call is some 45 events in small groups: to wake for each of them costs several
times what they themselves do, and the processors are Asterisk's too."""

TICK_S = 0.5

_OWNER = re.compile(r"(?m)^Uniqueid: (\S+?)\r?$")
_SWITCH = re.compile(r"(?m)^Digit: [456]\r?$")
_NAMED = re.compile(r"(?m)^UserEvent: ([^\r\n]*)\r?$")
_KEPT = r"(Event|Privilege|Timestamp|SystemName|UserEvent|Uniqueid|Channel|%s): "
_OF_PAYMENT, _OF_SCORE = re.compile(_KEPT % "[Ss]tate"), re.compile(_KEPT % "[Ss]core")

Apply = Callable[[str, ev.Event, At], Sequence[str]]
"""(pbx, event, at) to the uniqueids of which Status should be asked."""


class Attachment:
    """Runs a link and applies what it brings."""

    def __init__(
        self,
        settings: LinkSettings,
        apply: Apply,
        flush: Callable[[], None],
        *,
        tap: Callable[[Item], None] | None = None,
        is_spyer: Callable[[str], bool] = lambda uniqueid: False,
        timing: Timing = DEFAULT_TIMING,
        queue_most: int = QUEUE_MOST,
        make_link: Callable[[LinkSettings, Sink], AnyLink] | None = None,
        payment_event: str = PAYMENT_EVENT,
        score_event: str = SCORE_EVENT,
        variables: Collection[str] | None = None,
    ) -> None:
        """``tap`` sees every item before it is applied, unwanted events included. ``is_spyer``
        tells whether a uniqueid is a supervisor's: digits of all others go no further than here,
        and neither does a UserEvent that is neither ``payment_event`` nor ``score_event``.
        ``make_link`` makes what is run instead of a link to a real PBX. ``variables``: names of the
        channel variables that mean something to the site, None for all.
        """
        self.pbx = settings.pbx
        self._apply = apply
        self._flush = flush
        self._tap = tap
        self._is_spyer = is_spyer
        self._user_events = {payment_event: _OF_PAYMENT, score_event: _OF_SCORE}
        self._items: deque[Item] = deque()
        self._some = asyncio.Event()
        self._queue_most = queue_most
        self._group = asyncio.TaskGroup()
        self._asking: set[str] = set()
        wanted = None if tap is not None else WANTED if variables is None else wanted_of(variables)
        self.link: AnyLink = (
            Link(settings, self._queue, wanted=wanted, timing=timing)
            if make_link is None
            else make_link(settings, self._queue)
        )
        self.idle = asyncio.Event()
        """Set while nothing waits to be applied and told."""
        self.idle.set()
        self._applied = 0
        self._told = 0
        self._flushed = 0.0
        """When changes were told last, by the monotonic clock; 0 where they are due."""
        self._later: asyncio.TimerHandle | None = None
        self.malformed = 0
        self.failed = 0
        """Events that our own code could not apply: each one is a bug, and is logged."""
        self._log = structlog.get_logger("ami").bind(pbx=settings.pbx)

    @property
    def seen(self) -> int:
        """Wall time in ms up to which all that the PBX said is applied and told."""
        return self._told if self._items or self._later is not None else self.link.heard

    async def run(self) -> None:
        """Until cancelled; only once."""
        try:
            async with self._group as group:
                group.create_task(self.link.run())
                group.create_task(self._consume())
                group.create_task(self._tick())
        finally:
            self._flush_now()  # what was gathered is told, and kept

    def offer(self, event: ev.Event) -> None:
        """Put an event of our own in line with what the PBX sends."""
        self.link.offer(event)

    async def mark(self) -> None:
        """Put into the trace what the PBX answers now when asked for all it has.

        Raises:
            AmiError: it cannot be asked.
        """
        self.offer(ev.MarkBegun())
        await self.link.tell_all()
        self.offer(ev.MarkEnded())

    def _queue(self, item: Item) -> None:
        if not self._items:
            self.idle.clear()
            rest = self._flushed + PAUSE_S - time.monotonic()
            if rest <= 0 or self._later is not None:
                self._some.set()
            else:
                loop = asyncio.get_running_loop()
                self._later = loop.call_later(min(rest, PAUSE_S), self._gathered)
        self._items.append(item)
        # Not only once: a connection that comes back too early would let it grow without end.
        if len(self._items) >= self._queue_most and self.link.drop(
            f"more than {self._queue_most} messages were waiting to be applied"
        ):
            self._log.error("overrun", queued=len(self._items))

    async def _consume(self) -> None:
        while True:
            await self._some.wait()
            count = min(len(self._items), BATCH_MOST)
            for _ in range(count):
                item = self._items.popleft()
                self._take(item)
                self._applied = item.wall
            gather = next((seconds for busy, seconds in GATHERED if count >= busy), 0.0)
            if time.monotonic() - self._flushed >= gather:
                self._flush_now()
            elif self._later is None:
                self._later = asyncio.get_running_loop().call_later(gather, self._gathered)
            if not self._items:
                self._some.clear()
                if self._later is None:
                    self.idle.set()
            # Also when more is waiting: the websockets must get their turn.
            await asyncio.sleep(0)

    def _gathered(self) -> None:
        """Let the consumer flush, whatever has come: what goes wrong there ends the daemon, and in
        a timer would be lost."""
        self._flushed = 0.0
        self._some.set()

    def _flush_now(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._flush()
        self._flushed, self._told = time.monotonic(), self._applied
        if not self._items:
            self.idle.set()

    def _take(self, item: Item) -> None:
        if isinstance(item, Received):
            if item.name == "UserEvent":
                named = _NAMED.search(item.text)
                kept = None if named is None else self._user_events.get(named[1])
                if kept is None:
                    return
                item = _without_more(item, kept)
            elif item.name.startswith("DTMF") and not self._keeps(item):
                return
        if self._tap is not None:
            self._tap(item)
        try:
            event = translate_item(item)
        except MalformedError as error:
            self.malformed += 1
            self._log.warning("malformed", why=str(error))
            return
        if event is None:
            return
        self._hand_on(event, At(item.mono, item.wall))

    def _keeps(self, item: Received) -> bool:
        """Whether a key is a supervisor's, and one that means something there. Any other may be
        a digit of a customer's card number: it is dropped unread, before a trace or a log."""
        owner = _OWNER.search(item.text)
        if owner is None or not self._is_spyer(owner[1]):
            return False
        return item.name == "DTMFEnd" and _SWITCH.search(item.text) is not None

    def _hand_on(self, event: ev.Event, at: At) -> None:
        try:
            asks = self._apply(self.pbx, event, at)
        except Exception:
            # One event that our code cannot take must not cost all the others. It is a bug of
            # ours, never a normal way.
            self.failed += 1
            self._log.exception("event_failed", type=type(event).__name__)
            return
        for uniqueid in asks:
            if uniqueid not in self._asking:
                self._asking.add(uniqueid)
                self._group.create_task(self._confirm(uniqueid))

    async def _confirm(self, uniqueid: str) -> None:
        try:
            await self.link.confirm(uniqueid)
        finally:
            self._asking.discard(uniqueid)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if not self._items:
                self._hand_on(ev.Tick(), self.link.now())
                self._flush_now()


def _without_more(item: Received, kept: re.Pattern[str]) -> Received:
    """Whatever else a site puts into the UserEvent of a payment may be of the card."""
    lines = (line for line in re.split(r"\r?\n", item.text) if kept.match(line))
    return structs.replace(item, text="\r\n".join(lines))


def translate_item(item: Item) -> ev.Event | None:
    """As :func:`translate`, for a message or a step."""
    if not isinstance(item, Received):
        return item.event
    if item.name in LIST_ITEMS and not item.reply:
        return None
    return translate(item.name, item.text)
