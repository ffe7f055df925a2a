"""A process in the place of Asterisk: answers the login and the resync, then sends what it is told,
as fast as the socket takes it or at a rate.

Every now and then it puts a probe between the events: an agent who pauses with a reason that says
the probe's number, so that it is known again in the frame that shows it.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from tests.bench.site import AGENTS, PROBED, SECRET, TEAMS, agent_number
from tests.bench.worker import serve
from tests.kit.fake_ami import Connection, FakeAmi, Fields

END = b"\r\n\r\n"
PIECE = 256 << 10
PROBE = (
    "Event: QueueMemberPause\r\nPrivilege: agent,all\r\nQueue: sales\r\n"
    "MemberName: Agent {number}\r\nInterface: PJSIP/{number}\r\nStateInterface: PJSIP/{number}\r\n"
    "Membership: static\r\nPenalty: 0\r\nCallsTaken: 0\r\nLastCall: 0\r\nLastPause: 0\r\n"
    "InCall: 0\r\nStatus: 1\r\nPaused: 1\r\nPausedReason: {reason}\r\nRinginuse: 0\r\n"
    "Wrapuptime: 0\r\n\r\n"
)

MEMBER = (
    "Event: QueueMember\r\nActionID: %ID%\r\nQueue: sales\r\nName: Agent {number}\r\n"
    "Location: PJSIP/{number}\r\nStateInterface: PJSIP/{number}\r\nMembership: static\r\n"
    "Penalty: 0\r\nCallsTaken: 0\r\nLastCall: 0\r\nLastPause: 0\r\nLoginTime: 1795359636\r\n"
    "InCall: 0\r\nStatus: 1\r\nPaused: 0\r\nPausedReason: \r\nWrapuptime: 0\r\n\r\n"
)
"""Of the queue's answer, when it is asked who is in it."""


def probe(n: int, reason: str) -> bytes:
    """Of the teams in turn."""
    agent = AGENTS - 1 - n % PROBED
    return PROBE.format(number=agent_number(agent), reason=reason).encode()


class Paced(Connection):
    """Tells when the socket takes no more."""

    def connection_made(self, transport: Any) -> None:
        self.free = asyncio.Event()
        self.free.set()
        super().connection_made(transport)

    def pause_writing(self) -> None:
        self.free.clear()

    def resume_writing(self) -> None:
        self.free.set()


class Server(FakeAmi):
    def _accept(self) -> Connection:
        connection = Paced(self)
        self.open.add(connection)
        return connection

    def answer(self, connection: Connection, fields: Fields) -> None:
        if fields["Action"] == "Status" and "Channel" in fields:
            self.asked_of_one += 1
        super().answer(connection, fields)

    asked_of_one = 0


class Feeder:
    def __init__(self, ami: Server) -> None:
        self._ami = ami
        self._messages: list[bytes] = []
        self._at = 0

    @property
    def _connection(self) -> Paced:
        (connection,) = self._ami.open
        assert isinstance(connection, Paced)
        return connection

    async def port(self) -> int:
        return self._ami.port

    async def load(self, file: str) -> int:
        """Gives the number of events."""
        self._messages = [m + END for m in Path(file).read_bytes().split(END)[:-1]]
        self._at = 0
        return len(self._messages)

    def _begin(self) -> Paced:
        """From now on it does not tell which channels there are: what is asked from time to time
        to make sure would have to fit to what was sent up to that moment."""
        self._ami.refuse["Status"] = "Not now"
        return self._connection

    async def flood(self, end: str) -> dict[str, Any]:
        """All that is left, as fast as it is taken, and a last word to every team."""
        data = b"".join(self._messages[self._at :])
        last = b"".join(probe(n, end) for n in range(TEAMS))
        connection, began = self._begin(), time.monotonic()
        for start in range(0, len(data), PIECE):
            connection.send(data[start : start + PIECE])
            await connection.free.wait()
        connection.send(last)
        await connection.free.wait()
        events = len(self._messages) - self._at + TEAMS
        return self._told(began, events, len(data) + len(last))

    def _told(self, began: float, events: int, size: int, **more: Any) -> dict[str, Any]:
        now = time.monotonic()
        asked = self._ami.asked_of_one
        return {
            "began": began,
            "seconds": now - began,
            "events": events,
            "bytes": size,
            "asked": asked,
            **more,
        }

    async def pace(
        self, rate: float, seconds: float, probes: float = 0.0, limit: int = 0
    ) -> dict[str, Any]:
        """Events per second for so long, and probes per second between them; ``limit``: no more
        events than that. Gives when each probe was sent."""
        connection, began = self._begin(), time.monotonic()
        sent: dict[int, float] = {}
        events = size = 0
        while (now := time.monotonic()) < began + seconds:
            due = int((now - began) * rate) - events
            most = len(self._messages) - self._at
            due = min(due, most, limit - events if limit else due)
            if due > 0:
                data = b"".join(self._messages[self._at : self._at + due])
                self._at += due
                events += due
                size += len(data)
                connection.send(data)
            while len(sent) < (now - began) * probes:
                data = probe(len(sent), f"probe-{len(sent)}.")
                size += len(data)
                sent[len(sent)] = time.monotonic()
                connection.send(data)
            await connection.free.wait()
            await asyncio.sleep(0.0005)
        return self._told(began, events + len(sent), size, sent=list(sent.values()))


async def main() -> None:
    async with Server(SECRET) as ami:
        ami.lists["QueueStatus"] = [
            MEMBER.format(number=agent_number(agent)).encode() for agent in range(AGENTS)
        ]
        feeder = Feeder(ami)
        await serve(
            {
                "port": feeder.port,
                "load": feeder.load,
                "flood": feeder.flood,
                "pace": feeder.pace,
            }
        )


if __name__ == "__main__":
    asyncio.run(main())
