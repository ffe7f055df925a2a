"""The simulator through a raw socket, as any AMI client would see it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from monitord.simulator import Settings, Simulator, User
from monitord.simulator.plans import BARGE, COACH, MONITOR, Plan
from monitord.simulator.supervisions import Supervision

SECRET = "not-a-real-one"
DEADLINE = 5.0
Message = list[tuple[str, str]]

# Stopped clock, fixed wall: only `advance` moves time.
STILL = Settings(
    User(secret=SECRET),
    port=0,
    speed=0,
    supervisors=8,
    wall=1_795_320_000.0,
    failed_login_delay=0.05,
)


def first(message: Message, key: str) -> str | None:
    return next((value for name, value in message if name == key), None)


class Client:
    """A raw AMI client: reads whole messages, keeps the events."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.events: list[Message] = []
        self.banner = b""
        self._number = 0

    @classmethod
    async def open(cls, sim: Simulator) -> Client:
        reader, writer = await asyncio.open_connection(sim.settings.host, sim.port)
        client = cls(reader, writer)
        client.banner = await asyncio.wait_for(reader.readline(), DEADLINE)
        return client

    async def close(self) -> None:
        self.writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    def stop_reading(self) -> None:
        transport = self.writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()

    async def read(self) -> Message:
        block = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), DEADLINE)
        lines = block.decode().split("\r\n")[:-2]
        return [(key, value) for key, _, value in (line.partition(": ") for line in lines)]

    def send(self, **headers: str) -> str:
        self._number += 1
        action_id = f"test-{self._number}"
        lines = [f"{k}: {v}\r\n" for k, v in {**headers, "ActionID": action_id}.items()]
        self.writer.write("".join(lines).encode() + b"\r\n")
        return action_id

    async def act(self, **headers: str) -> Message:
        """The answer to the action; events that come first are kept."""
        action_id = self.send(**headers)
        while True:
            message = await self.read()
            if message[0][0] == "Response":
                assert first(message, "ActionID") == action_id
                return message
            self.events.append(message)

    async def collect(self, **headers: str) -> tuple[Message, list[Message]]:
        """A list action: its response and what follows, the Complete event last."""
        response = await self.act(**headers)
        rows: list[Message] = []
        while not rows or first(rows[-1], "EventList") != "Complete":
            message = await self.read()
            if first(message, "ActionID") is not None:
                rows.append(message)
            else:
                self.events.append(message)
        return response, rows

    async def login(self, **more: str) -> Message:
        return await self.act(Action="Login", Username="monitord", Secret=SECRET, **more)

    async def sync(self) -> None:
        """After this, all that was sent before has been read."""
        assert first(await self.act(Action="Ping"), "Ping") == "Pong"

    async def ended(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(), DEADLINE)

    def named(self, name: str) -> list[Message]:
        return [e for e in self.events if e[0] == ("Event", name)]


Attach = Callable[[Simulator], Awaitable[Client]]


@pytest.fixture
async def attach() -> AsyncIterator[Attach]:
    clients: list[Client] = []

    async def open_one(sim: Simulator) -> Client:
        clients.append(await Client.open(sim))
        return clients[-1]

    yield open_one
    for client in clients:
        await client.close()


async def until(condition: Callable[[], bool]) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not come to pass"
        await asyncio.sleep(0.005)


def running(sim: Simulator, **wanted: object) -> Supervision:
    """Start a supervision of the wanted kind on a call that is talked on."""
    centre = sim.centre
    supervisor = next(s for s in centre.floor.supervisors if not s.busy)
    busy = {s.agent for s in centre.supervisions}
    call = next(c for c in centre.calls if c.talking and c.agent not in busy)
    call.silent = bool(wanted.pop("silent", False))
    assert call.agent is not None and call.agent_leg is not None
    call.agent_leg.silent = call.silent
    plan = Plan(**{"kind": COACH, "originate": False, "exits": True, "length": 1e6, **wanted})  # type: ignore[arg-type]
    return centre.supervise(supervisor, call.agent, call, plan)


# -- logging in ---------------------------------------------------------------------


