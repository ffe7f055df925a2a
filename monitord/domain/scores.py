"""What customers say of a call when a survey asks them: passed on as it is said.

The survey runs when the agent has left, so the call has mostly ended by then; what is known of it
stands in the ledger, where a score finds it by the names of its channels.
"""

from __future__ import annotations

from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.ledger import SaidScore
from monitord.domain.state import Shard

LABEL = "score"
VALUE_MOST = 20
"""Characters; what is longer is no score, and may be what a customer typed for another purpose."""

REMEMBERED_MOST = 5_000
"""Channels of which the last score is remembered, so that what is said twice counts once."""


def said(shard: Shard, uniqueid: str, value: str, at: At) -> None:
    """An empty value, as where nobody pressed a key, says nothing."""
    value = value.strip()
    if not uniqueid or not value or len(value) > VALUE_MOST:
        return
    channel = shard.channels.get(uniqueid)
    # A leg that is dialled repeats what it inherits, so it is the call that says it once.
    key = (channel.linkedid if channel is not None else "") or uniqueid
    if shard.scores.get(key) == value:
        return
    shard.scores.pop(key, None)
    if len(shard.scores) >= REMEMBERED_MOST:
        del shard.scores[next(iter(shard.scores))]
    shard.scores[key] = value
    shard.records.append(
        SaidScore(pbx=shard.pbx, boot=shard.boot, given=uniqueid, value=value, at=at.wall)
    )


def on_user_event(shard: Shard, event: ev.ScoreSaid, at: At) -> None:
    if event.name != shard.site.score_event:
        return
    uniqueid = event.uniqueid
    if not uniqueid:
        named = (c.uniqueid for c in shard.channels.values() if c.name == event.channel)
        uniqueid = next(named, "")
    said(shard, uniqueid, event.value, at)
