"""The simulator as a whole: the centre, its clock, and the AMI port clients attach to."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

from monitord.simulator.actions import Actions
from monitord.simulator.centre import WARM_UP, Centre
from monitord.simulator.clock import BATCH, Clock
from monitord.simulator.messages import Event
from monitord.simulator.session import Session
from monitord.simulator.settings import Settings
from monitord.simulator.truth import Truth


class Simulator:
    """`async with Simulator(settings) as sim`: it listens, and time passes, until the end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        wall = time.time() if settings.wall is None else settings.wall
        self.clock = Clock(wall - WARM_UP)
        self.truth = Truth(self.clock, settings.truth)
        self.centre = Centre(settings, self.clock, self.truth)
        self.sessions: set[Session] = set()
        self.port = settings.port
        self._actions = Actions(settings, self.centre)
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Simulator:
        self.centre.open()
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

    def _session(self) -> Session:
        session = Session(self.settings, self._actions, self.sessions.discard)
        self.sessions.add(session)
        return session

    def _broadcast(self, event: Event) -> None:
        for session in list(self.sessions):
            session.deliver(event)

    async def _watch_readers(self) -> None:
        while True:
            await asyncio.sleep(self.settings.write_timeout / 4)
            for session in list(self.sessions):
                session.check_progress(time.monotonic())