@pytest.mark.parametrize(("version", "ami"), [(16, "5.0.5"), (22, "11.0.0")])
async def test_the_banner_names_the_version(attach: Attach, version: int, ami: str) -> None:
    async with Simulator(replace(STILL, version=version)) as sim:
        client = await attach(sim)
        assert client.banner == f"Asterisk Call Manager/{ami}\r\n".encode()


async def test_login_is_followed_by_fully_booted(attach: Attach) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        assert first(await client.login(), "Message") == "Authentication accepted"
        assert [key for key, _ in await client.read()] == [
            *("Event", "Privilege", "Uptime", "LastReload", "Status")
        ]


async def test_login_by_challenge(attach: Attach) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        challenge = first(await client.act(Action="Challenge", AuthType="MD5"), "Challenge")
        key = hashlib.md5(f"{challenge}{SECRET}".encode()).hexdigest()
        answer = await client.act(Action="Login", Username="monitord", AuthType="MD5", Key=key)
        assert first(answer, "Response") == "Success"


@pytest.mark.parametrize("user", ["monitord", "somebody"])
async def test_a_wrong_secret_is_refused_late_and_ends_the_connection(
    attach: Attach, user: str
) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        asked = asyncio.get_running_loop().time()
        answer = await client.act(Action="Login", Username=user, Secret="wrong")
        assert asyncio.get_running_loop().time() - asked >= STILL.failed_login_delay * 0.9
        assert first(answer, "Message") == "Authentication failed"
        assert await client.ended() == b""


async def test_nothing_works_before_login(attach: Attach) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        answer = await client.act(Action="CoreShowChannels")
        assert first(answer, "Message") == "Permission denied"
        await sim.advance(60)
        assert first(await client.act(Action="Logoff"), "Response") == "Goodbye"
        assert await client.ended() == b""
        assert client.events == []


@pytest.mark.parametrize("mask", ["off", "no-such-class"])
async def test_events_stay_off_until_they_are_asked_for(attach: Attach, mask: str) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        await client.login(Events=mask)
        await sim.advance(30)
        await client.sync()
        assert client.events == []
        assert first(await client.act(Action="Events", EventMask="on"), "Events") == "On"
        await sim.advance(30)
        await client.sync()
        assert client.events


async def test_events_need_their_read_class(attach: Attach) -> None:
    user = User(secret=SECRET, read=frozenset({"call"}))
    async with Simulator(replace(STILL, user=user)) as sim:
        client = await attach(sim)
        await client.login()
        await sim.advance(120)
        await client.sync()
        assert {first(e, "Privilege") for e in client.events} == {"call,all"}


# -- actions ------------------------------------------------------------------------


async def test_lists_agree_with_the_centre(attach: Attach) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        await client.login()
        pbx, queues = sim.centre.pbx, sim.centre.queues.queues
        _, channels = await client.collect(Action="CoreShowChannels")
        assert [first(row, "Uniqueid") for row in channels[:-1]] == list(pbx.channels)
        response, status = await client.collect(Action="Status", Variables="CAMPAIGN,NONE")
        assert first(response, "Message") == "Channel status will follow"
        assert len(status) == len(channels)
        assert all(("Variable", "NONE=(null)") in row for row in status[:-1])
        assert ("Items", str(len(pbx.channels))) in status[-1]
        _, members = await client.collect(Action="QueueStatus")
        rows = [first(row, "Location") for row in members if row[0][1] == "QueueMember"]
        assert rows == [m for q in queues.values() for m in q.members]
        _, devices = await client.collect(Action="DeviceStateList")
        shown = {first(row, "Device"): first(row, "State") for row in devices[:-1]}
        assert shown == pbx.devices


async def test_status_of_one_channel(attach: Attach) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        await client.login()
        spyer = running(sim, originate=True, kind=BARGE).spyer
        assert spyer is not None
        await sim.advance(2)
        for name in (spyer.uniqueid, spyer.name):
            _, rows = await client.collect(Action="Status", Channel=name)
            assert first(rows[0], "Application") == "ChanSpy"
            assert str(first(rows[0], "Data")).endswith(",uqESB")
        answer = await client.act(Action="Status", Channel="PJSIP/nobody-00000000")
        assert answer[::2] == [("Response", "Error"), ("Message", "No such channel")]


