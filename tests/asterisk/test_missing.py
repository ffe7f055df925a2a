"""What Asterisk leaves out: found by asking again, judged twice, closed with an honest window."""

from __future__ import annotations

import pytest

from tests.asterisk.watch import Watch
from tests.lab.scene import Scene

pytestmark = pytest.mark.timing(reconcile_every=0.4)


@pytest.mark.fault("missing Hangup (prefix spy)")
@pytest.mark.case(
    "a Hangup withheld by a prefix spy; the ghost in CoreShowChannels is not believed"
)
async def test_hangup_withheld_by_a_prefix_spy(scene: Scene, watch: Watch) -> None:
    """While a spy on a prefix runs, Hangups of the other channels that fit are kept back."""
    calls = [await scene.customer_calls_agent("5551234", n) for n in ("1001", "10011")]
    spyer = await scene.supervisor_spies("2001", "PJSIP/1001")
    shown = await watch.supervision(type="Monitor", state="active")
    await watch.stream.until(lambda s: len(s.of("call")) == 2, "two calls")
    (other,) = (
        c for c in calls if not c.agent_channel.startswith(shown["agent"]["endpoint"] + "-")
    )
    await scene.phone_hangs_up(other.customer)
    await watch.stream.until(lambda s: len(s.of("call")) == 1, "the other call's end")
    assert watch.stream.of("supervision")[0]["state"] == "active"
    await scene.hangup(spyer)
    (spied,) = (c for c in calls if c is not other)
    await scene.hangup(spied.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    rows = {r["call_id"]: r for r in await watch.calls()}
    lost = rows[other.customer]
    assert lost["end_reason"] == "lost" and not lost["ended_exact"]
    assert rows[spied.customer]["ended_exact"]


@pytest.mark.fault("missing ChanSpyStop")
@pytest.mark.case("a supervisor leaves the spy and nothing tells: found by the reconcile")
async def test_redirect_that_nothing_tells(scene: Scene, watch: Watch) -> None:
    """A supervisor whose endpoint the filter does not list: no Stop, no Newexten, no Hangup."""
    call = await scene.customer_calls_in("5551234")
    spyer = await scene.originate_spy("2009", call.agent_channel, "qE")
    shown = await watch.supervision(type="Monitor", state="active")
    await scene.redirect(spyer, "park", "s")
    await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
    await scene.hangup(spyer)
    await scene.hangup(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["id"] == shown["id"] and row["end_reason"] == "left"
    assert not row["ended_exact"] and row["ended_after"] <= row["ended"]
    assert row["length_ms"] == row["ended_after"] - row["started"]


@pytest.mark.fault("missing Hangup (prefix spy)")
@pytest.mark.case("reconciles end nothing that lives")
async def test_reconciles_end_nothing_that_lives(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls_in("5551234")
    spyer = await scene.supervisor_spies("2001", "PJSIP/1001-", "qw")
    shown = await watch.supervision(type="Coach", state="active")
    shard = watch.daemon.hub.shards["lab"]
    for _ in range(4):
        before = min(c.last_seen for c in shard.channels.values())
        await watch.until(
            lambda seen=before: min(c.last_seen for c in shard.channels.values()) > seen
        )
    assert watch.stream.entities["supervision"] == {shown["id"]: shown}
    await scene.hangup(spyer)
    await scene.hangup(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    assert [r["ended_exact"] for r in await watch.rows()] == [True]
