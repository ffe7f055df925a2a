"""A PBX that has many channels and tells them when asked: a process of its own, whose lists are
made beforehand, so that what is measured is who reads them.

    python -m tests.bench.lists CALLS CUTS

Says its port. Told ``"cut"`` it ends all connections, and has other calls then (one in ten); it
says when it was connected to again, in seconds since 1970.
"""

from __future__ import annotations

import asyncio
import sys
import time

from tests.bench.apart import quietly, say, told
from tests.kit.ami_text import block, lines, variables
from tests.kit.fake_ami import Connection, FakeAmi, Fields

SECRET = "a secret only for benches"
REPLACED = 10
"""Of so many calls one is another after the cut."""


def call_ids(calls: int, edition: int) -> list[str]:
    """Linkedids of all calls. In each edition some have gone and others come; none comes back."""
    return [
        f"lab22-1795321451.{2 * (n + (edition * calls if n % REPLACED == 0 else 0))}"
        for n in range(calls)
    ]


def status(n: int, linkedid: str) -> bytes:
    """The two legs of one call, as Asterisk answers Status."""
    number = int(linkedid.rpartition(".")[2])
    own = linkedid.rpartition(".")[0]
    customer = block(
        "",
        f"PJSIP/trunk-{number:08x}",
        linkedid,
        CallerIDNum=f"+4930{n:07}",
        CallerIDName=f"Customer {n}",
    )
    agent = block(
        "",
        f"PJSIP/{30_000 + n}-{number + 1:08x}",
        f"{own}.{number + 1}",
        CallerIDNum=f"{30_000 + n}",
        ConnectedLineNum=f"+4930{n:07}",
        Context="agents",
        Linkedid=linkedid,
    )
    rest = lines(
        Type="PJSIP",
        DNID="",
        EffectiveConnectedLineNum="<unknown>",
        EffectiveConnectedLineName="<unknown>",
        TimeToHangup="0",
        BridgeID=f"{number:08x}-1d5e-4c8b-9d0e-{number:012x}",
        Application="Queue",
        Data="support,t",
        Nativeformats="(ulaw)",
        Readformat="ulaw",
        Readtrans="",
        Writeformat="ulaw",
        Writetrans="",
        Callgroup="0",
        Pickupgroup="0",
        Seconds="30",
    )
    head = lines(Event="Status", Privilege="Call")
    told_last = lines(ActionID="%ID%") + "\r\n"
    labels = variables("", campaign=f"campaign {n % 20}")
    return "".join(head + leg + labels + rest + told_last for leg in (customer, agent)).encode()


class Lists(FakeAmi):
    """Takes a plain secret too, as stock panoramisk sends it."""

    def __init__(self, editions: list[bytes]) -> None:
        super().__init__(SECRET)
        self._editions = editions
        self.edition = 0
        self.lists["Status"] = [editions[0]]
        self.connected = asyncio.Event()
        self.connected_at = 0.0

    def _accept(self) -> Connection:
        self.connected_at = time.time()
        self.connected.set()
        return super()._accept()

    def answer(self, connection: Connection, fields: Fields) -> None:
        if fields["Action"] == "Login" and fields.get("Secret") == SECRET:
            connection.send(
                f"Response: Success\r\nActionID: {fields['ActionID']}\r\n"
                "Message: Authentication accepted\r\n\r\n".encode()
            )
            return
        super().answer(connection, fields)

    def cut_and_change(self) -> None:
        self.edition += 1
        self.lists["Status"] = [self._editions[self.edition]]
        self.connected.clear()
        self.cut()


async def _main() -> None:
    calls, cuts = map(int, sys.argv[1:])
    editions = [
        b"".join(status(n, call_id) for n, call_id in enumerate(call_ids(calls, edition)))
        for edition in range(cuts + 1)
    ]
    async with Lists(editions) as ami:
        say(ami.port)
        while await told() == "cut":
            ami.cut_and_change()
            await ami.connected.wait()
            say(ami.connected_at)


if __name__ == "__main__":
    quietly(_main)
