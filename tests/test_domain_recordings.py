"""Recordings of a call: when they ran, what their files are called."""

from __future__ import annotations

import json
from typing import Any

from monitord.ami.translate import translate
from monitord.domain import events as ev
from monitord.domain.events import At, Event, Snapshot
from monitord.domain.ledger import RecordingRecord
from monitord.domain.reducer import reduce
from monitord.domain.site import Person, Site
from monitord.domain.state import new_shard
from monitord.domain.words import LinkState
from tests.kit.traces import FOLDER

SITE = Site(
    variables={"MIXMONITOR_FILENAME": "recording"},
    people=(Person("ann", "Ann", ("PJSIP/1001",), agent=True),),
)
CUSTOMER, ANN = "1.0", "1.1"


def snap(uniqueid: str, **variables: str) -> Snapshot:
    endpoint = {CUSTOMER: "trunk", ANN: "1001"}[uniqueid]
    name = f"PJSIP/{endpoint}-0000000{uniqueid[-1]}"
    return Snapshot(
        uniqueid, name, CUSTOMER, "Up", "5551234", "", "", "any", "s", tuple(variables.items())
    )


def rows(*events: Event) -> dict[str, RecordingRecord]:
    """Of a call in which a second lies between an event and the next; the last state of each."""
    shard, found = new_shard("pbx", "PBX", SITE), {}
    begin: list[Event] = [
        ev.LinkChanged(LinkState.LIVE),
        ev.ChannelCreated(snap(CUSTOMER)),
        ev.ChannelCreated(snap(ANN)),
        ev.DialBegun(snap(CUSTOMER), snap(ANN)),
    ]
    for n, event in enumerate([*begin, *events]):
        at = 1000 * (n - len(begin))
        for record in reduce(shard, event, At(at + 10_000, at), later=True).records:
            if isinstance(record, RecordingRecord):
                found[record.id] = record
    return found


def named(file: str) -> Event:
    return ev.VariableSet(ANN, "MIXMONITOR_FILENAME", file)


def test_a_recording_is_followed_from_its_start_to_its_stop() -> None:
    (one,) = rows(
        named("/a/1.wav"), ev.RecordingStarted(snap(ANN)), ev.RecordingStopped(ANN)
    ).values()
    assert (one.channel, one.file, one.started, one.ended) == (ANN, "/a/1.wav", 1000, 2000)


def test_it_ends_with_its_leg_and_the_file_may_be_told_later() -> None:
    (one,) = rows(ev.RecordingStarted(snap(ANN)), named("/a/1.wav"), ev.ChannelHungUp(ANN)).values()
    assert (one.file, one.started, one.ended) == ("/a/1.wav", 0, 2000)


def test_several_of_a_leg_and_of_the_call() -> None:
    found = rows(
        *(named("/a/1.wav"), ev.RecordingStarted(snap(ANN))),
        *(named("/a/2.wav"), ev.RecordingStarted(snap(ANN))),
        *(ev.RecordingStarted(snap(CUSTOMER)), ev.RecordingStopped(ANN)),
        *(ev.ChannelHungUp(CUSTOMER), ev.ChannelHungUp(ANN)),
    )
    told = [(one.channel, one.file, one.started, one.ended) for one in found.values()]
    assert told == [
        (ANN, "/a/1.wav", 1000, 7000),
        (ANN, "/a/2.wav", 3000, 5000),
        (CUSTOMER, None, 4000, 6000),
    ]
    assert len({one.call for one in found.values()}) == 1


def test_a_stop_of_nothing_and_of_a_leg_that_is_gone_is_nothing() -> None:
    assert rows(ev.RecordingStopped(ANN), ev.RecordingStopped("9.9")) == {}
    assert rows(ev.ChannelHungUp(ANN), ev.RecordingStarted(snap(ANN))) == {}


def test_what_asterisk_sends_is_read() -> None:
    """As 16 and 22 sent it to the lab."""
    for version in ("16", "22"):
        trace = (FOLDER / "payment" / f"warned-muted-MixMonitor-{version}.jsonl").read_text()
        started: list[Any] = [
            translate(one["name"], one["text"])
            for one in map(json.loads, trace.splitlines())
            if one.get("name") == "MixMonitorStart"
        ]
        assert [one.channel.name for one in started] == [started[0].channel.name]
        assert started[0].channel.name.startswith("PJSIP/1001-")
