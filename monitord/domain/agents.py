"""Agents' status, from queue membership and device state, and the wrap-up after their calls."""

from __future__ import annotations

import msgspec

from monitord.domain import events as ev
from monitord.domain.endpoint import interface_of, is_local
from monitord.domain.events import At
from monitord.domain.ledger import StatusRecord
from monitord.domain.state import NO_TIME, Agent, Call, Member, Shard, make_id
from monitord.domain.words import AgentStatus, Provenance

_BUSY = {
    "INUSE": AgentStatus.IN_CALL,
    "BUSY": AgentStatus.IN_CALL,
    "RINGINUSE": AgentStatus.IN_CALL,
    "ONHOLD": AgentStatus.ON_HOLD,
    "RINGING": AgentStatus.RINGING,
}
_NO_WRAP_UP = frozenset({AgentStatus.RINGING, AgentStatus.IN_CALL, AgentStatus.NOT_LOGGED_IN})
_AWAY = frozenset({"UNAVAILABLE", "INVALID"})

AGENTS_MOST = 20_000
DEVICES_MOST = 50_000
MEMBERS_MOST = 500
"""Agents and telephones of one PBX, and queues of one agent, that are followed. A PBX that names
more is broken or hostile; what is beyond is left out, and the PBX is shown with that."""


def by_interface(shard: Shard, interface: str, name: str = "") -> str:
    """Endpoint of the agent behind a queue member's interface, made known if it was not."""
    endpoint = _endpoint(shard, interface)
    if not _room(shard, endpoint):
        return endpoint
    agent = get(shard, endpoint)
    if name and name != interface and not agent.name:
        agent.name = name
        shard.dirty_agents[endpoint] = None
    return endpoint


def _endpoint(shard: Shard, interface: str) -> str:
    interface = interface_of(interface)
    return shard.interfaces.get(interface, interface)


def _room(shard: Shard, endpoint: str) -> bool:
    if endpoint in shard.agents or len(shard.agents) < AGENTS_MOST:
        return True
    shard.full = f"there are more than {AGENTS_MOST} agents; the status of others is not followed"
    return False


def get(shard: Shard, endpoint: str) -> Agent:
    agent = shard.agents.get(endpoint)
    if agent is None:
        agent = Agent(endpoint, device=shard.devices.get(endpoint, ""))
        shard.agents[endpoint] = agent
        shard.dirty_agents[endpoint] = None
    return agent


def on_member(shard: Shard, event: ev.MemberSeen, at: At) -> None:
    interface = interface_of(event.interface)
    device = interface_of(event.state_interface) or interface
    # "Local/9@agents" with state interface "PJSIP/9": the telephone is the latter. A hint or a
    # custom device state is no telephone.
    endpoint = device if "/" in device else interface
    if not _room(shard, endpoint):
        return
    agent = get(shard, endpoint)
    if len(agent.members) >= MEMBERS_MOST and event.queue not in agent.members:
        shard.full = f"an agent is in more than {MEMBERS_MOST} queues; others are left out"
        return
    shard.interfaces[interface] = endpoint
    if event.name and event.name != event.interface:
        agent.name = event.name
    agent.members[event.queue] = Member(
        event.interface,
        event.name,
        event.paused,
        event.reason,
        shard.site.wrap_up_of(event.queue, event.wrap_up_s),
    )
    agent.queue_agent = True
    agent.seen = True
    if event.device and (shard.resyncing or endpoint not in shard.devices):
        # Else DeviceStateChange has told, and this comes late (two families, no common order).
        agent.device = event.device
    settle(shard, agent, at)


def on_member_paused(shard: Shard, event: ev.MemberPaused, at: At) -> None:
    agent = shard.agents.get(_endpoint(shard, event.interface))
    member = agent.members.get(event.queue) if agent is not None else None
    if agent is not None and member is not None:
        member.paused, member.reason = event.paused, event.reason
        settle(shard, agent, at)


def on_member_removed(shard: Shard, event: ev.MemberRemoved, at: At) -> None:
    agent = shard.agents.get(_endpoint(shard, event.interface))
    if agent is not None and agent.members.pop(event.queue, None) is not None:
        settle(shard, agent, at)


def on_device(shard: Shard, event: ev.DeviceChanged, at: At) -> None:
    if "/" not in event.device or is_local(event.device):
        return  # a queue, a conference, a hint: nobody's telephone, and of any number
    if event.device not in shard.devices and len(shard.devices) >= DEVICES_MOST:
        shard.full = f"there are more than {DEVICES_MOST} devices; others are left out"
        return
    shard.devices[event.device] = event.state
    agent = shard.agents.get(event.device)
    if agent is None and shard.directory.is_agent(event.device) and _room(shard, event.device):
        agent = get(shard, event.device)
    if agent is not None:
        agent.device = event.state
        settle(shard, agent, at)


