"""Staying attached: the states of a link, its waits, and what it does when the wire lies."""

from __future__ import annotations

import asyncio
import random
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import structlog

from monitord.ami.actions import ACTIONS, AmiError, NotSentError
from monitord.ami.link import DEFAULT_TIMING, Link, LinkSettings, Step, Timing
from monitord.ami.protocol import Received
from monitord.domain import events as ev
from monitord.domain.words import LinkState
from monitord.simulator import Settings, Simulator, User
from tests.kit.ami_text import DEVICE, block, event, lines
from tests.kit.fake_ami import BOOTED, FakeAmi, Seen, message

SECRET = "right-and-long"

NOT_BOOTED, SYNCING, LIVE = LinkState.NOT_BOOTED, LinkState.SYNCING, LinkState.LIVE
LOST, AUTH_FAILED = LinkState.LOST, LinkState.AUTH_FAILED

SHORT = Timing(ping_every=0.02, ping_deadline=0.2, answer=0.2, list=0.2, boot_hint=0.02)


class Watched:
    """A link, and all that it did."""

    def __init__(self, port: int, secret: str = SECRET, **options: Any) -> None:
        self.items = Seen()
        self.pauses: list[float] = []
        self.held = asyncio.Event()
        """Cleared by a test that does not want another try yet."""
        self.held.set()
        settings = LinkSettings("lab", "127.0.0.1", port, "monitord", secret)
        options.setdefault("pause", self._pause)
        self.link = Link(settings, self.items.take, **options)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.items.take(("pause", seconds))
        await asyncio.sleep(0)
        await self.held.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Watched]:
        before = asyncio.all_tasks()
        task = asyncio.create_task(self.link.run())
        try:
            yield self
        finally:
            task.cancel()
            async with asyncio.timeout(1):
                await asyncio.wait([task])
            assert task.cancelled()
            assert asyncio.all_tasks() <= before, "something was left running"

    @property
    def steps(self) -> list[ev.Event]:
        return [i.event for i in self.items if isinstance(i, Step)]

    @property
    def states(self) -> list[LinkState]:
        return [e.link for e in self.steps if isinstance(e, ev.LinkChanged)]

    @property
    def details(self) -> list[str]:
        return [e.detail for e in self.steps if isinstance(e, ev.LinkChanged)]

    @property
    def received(self) -> list[str]:
        return [i.name for i in self.items if isinstance(i, Received)]

    async def until_state(self, state: LinkState, times: int = 1) -> None:
        await self.items.until(lambda: self.states.count(state) >= times, f"{state} x{times}")

    async def until_tries(self, tries: int) -> None:
        await self.items.until(lambda: len(self.pauses) >= tries, f"{tries} tries")


@pytest.fixture
async def ami() -> AsyncIterator[FakeAmi]:
    async with FakeAmi(SECRET) as server:
        yield server


def watch(server: FakeAmi, **options: Any) -> Watched:
    return Watched(server.port, **options)


# --- the ordinary way --------------------------------------------------------------------

CHANNEL = (
    event("CoreShowChannel", "ActionID: %ID%\r\n", block("", "PJSIP/1001-1", "a.1")).encode()
    + b"\r\n\r\n"
)
STATUS = (
    event(
        "Status",
        block("", "PJSIP/1001-1", "a.1"),
        lines(Application="ChanSpy", Data="a.2,u", ActionID="%ID%"),
    ).encode()
    + b"\r\n\r\n"
)
LIVE_DEVICE = DEVICE.encode() + b"\r\n\r\n"


async def test_from_nothing_to_live_in_order(ami: FakeAmi) -> None:
    ami.lists = {"Status": [STATUS, LIVE_DEVICE]}
    async with watch(ami).running() as watched:
        await watched.until_state(LIVE)
        assert watched.states[-2:] == [SYNCING, LIVE]
        kinds = [type(i.event).__name__ if isinstance(i, Step) else i.name for i in watched.items]
        begun = kinds.index("BootSeen")
        assert kinds[begun:] == [
            *("BootSeen", "ResyncBegun", "Status", "DeviceStateChange"),
            *("ResyncEnded", "LinkChanged"),
        ]
        assert ev.BootSeen("2026-11-22T04:08:34", "22.10.1") in watched.steps
        assert [f["Action"] for f in ami.actions] == [
            *("Challenge", "Login", "CoreStatus", "CoreSettings"),
            *("QueueStatus", "Status", "DeviceStateList"),  # who is an agent, then the legs
        ]
        assert watched.link.live.is_set() and not watched.pauses
    assert not watched.link.live.is_set()
    await ami.actions.until(lambda: not ami.open, "the connection's end")