async def test_answers_in_one_message(attach: Attach) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        await client.login()
        assert re.fullmatch(r"\d+\.\d{6}", str(first(await client.act(Action="Ping"), "Timestamp")))
        status = await client.act(Action="CoreStatus")
        assert re.fullmatch(r"[\d-]{10}", str(first(status, "CoreStartupDate")))
        settings = await client.act(Action="CoreSettings")
        assert first(settings, "AsteriskVersion") == "22.10.1"
        commands = await client.act(Action="ListCommands")
        assert first(commands, "Hangup") == "Hangup channel.  (Priv: system,call,all)"
        unknown = await client.act(Action="Explode")
        assert str(first(unknown, "Message")).startswith("Invalid/unknown command: Explode.")


async def test_rights_can_be_taken_away(attach: Attach) -> None:
    user = User(secret=SECRET, write=frozenset())
    async with Simulator(replace(STILL, user=user)) as sim:
        client = await attach(sim)
        await client.login()
        for action in ("Hangup", "Status", "CoreShowChannels", "CoreStatus", "DeviceStateList"):
            assert first(await client.act(Action=action), "Message") == "Permission denied"
        assert first(await client.act(Action="ListCommands"), "Hangup") is None
        assert (await client.collect(Action="QueueStatus"))[1]  # needs no right


# -- what comes in is checked -------------------------------------------------------


async def test_limits_of_the_input(attach: Attach) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        await client.login()
        client.writer.write(b"Action: Ping\r\nActionID: a\r\nX: " + b"x" * 2000 + b"\r\n\r\n")
        client.writer.write(b"Action: Ping\r\nActionID: b\r\n" + b"X: 1\r\n" * 127 + b"\r\n")
        client.writer.write(b"ActionID: c\r\n\r\n")
        client.writer.write(b"Action: Ping\nActionID: d\0gone\n\n")
        client.writer.write(b"X: " + b"x" * 1019 + b"\r\nAction: Ping\r\nActionID: e\r\n\r\n")
        assert (await client.read())[0] == ("Event", "FullyBooted")
        seen = {
            first(m, "ActionID"): first(m, "Message")
            for m in [await client.read() for _ in "12345"]
        }
        assert seen == {
            "a": "Failed to parse message: line too long",
            "b": "Too many lines in message or allocation failure",
            "c": "Missing action in request",
            "d": None,
            "e": None,
        }


async def test_a_client_that_does_not_read_is_cut_and_another_goes_on(attach: Attach) -> None:
    async with Simulator(replace(STILL, max_output=200_000)) as sim:
        lazy, keen = await attach(sim), await attach(sim)
        await lazy.login()
        await keen.login()
        lazy.stop_reading()
        for _ in range(60):
            if len(sim.sessions) == 1:
                break
            sim.clock.run_to(sim.clock.now + 60)
            await keen.sync()
        await until(lambda: len(sim.sessions) == 1)
        seen = len(keen.events)
        await sim.advance(60)
        await keen.sync()
        assert len(keen.events) > seen


async def test_a_client_that_stalls_is_cut_after_the_write_timeout(attach: Attach) -> None:
    async with Simulator(replace(STILL, write_timeout=0.1)) as sim:
        client = await attach(sim)
        await client.login()
        client.stop_reading()
        while not any(session.backlog for session in sim.sessions):
            sim.clock.run_to(sim.clock.now + 60)
        await until(lambda: not sim.sessions)


# -- the centre ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", [MONITOR, COACH, BARGE])
@pytest.mark.parametrize("originate", [False, True])
async def test_the_options_are_seen_in_newexten_only_for_feature_codes(
    attach: Attach, kind: object, originate: bool
) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        await client.login()
        spy = running(sim, kind=kind, originate=originate)
        await sim.advance(2)
        await client.sync()
        assert spy.spyer is not None and spy.spyee is not None
        data = [
            first(e, "AppData")
            for e in client.named("Newexten")
            if first(e, "Uniqueid") == spy.spyer.uniqueid and first(e, "Application") == "ChanSpy"
        ]
        assert data == ([] if originate else [f"{spy.spyee.uniqueid},uqES{spy.plan.kind.options}"])
        assert bool(client.named("OriginateResponse")) is originate
        assert spy.spyer.uniqueid in [
            first(e, "SpyerUniqueid") for e in client.named("ChanSpyStart")
        ]


