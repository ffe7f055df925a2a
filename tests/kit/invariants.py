"""What holds of a shard after each event, and of a row at each writing."""

from __future__ import annotations

from typing import Any

from monitord.domain.ledger import CallRecord, StatusRecord, SupervisionRecord
from monitord.domain.payments import in_progress, under
from monitord.domain.state import Shard


def check_row(old: Any, new: Any) -> None:
    """``old`` is the same row as it was written before, None the first time."""
    if isinstance(new, SupervisionRecord | CallRecord | StatusRecord):
        if new.ended is not None:
            assert new.started <= new.ended, new
            assert new.ended_exact or new.ended_after is not None, f"no window: {new}"
        if new.ended_after is not None:
            assert new.started <= new.ended_after <= (new.ended or 0), f"no window: {new}"
    # (An agent's status may turn and turn back within one ms, which is one interval.)
    if not isinstance(new, StatusRecord) and getattr(old, "ended", None) is not None:
        assert new.ended is not None, f"opened again: {new}"
    if old is not None and not isinstance(new, StatusRecord) and hasattr(old, "boot"):
        assert new.boot == old.boot, f"moved to another boot: {new}"


def check_shard(shard: Shard) -> None:
    for spyer, supervision_id in shard.by_spyer.items():
        supervision = shard.supervisions[supervision_id]
        assert supervision.spyer == spyer and supervision.ended is None
    spyers = [s.spyer for s in shard.supervisions.values()]
    assert len(spyers) == len(set(spyers)), "one open supervision for a supervisor's channel"
    for bridge, members in shard.bridges.items():
        assert members, "no empty bridge is kept"
        assert all(shard.channels[u].bridge == bridge for u in members)
    for call in shard.calls.values():
        assert all(shard.channels[u].call == call.id for u in call.legs)
        if call.id not in shard.left:  # else it is shown with the next frame
            assert call.view is None or call.view.payment == in_progress(shard, call)
        assert (
            call.view is None
            or call.view.payment
            or not any(shard.channels[u].payment for u in call.legs)
        )
    assert set(shard.paying) == {u for u, c in shard.channels.items() if c.payment}
    for one in shard.supervisions.values():
        assert one.view is None or one.view.payment == under(shard, one)
