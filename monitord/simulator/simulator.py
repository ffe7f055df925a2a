"""The simulator as a whole: the centre, its clock, and the AMI port clients attach to."""

from __future__ import annotations

import asyncio
import random
import time
from types import TracebackType

from monitord.simulator.actions import Actions
from monitord.simulator.centre import Centre
from monitord.simulator.clock import BATCH, Clock
from monitord.simulator.faults import Faults
from monitord.simulator.messages import Event
from monitord.simulator.session import Session
from monitord.simulator.settings import Settings
from monitord.simulator.truth import Truth


class Refused(asyncio.Protocol):
    """Whoever comes during an outage. The port stays ours, so that no other program takes it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.abort()


class Simulator:
    """`async with Simulator(settings) as sim`: it listens, and time passes, until the end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        wall = time.time() if settings.wall is None else settings.wall
        self.clock = Clock(wall - settings.warm_up)
        self.truth = Truth(self.clock, settings.truth)
        self.centre = Centre(settings, self.clock, self.truth)
        self.sessions: set[Session] = set()
        self.port = settings.port
        # Its own generator: whether there are outages must not shift what people do.
        self.faults = Faults(
            self.clock,
            random.Random(settings.seed + 2),  # noqa: S311
            self.truth,
            cut=self._cut_all,
            crash=self.centre.crash,
            booted=self._booted,
        )
        self._actions = Actions(settings, self.centre)
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Simulator:
        self.centre.open()
        self.faults.begin(self.settings.outages_per_hour)
        self.centre.pbx.sinks.append(self._broadcast)
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                self._session, self.settings.host, self.settings.port
            )
        except OSError:
            self.truth.close()
            raise
        self.port = self._server.sockets[0].getsockname()[1]
        self._tasks.append(asyncio.create_task(self._watch_readers()))
        if self.settings.speed:
            self._tasks.append(asyncio.create_task(self.clock.run(self.settings.speed)))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for session in list(self.sessions):
            session.close()
        await asyncio.sleep(0)
        for session in list(self.sessions):
            session.cut("the simulator ends")
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        self.truth.close()
        for result in results:
            if isinstance(result, Exception) and error is None:
                raise result

    async def wait(self) -> None:
        """Until something inside fails; the caller cancels it to stop."""
        await asyncio.gather(*self._tasks)

    async def advance(self, seconds: float) -> None:
        """Let virtual time pass at once, only waiting for clients to take what they are sent."""
        until = self.clock.now + seconds
        steps = 0
        while self.clock.step(until):
            steps += 1
            if steps % BATCH == 0:
                await self._drained()
        await self._drained()

    async def _drained(self) -> None:
        await asyncio.sleep(0)
        # Sockets tell nobody else when they drain; who does not read is cut before long.
        while any(s.backlog > self.settings.max_output // 2 for s in self.sessions):  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    def _session(self) -> asyncio.Protocol:
        if self.faults.away:
            return Refused()
        session = Session(
            self.settings, self._actions, self.sessions.discard, lambda: not self.faults.booting
        )
        self.sessions.add(session)
        return session

    def _cut_all(self) -> None:
        for session in list(self.sessions):
            session.cut("an outage")

    def _booted(self) -> None:
        self.centre.booted()
        for session in list(self.sessions):
            session.say_booted()

    def _broadcast(self, event: Event) -> None:
        for session in list(self.sessions):
            session.deliver(event)

    async def _watch_readers(self) -> None:
        while True:
            await asyncio.sleep(self.settings.write_timeout / 4)
            for session in list(self.sessions):
                session.check_progress(time.monotonic())
