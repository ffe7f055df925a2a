"""Queues and their members, as app_queue shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from monitord.simulator.messages import MEMBER_HEADERS, Headers
from monitord.simulator.pbx import DEVICE_STATES, Channel, Pbx


@dataclass(eq=False, slots=True)
class Member:
    queue: Queue
    interface: str
    name: str
    status: int = DEVICE_STATES["NOT_INUSE"]
    calls_taken: int = 0
    last_call: int = 0
    last_pause: int = 0
    login_time: int = 0
    in_call: bool = False
    paused: bool = False
    paused_reason: str = ""

    def fields(self) -> dict[str, Any]:
        values = (
            self.queue.name,
            self.name,
            self.interface,
            self.interface,
            "dynamic",
            0,
            self.calls_taken,
            self.last_call,
            self.last_pause,
            self.login_time,
            int(self.in_call),
            self.status,
            int(self.paused),
            self.paused_reason,
            0,
            self.queue.wrapup,
        )
        return dict(zip(MEMBER_HEADERS, values, strict=True))


def member_headers(member: Member) -> Headers:
    """QueueMember in the answer to QueueStatus: other names than in the member events."""
    fields = {key: str(value) for key, value in member.fields().items()}
    fields["Name"], fields["Location"] = member.name, member.interface
    order = (
        *("Queue", "Name", "Location", "StateInterface", "Membership", "Penalty"),
        *("CallsTaken", "LastCall", "LastPause", "LoginTime", "InCall", "Status", "Paused"),
        *("PausedReason", "Wrapuptime"),
    )
    return (("Event", "QueueMember"), *((key, fields[key]) for key in order))


@dataclass(eq=False, slots=True)
class Entry:
    """A caller who waits."""

    channel: Channel
    joined: float  # wall
    original_position: int
    ringing: bool = False  # a member is being called for this one


@dataclass(eq=False, slots=True)
class Queue:
    name: str
    strategy: str = "leastrecent"
    wrapup: int = 8  # seconds
    service_level: int = 20
    members: dict[str, Member] = field(default_factory=dict)  # by interface
    entries: list[Entry] = field(default_factory=list)
    completed: int = 0
    completed_in_time: int = 0
    abandoned: int = 0
    hold_time: int = 0
    talk_time: int = 0


class Queues:
    def __init__(self, pbx: Pbx, names: Iterable[str]) -> None:
        self._pbx = pbx
        self.queues = {name: Queue(name) for name in names}
        for name in self.queues:
            pbx.add_device(f"Queue:{name}")
            pbx.add_device(f"Queue:{name}_avail")
        pbx.on_device.append(self._device_changed)

    def memberships(self, interface: str) -> list[Member]:
        return [q.members[interface] for q in self.queues.values() if interface in q.members]

    def add(self, queue: str, interface: str, name: str) -> None:
        """AddQueueMember: all members are dynamic, as agents log in and out."""
        wall = int(self._pbx.clock.wall)
        member = Member(self.queues[queue], interface, name, login_time=wall)
        member.status = DEVICE_STATES[self._pbx.devices.get(interface, "UNKNOWN")]
        self.queues[queue].members[interface] = member
        for other in self.memberships(interface):
            member.paused, member.paused_reason = other.paused, other.paused_reason
        self._pbx.emit("QueueMemberAdded", **member.fields())
        self._show_devices(member)

    def restart(self) -> None:
        """Callers and counts are gone; dynamic members are remembered, with their pauses
        (persistentmembers, astdb)."""
        wall = int(self._pbx.clock.wall)
        for name, old in list(self.queues.items()):
            queue = self.queues[name] = Queue(name)
            for interface, was in old.members.items():
                member = Member(queue, interface, was.name, login_time=wall)
                member.status = DEVICE_STATES[self._pbx.devices[interface]]
                member.paused, member.paused_reason = was.paused, was.paused_reason
                queue.members[interface] = member

    def remove(self, queue: str, interface: str) -> None:
        member = self.queues[queue].members.pop(interface, None)
        if member is not None:
            self._pbx.emit("QueueMemberRemoved", **member.fields())

    def pause(self, interface: str, reason: str) -> None:
        for member in self.memberships(interface):
            member.paused, member.paused_reason = True, reason
            member.last_pause = int(self._pbx.clock.wall)
            self._show_devices(member)
            self._pbx.emit("QueueMemberPause", **member.fields(), Reason=reason)

    def unpause(self, interface: str) -> None:
        for member in self.memberships(interface):
            member.paused, member.paused_reason = False, ""
            self._show_devices(member)
            self._pbx.emit("QueueMemberPause", **member.fields())

    def join(self, queue: str, channel: Channel) -> Entry:
        q = self.queues[queue]
        entry = Entry(channel, self._pbx.clock.wall, len(q.entries) + 1)
        q.entries.append(entry)
        self._pbx.set_device(f"Queue:{queue}", "RINGING")
        self._pbx.emit(
            "QueueCallerJoin", channel, Queue=queue, Position=len(q.entries), Count=len(q.entries)
        )
        return entry

    def turn(self, queue: str, entry: Entry, free: int) -> bool:
        """As app_queue with autofill: as many callers are offered as there are free members."""
        waiting = [e for e in self.queues[queue].entries if not e.ringing]
        return entry in waiting[:free]

    def leave(self, queue: str, entry: Entry) -> None:
        q = self.queues[queue]
        position = q.entries.index(entry) + 1
        q.entries.remove(entry)
        if not q.entries:
            self._pbx.set_device(f"Queue:{queue}", "NOT_INUSE")
        # Count is what is left, Position where the caller stood.
        self._pbx.emit(
            "QueueCallerLeave",
            entry.channel,
            Queue=queue,
            Position=position,
            Count=len(q.entries),
        )

    def abandon(self, queue: str, entry: Entry) -> None:
        q = self.queues[queue]
        q.abandoned += 1
        self._pbx.emit(
            "QueueCallerAbandon",
            entry.channel,
            Queue=queue,
            Position=q.entries.index(entry) + 1,
            OriginalPosition=entry.original_position,
            HoldTime=int(self._pbx.clock.wall - entry.joined),
        )
        self.leave(queue, entry)

    def connected(self, queue: str, interface: str, hold: float) -> None:
        q = self.queues[queue]
        if hold <= q.service_level:
            q.completed_in_time += 1
        q.hold_time = (3 * q.hold_time + int(hold)) // 4  # app_queue's own smoothing
        q.members[interface].in_call = True

    def completed(self, queue: str, interface: str, talk: float) -> None:
        q = self.queues[queue]
        q.completed += 1
        q.talk_time = (3 * q.talk_time + int(talk)) // 4
        member = q.members.get(interface)
        if member is not None:
            member.in_call = False
            member.calls_taken += 1
            member.last_call = int(self._pbx.clock.wall)

    def status(self, queue: str, member: str) -> list[Headers]:
        """QueueStatus: parameters, members and callers of all queues, or of one."""
        found: list[Headers] = []
        for q in self.queues.values():
            if queue and q.name.lower() != queue.lower():
                continue
            found.append(self._params(q))
            found += [
                member_headers(m)
                for m in q.members.values()
                if not member or member in (m.interface, m.name)
            ]
            found += [self._entry(q, i, entry) for i, entry in enumerate(q.entries, start=1)]
        return found

    def _params(self, q: Queue) -> Headers:
        in_time = 100 * q.completed_in_time / q.completed if q.completed else 0.0
        total = q.completed + q.abandoned
        in_time_of_all = 100 * q.completed_in_time / total if total else 0.0
        return (
            ("Event", "QueueParams"),
            ("Queue", q.name),
            ("Max", "0"),
            ("Strategy", q.strategy),
            ("Calls", str(len(q.entries))),
            ("Holdtime", str(q.hold_time)),
            ("TalkTime", str(q.talk_time)),
            ("Completed", str(q.completed)),
            ("Abandoned", str(q.abandoned)),
            ("ServiceLevel", str(q.service_level)),
            ("ServicelevelPerf", f"{in_time:.1f}"),
            ("ServicelevelPerf2", f"{in_time_of_all:.1f}"),
            ("Weight", "0"),
        )

    def _entry(self, q: Queue, position: int, entry: Entry) -> Headers:
        channel = entry.channel
        return (
            ("Event", "QueueEntry"),
            ("Queue", q.name),
            ("Position", str(position)),
            ("Channel", channel.name),
            ("Uniqueid", channel.uniqueid),
            ("CallerIDNum", channel.caller.number or "unknown"),
            ("CallerIDName", channel.caller.name or "unknown"),
            ("ConnectedLineNum", channel.connected.number or "unknown"),
            ("ConnectedLineName", channel.connected.name or "unknown"),
            ("Wait", str(int(self._pbx.clock.wall - entry.joined))),
            ("Priority", "0"),
        )

    def _device_changed(self, device: str, state: str) -> None:
        for member in self.memberships(device):
            member.status = DEVICE_STATES[state]
            self._pbx.emit("QueueMemberStatus", **member.fields())
            self._show_devices(member)

    def _show_devices(self, member: Member) -> None:
        """A queue's own devices: one for its free members, one for each member's pause."""
        queue = member.queue
        free = any(
            not m.paused and m.status == DEVICE_STATES["NOT_INUSE"] for m in queue.members.values()
        )
        self._pbx.set_device(f"Queue:{queue.name}_avail", "NOT_INUSE" if free else "INUSE")
        paused = "INUSE" if member.paused else "NOT_INUSE"
        self._pbx.set_device(f"Queue:{queue.name}_pause_{member.interface}", paused)
