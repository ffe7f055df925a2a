"""What a link brings is queued, translated and applied in its order, whatever it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from monitord.ami import attachment as attachments
from monitord.ami.attachment import Attachment
from monitord.ami.link import Item, LinkSettings, Timing
from monitord.ami.protocol import Received
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.words import LinkState
from tests.kit.ami_text import DEVICE, NEWCHANNEL, block, event, lines
from tests.kit.fake_ami import FakeAmi, Seen

SECRET = "right-and-long"


class Attached:
    def __init__(self, server: FakeAmi, **options: Any) -> None:
        self.events = Seen()
        self.asks: dict[type[ev.Event], str] = {}
        """Event to the uniqueid that it makes the state ask for."""
        self.fails: tuple[type[ev.Event], ...] = ()
        settings = LinkSettings("lab", "127.0.0.1", server.port, "monitord", SECRET)
        self.attachment = Attachment(settings, self._apply, lambda: None, **options)

    def _apply(self, pbx: str, event: ev.Event, at: At) -> Sequence[str]:
        assert pbx == "lab" and at.mono > 0 and at.wall > 1_700_000_000_000
        self.events.take(event)
        if isinstance(event, self.fails):
            raise RuntimeError("a bug of ours")
        return [self.asks[type(event)]] if type(event) in self.asks else []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Attached]:
        before = asyncio.all_tasks()
        task = asyncio.create_task(self.attachment.run())
        try:
            await self.until(lambda: self.states[-1:] == [LinkState.LIVE])
            yield self
        finally:
            task.cancel()
            async with asyncio.timeout(1):
                await asyncio.wait([task])
            assert task.cancelled()
            assert asyncio.all_tasks() <= before, "something was left running"

    @property
    def states(self) -> list[LinkState]:
        return [e.link for e in self.events if isinstance(e, ev.LinkChanged)]

    async def until(self, condition: Callable[[], Any]) -> Any:
        return await self.events.until(condition)


@pytest.fixture
async def ami() -> AsyncIterator[FakeAmi]:
    async with FakeAmi(SECRET) as server:
        yield server


DEVICE_BYTES = DEVICE.encode() + b"\r\n\r\n"
CREATED = NEWCHANNEL.encode() + b"\r\n\r\n"


def kinds(attached: Attached) -> list[str]:
    return [type(e).__name__ for e in attached.events if not isinstance(e, ev.Tick)]


async def test_events_are_applied_in_their_order(ami: FakeAmi) -> None:
    async with Attached(ami).running() as attached:
        already = len(kinds(attached))
        ami.send(CREATED + DEVICE_BYTES + b"Event: DialEnd\r\n\r\n" + CREATED)
        await attached.until(lambda: len(kinds(attached)) >= already + 3)
        attached.attachment.offer(ev.DisconnectSettled("s"))
        await attached.until(lambda: kinds(attached)[-1] == "DisconnectSettled")
        assert kinds(attached)[already:] == [
            *("ChannelCreated", "DeviceChanged", "ChannelCreated", "DisconnectSettled")
        ]


async def test_malformed_is_counted_and_the_rest_goes_on(ami: FakeAmi) -> None:
    async with Attached(ami).running() as attached:
        ami.send(b"Event: Hangup\r\n\r\nEvent: Hangup\r\nEvent: Hold\r\nUniqueid: 1\r\n\r\n")
        ami.send(DEVICE_BYTES)
        await attached.until(lambda: kinds(attached)[-1] == "DeviceChanged")
        assert attached.attachment.malformed == 2 and attached.attachment.failed == 0


@pytest.mark.parametrize("kind", [ev.ChannelCreated, ev.Tick])
async def test_a_bug_of_ours_costs_one_event(ami: FakeAmi, kind: type[ev.Event]) -> None:
    attached = Attached(ami)
    attached.fails = (kind,)
    async with attached.running():
        if kind is ev.ChannelCreated:
            ami.send(CREATED)
        await attached.until(lambda: attached.attachment.failed)
        ami.send(DEVICE_BYTES)
        await attached.until(lambda: kinds(attached)[-1] == "DeviceChanged")
        assert attached.attachment.malformed == 0


async def test_what_the_state_asks_is_asked_once_at_a_time(ami: FakeAmi) -> None:
    attached = Attached(ami)
    attached.asks = {ev.ChannelCreated: "a.1"}
    told = event("Status", block("", "PJSIP/1-1", "a.1"), lines(Application="ChanSpy", Data="x,q"))
    async with attached.running():
        ami.lists["Status"] = [told.encode() + b"\r\nActionID: %ID%\r\n\r\n"]
        ami.send(CREATED * 3)

        def told_so() -> int:
            told = [e for e in attached.events if isinstance(e, ev.ChannelTold)]
            return len([e for e in told if (e.application, e.data) == ("ChanSpy", "x,q")])

        await attached.until(lambda: told_so() == 1)
        assert len(ami.asked("Status")) == 2  # the resync's, and this one
        ami.send(CREATED)
        await attached.until(lambda: told_so() == 2)


async def test_it_ends_with_a_question_under_way(ami: FakeAmi) -> None:
    attached = Attached(ami)
    attached.asks = {ev.ChannelCreated: "a.1"}
    async with attached.running():
        ami.swallow = {"Status"}
        ami.send(CREATED)
        await ami.actions.until(lambda: len(ami.asked("Status")) == 2)


@pytest.mark.fault("AMI reader stall")
async def test_what_cannot_be_kept_up_with_costs_the_connection(ami: FakeAmi) -> None:
    timing = Timing(retry_first=0)
    async with Attached(ami, queue_most=50, timing=timing).running() as attached:
        ami.send(DEVICE_BYTES * 400)
        await attached.until(lambda: attached.states.count(LinkState.LIVE) == 2)
        lost = next(
            e for e in attached.events if isinstance(e, ev.LinkChanged) and e.link is LinkState.LOST
        )
        assert lost.detail.startswith("more than 50 messages were waiting")
        assert 50 <= kinds(attached).count("DeviceChanged") < 120


async def test_a_tap_sees_all_that_comes(ami: FakeAmi) -> None:
    items: list[Item] = []
    async with Attached(ami, tap=items.append).running() as attached:
        ami.send(b"Event: DialEnd\r\nX: 1\r\n\r\n" + DEVICE_BYTES)
        await attached.until(lambda: kinds(attached)[-1] == "DeviceChanged")
        names = [i.name for i in items if isinstance(i, Received)]
        assert names[-2:] == ["DialEnd", "DeviceStateChange"]
        assert "FullyBooted" not in names


async def test_of_a_user_event_only_who_pays_and_a_score_goes_further(ami: FakeAmi) -> None:
    """Not even into a trace: a site may put anything into its own."""
    items: list[Item] = []
    card = lines(Card="4111111111111111", Channel="PJSIP/1-1", Uniqueid="a.1")
    ours = event("UserEvent", card, lines(UserEvent="Card.Now", State="on"))
    other = event("UserEvent", card, lines(UserEvent="MonitordPayment", State="on"))
    score = event("UserEvent", card, lines(UserEvent="MonitordScore", Score="4"))
    async with Attached(ami, tap=items.append, payment_event="Card.Now").running() as attached:
        for text in (other, event("UserEvent", card), ours, score):
            ami.send(text.encode() + b"\r\n\r\n")
        ami.send(DEVICE_BYTES)
        await attached.until(lambda: kinds(attached)[-1] == "DeviceChanged")
        said = [e for e in attached.events if isinstance(e, ev.UserSaid | ev.ScoreSaid)]
        assert said == [
            ev.UserSaid("Card.Now", "a.1", "PJSIP/1-1", True),
            ev.ScoreSaid("MonitordScore", "a.1", "PJSIP/1-1", "4"),
        ]
        kept, _ = [i for i in items if isinstance(i, Received) and i.name == "UserEvent"]
        assert "4111" not in repr(items) and "Timestamp: " in kept.text


async def test_what_comes_just_after_waits_a_moment(
    ami: FakeAmi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call is many small groups of events; each of them is not worth a wake-up of its own."""
    attached = Attached(ami)
    async with attached.running() as one:
        attachment = one.attachment
        await attachment.idle.wait()
        monkeypatch.setattr(attachments, "PAUSE_S", 3600)
        attachment.offer(ev.Tick())  # as if it came from the PBX
        attachment.offer(ev.Tick())
        before = len(one.events)
        await asyncio.sleep(0.05)
        assert len(one.events) == before and not attachment.idle.is_set()
        assert attachment.seen < attachment.link.now().wall, "it does not claim to have told it"
        attachment._gathered()
        await attachment.idle.wait()
        assert len(one.events) == before + 2