def names_of(events: list[Message], *uniqueids: str) -> list[tuple[str, str]]:
    keys = ("Uniqueid", "SpyerUniqueid")
    wanted = ("ChanSpyStart", "ChanSpyStop", "SoftHangupRequest", "Hangup")
    return [
        (e[0][1], uniqueid)
        for e in events
        for uniqueid in uniqueids
        if e[0][1] in wanted and any(first(e, key) == uniqueid for key in keys)
    ]


async def test_hanging_up_a_spyer_ends_its_supervision(attach: Attach) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        await client.login()
        spy = running(sim)
        await sim.advance(1)
        assert spy.spyer is not None and spy.spyee is not None
        uniqueid, spyee = spy.spyer.uniqueid, spy.spyee
        answer = await client.act(Action="Hangup", Channel=uniqueid, Cause="16")
        assert first(answer, "Message") == "Channel Hungup"
        await sim.advance(1)
        await client.sync()
        ends = ("ChanSpyStart", "ChanSpyStop", "SoftHangupRequest", "Hangup")
        assert names_of(client.events, uniqueid) == [(name, uniqueid) for name in ends]
        assert not spyee.gone
        answer = await client.act(Action="Hangup", Channel=uniqueid)
        assert first(answer, "Message") == "No such channel"
        ended = [line for line in sim.truth.lines if line.get("spyer") == uniqueid][-1]
        assert (ended["what"], ended["reason"]) == ("supervision_ended", "disconnected")


@pytest.mark.parametrize("name", ["/^PJSIP/", "PJSIP/", "PJSIP/1001"])
async def test_only_one_exact_channel_can_be_hung_up(attach: Attach, name: str) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        await client.login()
        answer = await client.act(Action="Hangup", Channel=name)
        assert first(answer, "Message") == "No such channel"


async def test_on_a_silent_leg_the_hangup_waits_for_the_end_of_the_call(attach: Attach) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        await client.login()
        spy = running(sim, silent=True)
        await sim.advance(1)
        spyer, spyee = spy.spyer, spy.spyee
        assert spyer is not None and spyee is not None
        answer = await client.act(Action="Hangup", Channel=spyer.uniqueid)
        assert first(answer, "Response") == "Success"
        await sim.advance(5)
        assert not spyer.gone
        await sim.advance(600)
        await client.sync()
        assert names_of(client.events, spyer.uniqueid, spyee.uniqueid) == [
            ("ChanSpyStart", spyer.uniqueid),
            ("SoftHangupRequest", spyer.uniqueid),
            ("ChanSpyStop", spyer.uniqueid),
            ("Hangup", spyee.uniqueid),
            ("Hangup", spyer.uniqueid),
        ]


async def test_a_spy_without_exit_waits_for_the_next_call(attach: Attach) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        await client.login()
        spy = running(sim, exits=False)
        await sim.advance(1)
        assert spy.spyer is not None and spy.spyee is not None
        uniqueid, leg = spy.spyer.uniqueid, spy.spyee
        await sim.advance(1200)
        await client.sync()
        seen = [name for name, _ in names_of(client.events, uniqueid)]
        assert seen[:3] == ["ChanSpyStart", "ChanSpyStop", "ChanSpyStart"]
        assert "Hangup" not in seen
        assert leg.gone


async def test_a_channel_that_is_hung_up_takes_its_call_along(attach: Attach) -> None:
    async with Simulator(STILL) as sim:
        client = await attach(sim)
        await client.login()
        call = next(c for c in sim.centre.calls if c.talking)
        assert call.customer is not None and call.agent_leg is not None
        await client.act(Action="Hangup", Channel=call.customer.name)
        await sim.advance(1)
        assert call.over and call.customer.gone and call.agent_leg.gone
        await client.sync()
        assert len(client.named("SoftHangupRequest")) == 1


async def test_time_passes_by_itself(attach: Attach) -> None:
    async with Simulator(replace(STILL, speed=500.0)) as sim:
        client = await attach(sim)
        await client.login()
        while not client.named("Hangup"):
            client.events.append(await client.read())