def on_completed(shard: Shard, event: ev.AgentCompleted, at: At) -> None:
    """A queue call is over. The channels may already be gone (ami-facts 1.6), in which case
    the wrap-up began with the agent's leg."""
    agent = shard.agents.get(_endpoint(shard, event.interface))
    if agent is not None:
        call = shard.call_of(event.caller or "") or shard.call_of(event.agent_channel or "")
        begin_wrap_up(shard, agent, event.queue, call, at)


def leg_gone(shard: Shard, endpoint: str, call: Call, at: At) -> None:
    """An agent's leg of an answered queue call hung up: from here Asterisk's wrap-up counts."""
    agent = shard.agents.get(endpoint)
    if agent is not None and call.queue and call.talked:
        begin_wrap_up(shard, agent, call.queue, call, at)


def begin_wrap_up(shard: Shard, agent: Agent, queue: str, call: Call | None, at: At) -> None:
    member = agent.members.get(queue)
    if member is None:
        return
    if agent.wrap_until is not None:
        if agent.wrap_call is None and call is not None:
            agent.wrap_call = call.id
        return
    if member.wrap_up_s <= 0 and not shard.site.wrap_up_reasons:
        return
    _forget_wrap_up(shard, agent)
    agent.wrap_call = call.id if call is not None else None
    agent.wrap_from = at.mono
    if member.wrap_up_s > 0:
        agent.wrap_until = at.mono + member.wrap_up_s * 1000
        shard.wrapping[agent.endpoint] = None
        shard.wrap_next = min(shard.wrap_next, agent.wrap_until)
        settle(shard, agent, at)


def status_of(shard: Shard, agent: Agent) -> tuple[AgentStatus, str]:
    busy = _BUSY.get(agent.device)
    if busy is not None:
        return busy, ""
    if (agent.queue_agent and not agent.members) or agent.device in _AWAY:
        return AgentStatus.NOT_LOGGED_IN, ""
    paused = [m for m in agent.members.values() if m.paused]
    if paused and len(paused) == len(agent.members):
        reason = next((m.reason for m in paused if m.reason), "")
        if reason in shard.site.wrap_up_reasons:
            return AgentStatus.WRAP_UP, reason
        return AgentStatus.PAUSED, reason
    if agent.wrap_until is not None:
        return AgentStatus.WRAP_UP, ""
    if agent.device == "NOT_INUSE" or (agent.members and agent.device in ("", "UNKNOWN")):
        return AgentStatus.AVAILABLE, ""
    return AgentStatus.UNKNOWN, ""


def settle(shard: Shard, agent: Agent, at: At) -> None:
    """Move the agent to the status that follows from what is known; open and close intervals."""
    status, reason = status_of(shard, agent)
    if shard.resyncing:
        # Members and devices come one by one; a verdict between them would invent intervals.
        shard.dirty_agents[agent.endpoint] = None
        return
    if agent.started and (status, reason) == (agent.status, agent.reason):
        return
    if agent.started:
        _close(shard, agent, at)
    if agent.status is AgentStatus.WRAP_UP and status is not AgentStatus.WRAP_UP:
        _end_wrap_up(shard, agent, at)
    elif status in _NO_WRAP_UP and agent.wrap_call is not None:
        _forget_wrap_up(shard, agent)  # it was expected by a pause, and none came
    if status is AgentStatus.WRAP_UP and agent.wrap_until is None:
        agent.wrap_from = at.mono  # by a pause, which begins it
    agent.status, agent.reason = status, reason
    agent.since, agent.since_exact, agent.started = at, shard.synced, True
    _write(shard, agent)


def _end_wrap_up(shard: Shard, agent: Agent, at: At) -> None:
    agent.wrap_until = None
    shard.wrapping.pop(agent.endpoint, None)
    call_id, agent.wrap_call = agent.wrap_call, None
    if call_id is None:
        return
    length = max(0, at.mono - agent.wrap_from)
    call = shard.calls.get(call_id)
    if call is not None:
        if call.agent == agent.endpoint:
            call.wrap_up_ms = length
            shard.touch_call(call)
        return
    ended = shard.ended_calls.pop(call_id, None)
    if ended is not None:
        shard.records.append(msgspec.structs.replace(ended, wrap_up_ms=length))


def awaits_wrap_up(shard: Shard, call: Call) -> bool:
    """Whether the length of an agent's wrap-up is still to be added to this call's row."""
    agent = shard.agents.get(call.agent or "")
    return agent is not None and agent.wrap_call == call.id


