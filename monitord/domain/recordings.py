"""Recordings: when MixMonitor ran on a leg, and what its file is called.

What was said at a moment of the call is in the file at that moment less the recording's start,
which is counted whenever it is asked for and kept nowhere.
"""

from __future__ import annotations

import msgspec

from monitord.domain import calls, legs
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.ledger import RecordingRecord
from monitord.domain.state import Channel, Shard, make_id

RUNNING_MOST = 8
"""Recordings of one leg at a time that are followed."""


def on_started(shard: Shard, event: ev.RecordingStarted, at: At) -> None:
    channel = legs.see(shard, event.channel, at)
    call = calls.call_under(shard, channel) if channel is not None else None
    if channel is None or call is None or len(channel.recordings) >= RUNNING_MOST:
        return
    channel.recorded += 1
    begun = RecordingRecord(
        # The moment as well, since a process that has just started counts from 1 again.
        id=make_id(shard.pbx, shard.boot, channel.uniqueid, "recording", channel.recorded, at.wall),
        pbx=shard.pbx,
        call=call.id,
        channel=channel.uniqueid,
        started=at.wall,
        file=channel.labels.get(calls.RECORDING),
    )
    channel.recordings = (*channel.recordings, begun)
    shard.records.append(begun)


def on_stopped(shard: Shard, event: ev.RecordingStopped, at: At) -> None:
    """Of several of a leg Asterisk does not tell which one; without an id, StopMixMonitor stops
    the one that began last."""
    channel = shard.channels.get(event.uniqueid)
    if channel is not None and channel.recordings:
        *others, last = channel.recordings
        channel.recordings = tuple(others)
        shard.records.append(msgspec.structs.replace(last, ended=at.wall))


def channel_gone(shard: Shard, channel: Channel, at: At, *, exact: bool) -> None:
    """A recording ends with its leg. Not ``exact``: nobody knows when that was."""
    if exact and shard.unseen is None:
        shard.records.extend(
            msgspec.structs.replace(one, ended=at.wall) for one in channel.recordings
        )
    channel.recordings = ()
