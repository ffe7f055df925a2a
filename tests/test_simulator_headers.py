"""The simulator's messages carry the same headers as real Asterisk's, type by type, in order."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby

import pytest

from monitord.ami import trace
from monitord.ami.protocol import Received
from monitord.simulator import Settings, Simulator, User
from monitord.simulator.messages import CHANNEL_HEADERS
from tests.kit.traces import FOLDER
from tests.test_simulator import Client

SECRET = "not-a-real-one"

# Asterisk sends these in situations that no kept trace holds; each follows its source.
NOT_RECORDED = {
    "AgentRingNoAnswer",
    "HangupRequest",
    "SoftHangupRequest",
    "MusicOnHoldStart",
    "MusicOnHoldStop",
    "QueueMemberAdded",
    "QueueMemberRemoved",
    "QueueCallerAbandon",
    "Hold",
    "Unhold",
    # Withheld by the shipped filter, so not in any trace.
    "BridgeCreate",
    "DialState",
    "NewAccountCode",
    "LocalBridge",
}

# Which headers a message has besides its own: settings of a site, and the one that ties a list's
# item to the action that asked for it.
SITE = {"SystemName", "Timestamp", "ActionID"}

# Only where the channel's technology gave a cause (22: a SIP status).
OPTIONAL = {"TechCause"}


def shape(headers: list[str]) -> tuple[str, ...]:
    """Header names in order, a run of ChanVariable as one, `ChanVariable(a channel)` as all."""
    names = (h.partition("(")[0] for h in headers if h not in SITE | OPTIONAL)
    return tuple(name for name, _ in groupby(names))


def without_channels(shapes: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Without the blocks of channels that Asterisk leaves out when they are gone already
    (AgentComplete: app_queue.c:2434-2464)."""
    block = {*CHANNEL_HEADERS, "ChanVariable"}
    return {tuple(h for h in shape_ if h.removeprefix("Dest") not in block) for shape_ in shapes}


def recorded(version: str) -> dict[str, set[tuple[str, ...]]]:
    shapes: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for path in FOLDER.rglob(f"*-{version}.jsonl"):
        for item in trace.read(path)[1]:
            if isinstance(item, Received) and item.name != "Response":
                names = [line.partition(":")[0] for line in item.text.split("\r\n") if line]
                shapes[item.name].add(shape(names))
    return shapes


@pytest.mark.parametrize("version", ["22", "16"])
async def test_same_headers(version: str) -> None:
    settings = Settings(
        User(secret=SECRET), port=0, speed=0, version=int(version), seed=7, system_name="lab"
    )
    seen: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    async with Simulator(settings) as simulator:
        client = await Client.open(simulator)
        await client.act(Action="Login", Username="monitord", Secret=SECRET)
        for action in ("CoreShowChannels", "Status", "QueueStatus", "DeviceStateList"):
            for item in (await client.collect(Action=action))[1]:
                seen[item[0][1]].add(shape([name for name, _ in item]))
        while simulator.clock.now < 3600:
            await simulator.advance(60)
            await client.act(Action="Ping")  # reads all that came before
        for event in client.events:
            seen[event[0][1]].add(shape([name for name, _ in event]))
        await client.close()
    real = recorded(version)
    for table in (seen, real):
        table["AgentComplete"] = without_channels(table["AgentComplete"])
    wrong = {
        name: (sorted(shapes - real[name]), sorted(real[name]))
        for name, shapes in seen.items()
        if name in real and not shapes <= real[name]
    }
    assert not wrong
    lists = {name for name in seen if name.endswith("Complete")} | {"FullyBooted"}
    assert set(seen) - set(real) - lists <= NOT_RECORDED
    assert len(set(seen) & set(real)) > 20