def renamed(shard: Shard, at: At) -> None:
    """People changed. A status belongs to the person: where the endpoint changed hands, the
    interval of the one is over and that of the other begins."""
    for endpoint, device in shard.devices.items():
        new = endpoint not in shard.agents and shard.directory.is_agent(endpoint)
        if new and _room(shard, endpoint):
            get(shard, endpoint).device = device
            settle(shard, shard.agents[endpoint], at)
    for agent in shard.agents.values():
        shard.dirty_agents[agent.endpoint] = None
        party = shard.directory.party(agent.endpoint, agent.name)
        if agent.record is None or shard.resyncing:
            continue
        if agent.record.agent_id != party.id:
            _close(shard, agent, at)
            agent.since, agent.since_exact = at, True
            _write(shard, agent)
        elif agent.record.agent_name != party.name:
            _write(shard, agent)


def _record(shard: Shard, agent: Agent) -> StatusRecord:
    party = shard.directory.party(agent.endpoint, agent.name)
    return StatusRecord(
        id=make_id(shard.pbx, "status", agent.endpoint, agent.since.wall, agent.status),
        pbx=shard.pbx,
        agent_id=party.id,
        agent_name=party.name,
        agent_endpoint=agent.endpoint,
        status=agent.status,
        reason=agent.reason,
        started=agent.since.wall,
        started_exact=agent.since_exact,
    )


def _write(shard: Shard, agent: Agent) -> None:
    agent.record = _record(shard, agent)
    shard.records.append(agent.record)
    shard.dirty_agents[agent.endpoint] = None


def _close(
    shard: Shard, agent: Agent, at: At, *, exact: bool = True, after: int | None = None
) -> None:
    if agent.record is None:
        return
    until = after if after is not None else at.wall
    if after is not None:
        after = max(after, agent.since.wall)
    length = at.mono - agent.since.mono if exact else max(0, until - agent.since.wall)
    shard.records.append(
        msgspec.structs.replace(
            agent.record,
            ended=at.wall,
            ended_exact=exact,
            ended_after=after,
            length_ms=max(0, length),
        )
    )
    agent.record = None


def due(shard: Shard, mono: int) -> tuple[int, str] | None:
    """The first wrap-up that is over by ``mono``: its time and the agent's endpoint."""
    if mono < shard.wrap_next:
        return None
    first: tuple[int, str] | None = None
    shard.wrap_next = NO_TIME
    for endpoint in shard.wrapping:
        until = shard.agents[endpoint].wrap_until
        if until is None:
            continue
        shard.wrap_next = min(shard.wrap_next, until)
        if until <= mono and (first is None or until < first[0]):
            first = (until, endpoint)
    return first


def wrap_up_over(shard: Shard, endpoint: str, at: At) -> None:
    agent = shard.agents[endpoint]
    agent.wrap_until = None
    shard.wrapping.pop(endpoint, None)
    settle(shard, agent, at)


def resynced(shard: Shard, at: At, lost_wall: int | None) -> None:
    """Everything about members and devices is in: judge each agent once.

    An interval from before the gap goes on where the status is the same; whether it was
    interrupted nobody can say, which is what the gap's own row tells. Otherwise it ended
    somewhere in the gap.
    """
    for endpoint, device in shard.devices.items():
        if shard.directory.is_agent(endpoint) and _room(shard, endpoint):
            get(shard, endpoint).device = device
    for agent in shard.agents.values():
        if agent.wrap_until is not None and agent.wrap_until <= at.mono:
            _forget_wrap_up(shard, agent)
        if not agent.seen:
            agent.members.clear()
        agent.device = shard.devices.get(agent.endpoint, agent.device)
        status, reason = status_of(shard, agent)
        old = shard.old_statuses.pop(agent.endpoint, None)
        if old is not None and not agent.started:
            agent.record = old
            agent.status, agent.reason = AgentStatus(old.status), old.reason
            agent.since = At(at.mono - (at.wall - old.started), old.started)
            agent.since_exact, agent.started = old.started_exact, True
        if agent.started and (status, reason) == (agent.status, agent.reason):
            shard.dirty_agents[agent.endpoint] = None
            continue
        if agent.started:
            _close(shard, agent, at, exact=False, after=lost_wall)
        _forget_wrap_up(shard, agent)
        agent.status, agent.reason = status, reason
        agent.since, agent.since_exact, agent.started = at, False, True
        _write(shard, agent)
    for old in shard.old_statuses.values():
        shard.records.append(
            msgspec.structs.replace(
                old,
                ended=at.wall,
                ended_exact=False,
                ended_after=max(lost_wall or 0, old.started),
                length_ms=max(0, (lost_wall or old.started) - old.started),
            )
        )
    shard.old_statuses.clear()


def _forget_wrap_up(shard: Shard, agent: Agent) -> None:
    """A gap lay in it, so nobody knows how long it was."""
    agent.wrap_until = None
    shard.wrapping.pop(agent.endpoint, None)
    if agent.wrap_call is not None:
        shard.ended_calls.pop(agent.wrap_call, None)
        agent.wrap_call = None


def provenance(agent: Agent) -> Provenance:
    return Provenance.OBSERVED if agent.members or agent.device else Provenance.UNVERIFIED