@pytest.mark.parametrize("version", [16, 22])
async def test_with_a_whole_call_centre(version: int) -> None:
    settings = Settings(User(secret=SECRET), port=0, speed=0, wall=1_795_320_000.0, version=version)
    async with Simulator(settings) as centre, Watched(centre.port).running() as watched:
        await watched.until_state(LIVE)
        await centre.advance(120)
        await watched.items.until(lambda: "Hangup" in watched.received)
        assert watched.link.counters.malformed == 0
        for session in list(centre.sessions):
            session.cut("by the test")
        await watched.until_state(LIVE, 2)
        count = Counter(type(e).__name__ for e in watched.steps)
        assert count["ResyncBegun"] == count["ResyncEnded"] == count["BootSeen"] == 2


@pytest.mark.fault("login before FullyBooted")
async def test_who_is_never_told_of_the_boot_asks_anew(ami: FakeAmi) -> None:
    """A PBX that has booted says so at each login, so a word that was lost comes again."""
    ami.booted = False
    timing = replace(SHORT, boot_most=0.05)
    async with watch(ami, timing=timing).running() as watched:
        await watched.until_tries(1)
        assert watched.states[-1] is LOST and "FullyBooted" in watched.details[-1]
        ami.booted = True
        await watched.until_state(LIVE)


@pytest.mark.fault("login before FullyBooted")
async def test_login_before_fully_booted_waits(ami: FakeAmi) -> None:
    ami.booted = False
    async with watch(ami, timing=SHORT).running() as watched:
        await watched.until_state(NOT_BOOTED, 2)
        assert "read class “system”" in watched.details[-1]
        await ami.actions.until(lambda: len(ami.asked("Ping")) >= 3)
        assert not ami.asked("CoreStatus") and watched.states == [NOT_BOOTED, NOT_BOOTED]
        with pytest.raises(NotSentError, match="not connected"):
            await watched.link.ask("Status", {}, deadline=1)
        ami.send(BOOTED)
        await watched.until_state(LIVE)


@pytest.mark.fault("Asterisk kill -9 / restart")
async def test_each_login_reads_all_again_and_sees_a_restart(ami: FakeAmi) -> None:
    async with watch(ami).running() as watched:
        await watched.until_state(LIVE)
        ami.boot = "05:00:00"
        ami.cut()
        await watched.until_state(LIVE, 2)
        boots = [e.boot for e in watched.steps if isinstance(e, ev.BootSeen)]
        assert boots == ["2026-11-22T04:08:34", "2026-11-22T05:00:00"]
        assert [s for s in watched.states if s is not NOT_BOOTED] == [
            *(SYNCING, LIVE, LOST, SYNCING, LIVE)
        ]


async def test_an_event_of_ours_stands_in_line(ami: FakeAmi) -> None:
    async with watch(ami).running() as watched:
        await watched.until_state(LIVE)
        watched.link.offer(ev.DisconnectSettled("s"))
        assert watched.items[-1].event == ev.DisconnectSettled("s")


@pytest.mark.fault("Asterisk reload / rights change")
async def test_shutdown_and_reload_are_no_events(ami: FakeAmi) -> None:
    async with watch(ami).running() as watched:
        await watched.until_state(LIVE)
        ami.send(b"Event: Reload\r\n\r\nEvent: Shutdown\r\n\r\n" + LIVE_DEVICE)
        await watched.items.until(lambda: watched.received)
        assert watched.received == ["DeviceStateChange"]


# --- waits -------------------------------------------------------------------------------


class Extreme(random.Random):
    """Always one end of what was asked for."""

    def __init__(self, end: Callable[[float, float], float]) -> None:
        super().__init__(1)
        self._end = end

    def uniform(self, a: float, b: float) -> float:
        return self._end(a, b)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.fault("AMI TCP drop in mid-event")
