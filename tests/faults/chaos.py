"""One seeded run: a call centre, a wire on which everything goes wrong, and the daemon's own parts.

All is in one process and one thread, and all that chooses comes from the seed: the day, what goes
wrong and when, who looks on. So a seed that fails is a test that always fails.
"""

from __future__ import annotations

import asyncio
import random
import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import structlog

from monitord.ami.actions import ACTIONS
from monitord.ami.attachment import Attachment
from monitord.ami.link import Item, Link, LinkSettings, Timing
from monitord.ami.protocol import MAX_MESSAGE, Received
from monitord.api.stream import Streams
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.ledger import Record
from monitord.domain.site import Person, Site
from monitord.domain.words import LinkState
from monitord.live.hub import LOG_MOST, Frame, Hub
from monitord.simulator import Simulator, User
from monitord.simulator.framing import Framer
from monitord.simulator.settings import Settings
from tests.faults import judge, mishaps
from tests.faults.checks import Watch
from tests.faults.clients import Viewer, audiences
from tests.faults.history import History
from tests.faults.loop import STARTS_AT, VirtualLoop, run
from tests.faults.plan import Plan
from tests.faults.wire import Wire
from tests.kit.truth import instant

PBX = "lab"
SECRET = "a secret only for tests"
READ = frozenset({"system", "call", "agent", "dialplan", "user", "dtmf"})
TIMING = Timing(reconcile_every=10, list=10, answer=5, boot_most=40)
"""Reconciles are more frequent than at a site, so that more of them fall into the chaos."""

ASKING_MOST = 10
"""Actions of the daemon without an answer."""

_TIMESTAMP = re.compile(r"(?m)^Timestamp: (\d+\.\d{6})\r?$")
_CHANNEL = re.compile(r"[\w.-]+")
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class ShortDay(Settings):
    @property
    def warm_up(self) -> float:
        return 120.0


class BrokenError(AssertionError):
    """Something did not hold; says where in the run."""


@dataclass
class Outcome:
    """What became of a run."""

    history: str
    """Digest of every byte that arrived, every event, row and frame, in their order."""
    rows: dict[Any, Any]
    events: int
    failure: BaseException | None = None
    lines: list[str] = field(default_factory=list)
    """The history itself, where it was asked for."""


