"""The daemon's clock is set while calls run: no row ends before it begins."""

from __future__ import annotations

import pytest

from monitord.domain import events as ev
from monitord.domain.events import At, Event
from monitord.domain.ledger import key_of
from monitord.domain.reducer import reduce
from monitord.domain.site import Person, Site
from monitord.domain.state import new_shard
from monitord.domain.words import LinkState
from tests.kit.invariants import check_row
from tests.test_domain_reconcile import leg

HOUR = 3_600_000
BEGAN = 1_795_320_000_000
CUT = ev.LinkChanged(LinkState.LOST, "cut")
ENDS: dict[str, list[Event]] = {
    "seen": [
        ev.SpyStopped("1.2"),
        *(ev.ChannelHungUp(f"1.{n}") for n in (2, 1, 0)),
        ev.DeviceChanged("PJSIP/1", "NOT_INUSE"),
    ],
    "unseen": [CUT, ev.ResyncBegun(), ev.ResyncEnded(), ev.LinkChanged(LinkState.LIVE)],
    "another boot": [CUT, ev.BootSeen("two", "22"), ev.ResyncBegun(), ev.ResyncEnded()],
    "missed": [e for _ in range(4) for e in (ev.ReconcileBegun(), ev.ReconcileEnded())],
}


@pytest.mark.fault("clock jump ±1 h, DST, NTP step")
@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("jump", [-HOUR, HOUR, -1])
def test_a_clock_that_is_set(jump: int, how: str) -> None:
    agent = Person("ann", "Ann", ("PJSIP/1",), agent=True)
    shard = new_shard("pbx", "PBX", Site(people=(agent,)))
    rows = {}
    mono, offset = 1000, 0

    def apply(event: Event) -> None:
        nonlocal mono
        mono += 10
        for record in reduce(shard, event, At(mono, BEGAN + mono + offset)).records:
            check_row(rows.get(key_of(record)), record)
            rows[key_of(record)] = record

    customer, phone, spyer = leg(0, "1.0"), leg(1, "1.0"), leg(2, "1.2")
    for event in (
        *(ev.BootSeen("one", "22"), ev.ResyncBegun(), ev.ResyncEnded()),
        *(ev.LinkChanged(LinkState.LIVE), ev.DeviceChanged("PJSIP/1", "INUSE")),
        *(ev.ChannelCreated(customer), ev.ChannelCreated(phone), ev.DialBegun(customer, phone)),
        *(ev.BridgeEntered(customer, "b"), ev.BridgeEntered(phone, "b")),
        *(ev.AppStarted(spyer, "ChanSpy", "1.1,uqE"), ev.SpyStarted(spyer, phone)),
    ):
        apply(event)
    offset = jump
    for event in ENDS[how]:
        apply(event)
    (call,) = (r for r in rows.values() if hasattr(r, "talk_ms"))
    (supervision,) = (r for r in rows.values() if hasattr(r, "means"))
    for row in (call, supervision):
        assert row.ended is not None and row.ended >= row.started
        if how == "seen":  # a length is the monotonic clock's
            assert 0 < row.length_ms <= 200