async def test_backoff_grows_to_a_bound(closed_port: int) -> None:
    async with Watched(closed_port, rng=Extreme(max)).running() as watched:
        await watched.until_tries(8)
        assert watched.pauses[:8] == [1.25, 2.5, 5, 10, 20, 37.5, 37.5, 37.5]
        assert set(watched.states) == {LOST}
        assert "Connection refused" in watched.details[0] and "Errno" not in watched.details[0]


@pytest.mark.fault("AMI TCP drop in mid-event")
async def test_backoff_has_jitter(closed_port: int) -> None:
    async with (
        Watched(closed_port, rng=random.Random(1)).running() as one,
        Watched(closed_port, rng=random.Random(2)).running() as other,
    ):
        await one.until_tries(5)
        await other.until_tries(5)
    for mine, theirs, whole in zip(one.pauses, other.pauses, (1, 2, 4, 8, 16), strict=False):
        assert mine != theirs
        assert 0.75 * whole <= mine <= 1.25 * whole and 0.75 * whole <= theirs <= 1.25 * whole


async def test_backoff_begins_anew_after_a_good_while(ami: FakeAmi) -> None:
    timing = Timing(retry_most=0.0, jitter=0)
    async with watch(ami, timing=timing).running() as watched:
        for times in range(1, 4):
            await watched.until_state(LIVE, times)
            ami.cut()
        await watched.until_tries(3)
        assert watched.pauses == [1, 1, 1]


async def test_a_flapping_pbx_is_not_hammered(ami: FakeAmi) -> None:
    async with watch(ami, timing=Timing(jitter=0)).running() as watched:
        for times in range(1, 5):
            await watched.until_state(LIVE, times)
            ami.cut()
        await watched.until_tries(4)
        assert watched.pauses == [1, 2, 4, 8]


@pytest.mark.fault("wrong credentials / ACL")
async def test_a_wrong_secret_is_tried_rarely(ami: FakeAmi) -> None:
    async with watch(ami, secret="wrong", rng=Extreme(min)).running() as watched:
        await watched.until_tries(12)
        assert set(watched.states) == {AUTH_FAILED}
        assert "user “monitord” (Authentication failed)" in watched.details[0]
        times = [sum(watched.pauses[:n]) for n in range(12)]
        assert sum(t <= 300 for t in times) <= 10
        assert max(watched.pauses) <= 60 and all(a <= b for a, b in pairwise(watched.pauses))


@pytest.mark.fault("wrong credentials / ACL")
async def test_it_recovers_when_the_secret_becomes_right(ami: FakeAmi) -> None:
    ami.secret = "another"
    async with watch(ami, timing=Timing(jitter=0)).running() as watched:
        await watched.until_tries(2)
        ami.secret = SECRET
        await watched.until_state(LIVE)
        assert watched.states[:2] == [AUTH_FAILED] * 2
        ami.secret = "another"
        ami.cut()
        await watched.until_state(AUTH_FAILED, 3)
        await watched.items.until(lambda: watched.pauses[-1] == 10, "a first wait again")


# --- the wire lies -----------------------------------------------------------------------


@pytest.mark.fault("half-open / blackhole")
def test_a_dead_connection_is_known_within_15_s() -> None:
    assert DEFAULT_TIMING.ping_every + DEFAULT_TIMING.ping_deadline < 15
    assert DEFAULT_TIMING.connect + DEFAULT_TIMING.answer < 30


@pytest.mark.fault("half-open / blackhole")
async def test_a_silent_pbx_is_lost_and_comes_back(ami: FakeAmi) -> None:
    """As after SIGSTOP or on a dropped route: the connection stays, no answer comes."""
    async with watch(ami, timing=SHORT).running() as watched:
        await watched.until_state(LIVE)
        ami.deaf = True
        watched.held.clear()
        await watched.until_state(LOST)
        assert watched.details[-1].startswith("no answer to a ping within 0.2 s")
        assert not watched.link.live.is_set() and watched.link.round_trip_ms is None
        ami.deaf = False
        watched.held.set()
        await watched.until_state(LIVE, 2)