class Chaos:
    def __init__(self, plan: Plan, *, keep: bool = False, cutting: int = 0) -> None:
        """``keep``: the history as text. ``cutting``: another way to cut the same bytes."""
        self.plan = plan
        self.loop = VirtualLoop(self._connect)
        self.history = History(self.loop, keep=keep)
        self._cutting = cutting
        self.events = 0
        self.wild = True
        self.wires: list[Wire] = []
        self.gaps: list[tuple[int, int]] = []
        self.attached_at = 0
        self.now = 0
        """The simulated time up to which all is applied, ms."""
        self._lost_at: int | None = None
        self.reconciled = 0
        self._writes = 0
        """Rows written by the event under way."""

    # --- the whole -------------------------------------------------------------------------

    def run(self) -> Outcome:
        failure: BaseException | None = None
        before = structlog.get_config()
        structlog.configure(processors=[self.history.log], cache_logger_on_first_use=False)
        try:
            run(self.loop, self._main())
        except Exception as error:
            failure = error
        finally:
            structlog.configure(**before)
        return Outcome(
            self.history.digest, self.watch.rows, self.events, failure, self.history.lines
        )

    async def _main(self) -> None:
        plan = self.plan
        self._chance = random.Random(plan.seed + 1)
        self._broken: asyncio.Future[None] = self.loop.create_future()
        self.sim = Simulator(
            ShortDay(
                User(secret=SECRET, read=READ),
                port=5038,
                seed=plan.seed,
                speed=0,
                agents=plan.agents,
                supervisors=plan.supervisors,
                version=plan.version,
                wall=float(STARTS_AT),
                payment_share=plan.payments,
            )
        )
        if plan.booting:
            mishaps.boot_late(self)
        async with self.sim:
            self._begin()
            tasks = [asyncio.create_task(one) for one in self._parts()]
            try:
                await asyncio.wait([self._broken, *tasks], return_when=asyncio.FIRST_COMPLETED)
                for one in (self._broken, *tasks):
                    if one.done():
                        one.result()
            finally:
                for task in reversed(tasks):
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        if self.loop.failures:
            raise BrokenError(f"raised and not caught: {self.loop.failures}") from (
                self.loop.failures[0]
            )

    def _begin(self) -> None:
        sim, plan = self.sim, self.plan
        self._zero = sim.clock.now - self.loop.time()
        self._heard = self.now = instant(sim.clock.wall)
        agents, supervisors = sim.centre.floor.agents, sim.centre.floor.supervisors
        people = (
            *(Person(f"a{n}", a.name, (a.device,), agent=True) for n, a in enumerate(agents)),
            *(Person(f"s{n}", s.name, (s.device,)) for n, s in enumerate(supervisors)),
        )
        site = Site(
            variables={"CAMPAIGN": "campaign", "LIST": "list", "RESULT": "result"},
            people=people,
            keypads=frozenset({PBX}),
            wrap_up_s={"*": 3},
        )
        self.hub = Hub([(PBX, PBX)], site, self._record)
        self.hub.epoch = f"{plan.seed:016x}"
        self.watch = Watch(self.hub.shards[PBX])
        self.hub.listen(self._frame)
        self.streams = Streams(self.hub, list)
        self.attachment = Attachment(
            LinkSettings(PBX, "127.0.0.1", 5038, "monitord", SECRET),
            self._apply,
            self.hub.flush,
            tap=self._tap if plan.lossless else None,
            is_spyer=partial(self.hub.is_spyer, PBX),
            make_link=self._link,
        )
        self.viewers = [
            Viewer(
                self.hub,
                self.streams,
                seen_by,
                random.Random(plan.seed + 10 + n),
                lambda: self.wild,
                partial(self.history.note, "frame", n),
            )
            for n, seen_by in enumerate(self._audiences(people))
        ]

    @staticmethod
    def _audiences(people: Sequence[Person]) -> list[list[Any]]:
        agents = [p.id for p in people if p.agent]
        one, *others = audiences(agents, [p.id for p in people if not p.agent])
        return [[one], others]

    def _parts(self) -> list[Any]:
        return [
            self.attachment.run(),
            self._pump(),
            self._story(),
            *(viewer.run() for viewer in self.viewers),
        ]

    def _link(self, settings: LinkSettings, sink: Callable[[Item], None]) -> Link:
        chance = random.Random(self.plan.seed + 2)
        if self.plan.lossless:
            return Link(settings, sink, wanted=None, timing=TIMING, rng=chance)
        return Link(settings, sink, timing=TIMING, rng=chance)

    # --- what happens ----------------------------------------------------------------------

    async def _pump(self) -> None:
        """The centre's time is the loop's."""
        clock = self.sim.clock
        while True:
            clock.run_to(self._zero + self.loop.time())
            due = clock.next_due()
            assert due is not None
            # Whatever sets another timer meanwhile is a mishap, and those come after seconds.
            await asyncio.sleep(min(max(due - clock.now, 0.0), 1.0))

    async def _story(self) -> None:
        began = self.loop.time()
        for when, what, much in self.plan.outages:
            await asyncio.sleep(max(began + when - self.loop.time(), 0))
            self.history.note("mishap", what, repr(much).encode())
            mishaps.happen(self, what, much)
        await asyncio.sleep(max(began + self.plan.length - self.loop.time(), 0))
        self.wild = False
        self.history.note("calm", "", b"")
        await self._settled()
        judge.at_the_end(self)

    async def _settled(self) -> None:
        """Until the link is live and two reconciles have passed."""
        link = self.attachment.link
        for wire in self.wires:
            if not wire.over and (wire.left is not None or wire.black):
                wire.cut()
        async with asyncio.timeout(600):
            # A lost answer is noticed at its deadline, a dead connection at that of a ping.
            await asyncio.sleep(15)
            while not link.live.is_set():
                await asyncio.sleep(1)
            wanted = self.reconciled + 2
            while self.reconciled < wanted:
                await asyncio.sleep(1)
            while self.hub.shards[PBX].leaving:
                await asyncio.sleep(0.5)
            await self._quiet()

    async def _quiet(self) -> None:
        """Until nothing is on its way, which is a matter of no time at all."""
        while self.attachment._items or self.attachment._asking:
            await asyncio.sleep(0.01)

    # --- the wire --------------------------------------------------------------------------

    def _connect(self, near: asyncio.Protocol, far: asyncio.Protocol) -> None:
        number = len(self.wires)
        # A challenge is the only thing that the simulator does not take from its seed.
        far._challenge = f"{self.plan.seed % 10**9:09d}"  # type: ignore[attr-defined]
        framer = Framer()
        wire = Wire(
            self.plan,
            near,
            far,
            random.Random((self.plan.seed, number, self._cutting).__repr__()),
            lambda: self.wild,
            partial(self.history.note, "heard", number),
            partial(self._asked, framer),
        )
        self.wires.append(wire)

    def _asked(self, framer: Framer, data: bytes) -> None:
        """I7: whatever comes in, only known actions go out, and they name a channel at most."""
        self.history.note("asked", "", data)
        for request in framer.feed(data):
            action = request.action
            known = ACTIONS.get(action)
            if known is None or request.error:
                self._fail(BrokenError(f"sent to the PBX: {request}"))
                return
            names = {line.partition(":")[0] for line in request.lines} - {"Action", "ActionID"}
            channel = request.get("Channel")
            if not names <= known.fields or (channel and not channel.isprintable()):
                self._fail(BrokenError(f"sent to the PBX: {request}"))

    # --- what the daemon makes of it ---------------------------------------------------------

    def _tap(self, item: Item) -> None:
        found = _TIMESTAMP.search(item.text) if isinstance(item, Received) else None
        if found is not None:
            self._heard = self.now = max(self.now, instant(float(found[1])))

    def _apply(self, pbx: str, event: ev.Event, at: At) -> Sequence[str]:
        try:
            if self.plan.lossless:
                event, at = self._in_its_time(event, at)
            return self._step(event, at)
        except Exception as error:
            where = "".join(traceback.format_exception(error)[-12:])
            self._fail(
                BrokenError(f"event {self.events}, {self.loop.time():.3f} s, {event}\n{where}")
            )
            return ()

    def _in_its_time(self, event: ev.Event, at: At) -> tuple[ev.Event, At]:
        """Applied when the PBX says that it happened."""
        if isinstance(event, ev.Tick):
            if not any(wire.busy for wire in self.wires):
                self.now = max(self.now, instant(self.sim.clock.wall))
        elif isinstance(event, ev.LinkChanged):
            if event.link is LinkState.LOST:
                self._lost_at = self._heard if self._lost_at is None else self._lost_at
                event = msgspec.structs.replace(event, heard=self._lost_at)
            elif event.link is LinkState.SYNCING:
                self._heard = self.now = instant(self.sim.clock.wall)
        elif isinstance(event, ev.ResyncEnded):
            if self._lost_at is not None:
                self.gaps.append((self._lost_at, self.now))
                self._lost_at = None
            self.attached_at = self.attached_at or self.now
        return event, At(self.now, self.now)

    def _step(self, event: ev.Event, at: At) -> Sequence[str]:
        self.events += 1
        self.history.note("event", self.events, type(event).__name__.encode(), event)
        watch = self.watch
        watch.event(event)
        self._writes = 0
        asks = self.hub.apply(PBX, event, at)
        if self.plan.one_by_one:
            self.hub.flush()
        if self.plan.again and not isinstance(event, ev.LinkChanged):
            writes, seq = self._writes, self.hub.seq
            self.hub.apply(PBX, event, at)
            if self.plan.one_by_one:
                self.hub.flush()
                assert self.hub.seq == seq, "an event applied twice changes what is shown"
            assert self._writes == writes, "an event applied twice writes more"
        if not isinstance(event, ev.Tick) or self._writes or self.hub._pending:
            watch.state()
        if isinstance(event, ev.ReconcileEnded):
            self.reconciled += 1
        self._bounded()
        return asks

    def _bounded(self) -> None:
        """I9, of what lies around the state."""
        assert len(self.hub._log) <= LOG_MOST
        protocol = getattr(self.attachment.link, "_protocol", None)
        if protocol is not None:
            assert len(protocol._buffer) <= MAX_MESSAGE
            assert len(protocol._pending) <= ASKING_MOST, "too much is asked at once"

    def _record(self, records: list[Record]) -> None:
        self._writes += len(records)
        for record in records:
            self.history.note("row", type(record).__name__, _encode(record))
        self.watch.take(records)

    def _frame(self, frame: Frame) -> None:
        self.watch.frame(frame.changes)
        self.watch.level()

    def _fail(self, error: BaseException) -> None:
        if not self._broken.done():
            self._broken.set_exception(error)


def play(plan: Plan, **how: Any) -> Outcome:
    return Chaos(plan, **how).run()