async def test_a_ping_behind_a_long_list_is_no_loss(ami: FakeAmi) -> None:
    """Its answer stands in line behind whatever the PBX is sending; as long as that comes, it
    lives."""
    async with watch(ami, timing=SHORT).running() as watched:
        await watched.until_state(LIVE)
        ami.swallow = {"Ping"}
        before = len(ami.asked("Ping"))
        for n in range(1, 5):
            await ami.actions.until(lambda n=n: len(ami.asked("Ping")) >= before + n)
            ami.send(message(("Event", "Hangup"), ("Uniqueid", f"{n}.1")))
        assert LOST not in watched.states
        await watched.until_state(LOST)
        assert watched.details[-1].startswith("no answer to a ping")


async def test_a_connection_that_ends_during_a_ping(ami: FakeAmi) -> None:
    async with watch(ami, timing=SHORT).running() as watched:
        await watched.until_state(LIVE)
        ami.swallow = {"Ping"}
        await ami.actions.until(lambda: ami.actions[-1]["Action"] == "Ping")
        ami.cut()
        await watched.until_state(LOST)
        assert "no answer to a ping" not in watched.details[-1]


async def test_pings_measure_the_way(ami: FakeAmi) -> None:
    async with watch(ami, timing=SHORT).running() as watched:
        await watched.until_state(LIVE)
        await ami.actions.until(lambda: len(ami.asked("Ping")) >= 2)
        assert watched.link.round_trip_ms is not None and watched.link.round_trip_ms < 200


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("Challenge", "no answer to Challenge"),
        ("Login", "no answer to Login"),
        ("CoreStatus", "no answer to CoreStatus"),
        ("CoreSettings", "no answer to CoreSettings"),
        ("Status", "no answer to Status"),
        ("DeviceStateList", "no answer to DeviceStateList"),
    ],
)
async def test_every_action_has_a_deadline(ami: FakeAmi, action: str, why: str) -> None:
    ami.swallow = {action}
    timing = Timing(answer=0.03, list=0.03)
    async with watch(ami, timing=timing).running() as watched:
        await watched.until_state(LOST)
        assert watched.details[-1].startswith(why)
        assert LIVE not in watched.states
        ami.swallow.clear()
        await watched.until_state(LIVE)


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("CoreStatus", "CoreStatus was refused: Permission denied"),
        ("CoreSettings", "CoreSettings was refused"),
        ("Status", "Status was refused"),
        ("DeviceStateList", "DeviceStateList was refused"),
    ],
)
async def test_a_refused_list_is_told_and_tried_again(ami: FakeAmi, action: str, why: str) -> None:
    ami.refuse = {action: "Permission denied"}
    async with watch(ami).running() as watched:
        await watched.until_tries(2)
        assert why in watched.details[-1] and LIVE not in watched.states
        assert not any(isinstance(e, ev.ResyncEnded) for e in watched.steps)


async def test_a_pbx_without_queues_is_live(ami: FakeAmi) -> None:
    ami.refuse = {"QueueStatus": "Invalid/unknown command: QueueStatus."}
    async with watch(ami).running() as watched:
        await watched.until_state(LIVE)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"Response: Success\r\nActionID: %ID%\r\n\r\n", id="no challenge"),
        pytest.param(b"Response: Error\r\nActionID: %ID%\r\nMessage: No\r\n\r\n", id="refused"),
    ],
)
async def test_no_challenge_is_a_refused_login(ami: FakeAmi, reply: bytes) -> None:
    ami.replies = {"Challenge": reply}
    async with watch(ami).running() as watched:
        await watched.until_state(AUTH_FAILED)
        assert not ami.asked("Login")


@pytest.mark.parametrize(
    ("action", "reply"),
    [
        ("Challenge", b"Response: Success\r\nChallenge: 1\r\nChallenge: 2\r\nActionID: %ID%"),
        ("CoreStatus", b"Response: Success\r\nActionID: %ID%\r\nCoreStartupDate: x"),
        ("CoreSettings", b"Response: Error\r\nActionID: %ID%\r\nMessage: a\r\nMessage: b"),
        ("Login", b"Response: Error\r\nActionID: %ID%"),
    ],
)
async def test_odd_answers_do_not_end_the_link(ami: FakeAmi, action: str, reply: bytes) -> None:
    ami.replies = {action: reply + b"\r\n\r\n"}
    async with watch(ami).running() as watched:
        await watched.until_tries(1)
        ami.replies.clear()
        await watched.until_state(LIVE)


@pytest.mark.fault("AMI TCP drop in mid-event")
async def test_a_connection_cut_at_any_place(ami: FakeAmi) -> None:
    """The server's bytes end after each of many lengths; nothing half is taken for something."""
    ami.lists = {"Status": [STATUS, LIVE_DEVICE]}
    async with watch(ami).running() as watched:
        await watched.until_state(LIVE)
        whole = {i.text for i in watched.items if isinstance(i, Received)}
        length = ami.connections[0].sent
        for cut in range(0, length - 1, 47):
            ami.close_after = cut
            tries = len(watched.pauses) + 1
            ami.cut()
            await watched.until_tries(tries + 1)
        ami.close_after = None
        ami.cut()
        await watched.until_state(LIVE, watched.states.count(LIVE) + 1)
        ids = re.compile(r"m\d+")
        texts = {ids.sub("", i.text) for i in watched.items if isinstance(i, Received)}
        assert texts == {ids.sub("", t) for t in whole}
        assert watched.link.counters.malformed == 0


@pytest.mark.fault("malformed AMI bytes")
async def test_garbage_is_counted_and_the_link_lives(ami: FakeAmi) -> None:
    async with watch(ami).running() as watched:
        await watched.until_state(LIVE)
        ami.send(b"\x00\xff\r\n\r\nno colon\r\n\r\nEvent:\r\n\r\n" + LIVE_DEVICE)
        await watched.items.until(lambda: watched.received)
        assert watched.link.counters.malformed == 3 and watched.states[-1] is LIVE
        watched.held.clear()
        ami.send(b"Event: Newstate\r\nChannel: " + b"x" * 2_000_000)
        await watched.until_state(LOST)
        assert "a message of over" in watched.details[-1]
        assert watched.link.counters.malformed == 4


@pytest.mark.fault("TLS failure")
async def test_what_is_no_ami_at_all(ami: FakeAmi) -> None:
    ami.banner, ami.deaf = b"SSH-2.0-OpenSSH_9.2p1\r\n", True
    async with watch(ami, timing=Timing(answer=0.03)).running() as watched:
        await watched.until_state(LOST)


@pytest.mark.parametrize("host", ["a..b", "x" * 70, "-", "localhost\0"])
async def test_a_host_that_is_none_does_not_end_the_link(host: str) -> None:
    watched = Watched(1)
    settings = LinkSettings("lab", host, 1, "monitord", SECRET)
    watched.link.settings = settings
    async with watched.running():
        await watched.until_state(LOST)


async def test_a_connection_that_does_not_come_about() -> None:
    """A full backlog: the kernel takes no further connection and refuses none."""
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        port = listening.getsockname()[1]
        async with Watched(port, timing=Timing(connect=0.05, answer=0.05)).running() as watched:
            await watched.until_state(LOST)
            assert "within 0.05 s" in watched.details[-1]


# --- what is sent ------------------------------------------------------------------------


async def test_nothing_is_sent_again_and_nothing_but_what_may_be(ami: FakeAmi) -> None:
    async with watch(ami, timing=SHORT).running() as watched:
        await watched.until_state(LIVE)
        ami.swallow = {"Hangup", "Status"}
        asks = [
            asyncio.create_task(watched.link.ask("Hangup", {"Channel": "a.1"}, deadline=9)),
            asyncio.create_task(watched.link.ask("Status", {"Channel": "a.2"}, deadline=9)),
        ]
        await ami.actions.until(lambda: {"Channel": "a.2"}.items() <= ami.actions[-1].items())
        ami.cut()
        results = await asyncio.gather(*asks, return_exceptions=True)
        assert all(isinstance(r, AmiError) for r in results)
        ami.swallow.clear()
        for times in (2, 3):
            await watched.until_state(LIVE, times)
            ami.cut()
    sent = b"".join(bytes(c.received) for c in ami.connections)
    assert len(ami.connections) >= 3
    assert sent.count(b"Action: Hangup\r\n") == 1 and sent.count(b"Channel: a.2\r\n") == 1
    assert sent.count(b"Channel: a.1\r\n") == 1
    for connection in ami.connections:
        # One of each list per login; a channel is named only where somebody asked.
        assert connection.received.count(b"Action: QueueStatus") <= 1
    assert {a.decode() for a in re.findall(rb"Action: (\w+)\r\n", sent)} <= set(ACTIONS)
    assert not re.search(rb"[^\x20-\x7e\r\n]|[^\r]\n|\r[^\n]", sent)


@pytest.mark.fault("wrong credentials / ACL")
async def test_the_secret_is_nowhere(
    ami: FakeAmi, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    asyncio.get_running_loop().set_debug(True)
    with structlog.testing.capture_logs() as logs:
        async with watch(ami).running() as watched:
            await watched.until_state(LIVE)
            ami.cut()
            await watched.until_state(LOST)
        async with watch(ami, secret="wrong-" + SECRET).running() as refused:
            await refused.until_state(AUTH_FAILED)
    said = [*map(str, logs), caplog.text, *capsys.readouterr(), repr(watched.link.settings)]
    said += [repr(i) for w in (watched, refused) for i in w.items]
    sent = b"".join(bytes(c.received) for c in ami.connections)
    assert len(logs) >= 3 and sent.count(b"Key: ") >= 2
    keys = {k.decode() for k in re.findall(rb"Key: (\w+)", sent)}
    for text in (*said, sent.decode()):
        assert SECRET not in text
    assert not any(key in text for text in said for key in keys)


# --- the question about one channel ------------------------------------------------------


async def test_a_channel_is_confirmed_in_its_place(ami: FakeAmi) -> None:
    async with watch(ami).running() as watched:
        await watched.until_state(LIVE)
        ami.replies = {
            "Status": b"Response: Success\r\nActionID: %ID%\r\nEventList: start\r\n\r\n"
            + STATUS
            + LIVE_DEVICE
            + b"Event: StatusComplete\r\nActionID: %ID%\r\n\r\n"
        }
        await watched.link.confirm("a.1")
        assert [(i.name, i.reply) for i in watched.items[-2:]] == [
            ("Status", True),
            ("DeviceStateChange", False),
        ]


@pytest.mark.parametrize(
    ("message", "gone"), [("No such channel", True), ("Permission denied", False)]
)
async def test_only_no_such_channel_means_gone(ami: FakeAmi, message: str, gone: bool) -> None:
    async with watch(ami).running() as watched:
        await watched.until_state(LIVE)
        ami.refuse = {"Status": message}
        await watched.link.confirm("a.1")
        assert (ev.ChannelUnknown("a.1") in watched.steps) is gone


async def test_a_channel_is_also_confirmed_while_all_state_is_read(ami: FakeAmi) -> None:
    """A spy that begins after Status was listed would else never get its type."""
    ami.swallow = {"DeviceStateList"}
    async with watch(ami).running() as watched:
        await ami.actions.until(lambda: ami.asked("DeviceStateList"))
        asking = asyncio.create_task(watched.link.confirm("a.9"))
        await ami.actions.until(lambda: {"Channel": "a.9"}.items() <= ami.actions[-1].items())
        await asking
    await watched.link.confirm("a.9")
    assert sum("Channel" in f for f in ami.actions) == 1


async def test_no_answer_about_a_channel_changes_nothing(ami: FakeAmi) -> None:
    async with watch(ami, timing=Timing(answer=0.05)).running() as watched:
        await watched.until_state(LIVE)
        count = len(watched.items)
        ami.swallow = {"Status"}
        await watched.link.confirm("a.1")
        assert len(watched.items) == count


# --- the end -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "swallowed", ["Challenge", "Login", "CoreStatus", "Status", "DeviceStateList"]
)
async def test_it_ends_promptly_wherever_it_is(ami: FakeAmi, swallowed: str) -> None:
    ami.swallow = {swallowed}
    async with watch(ami).running():
        await ami.actions.until(lambda: ami.asked(swallowed))


async def test_it_ends_promptly_before_fully_booted(ami: FakeAmi) -> None:
    ami.booted = False
    async with watch(ami).running() as watched:
        await watched.until_state(NOT_BOOTED)


async def test_it_ends_promptly_between_two_tries(closed_port: int) -> None:
    async with Watched(closed_port, pause=asyncio.sleep).running() as watched:
        await watched.until_state(LOST)


async def test_a_connection_can_be_given_up(ami: FakeAmi) -> None:
    async with watch(ami).running() as watched:
        assert not watched.link.drop("nothing there yet")
        await watched.until_state(LIVE)
        assert watched.link.drop("too slow") and not watched.link.drop("again")
        await watched.until_state(LIVE, 2)
        assert "too slow. Trying again by itself." in watched.details
