"""Commands: permission, then an audit row on disk, then the act, then its outcome.

A command never changes state. Whether it worked is judged by what Asterisk says afterwards.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog
from aiohttp import web

from monitord.ami.gateway import NotDoneError, NotKnownError
from monitord.api import wire
from monitord.api.keys import ATTACHMENTS, AUDIT, GATEWAY, HISTORY, HUB, TELLER, WHO
from monitord.api.problems import Refused, answer, body_of, only
from monitord.api.told import meant
from monitord.audit.entry import Actor, Entry, of_party
from monitord.audit.log import AuditError, AuditLog
from monitord.domain import events as ev
from monitord.domain.state import Shard, Supervision
from monitord.domain.words import LinkState
from monitord.live.hub import Frame, Hub
from monitord.people.audience import concerns
from monitord.people.roster import Rights
from monitord.people.signin import Who
from monitord.told.reasons import NotWrittenError
from monitord.told.rules import Ask

CONFIRM_S = 5.0
"""How long the end of the supervision is waited for."""

_NOT_CONFIRMED = (
    "The PBX accepted it, but the supervision goes on. That happens while the agent's telephone "
    "sends no sound (muted, on hold, a broken line): Asterisk then lets go only when sound comes "
    "again or the call ends."
)


_DROPS = (
    "the supervisor has taken the call over, so a disconnect drops the customer as well; "
    "say so with drops_customer"
)


async def disconnect(request: web.Request) -> web.Response:
    only(request)
    body = await body_of(request, wire.Disconnect)
    shard, supervision = await _running(request)
    who, supervision_id = request[WHO], supervision.id
    if shard.link is not LinkState.LIVE:
        raise Refused(409, "the PBX cannot be reached now, so nothing can be disconnected on it")
    if supervision.took_over and not body.drops_customer:
        raise Refused(409, _DROPS, "drops_customer")
    if supervision.disconnect_pending or supervision_id in request.app[ACTS]:
        raise Refused(409, "a disconnect of this supervision is already on its way")

    reason = None if body.reason is None else meant(body.reason, "reason")
    if reason is None and _asks(request.app, supervision) == "required":
        raise Refused(400, "must be given; this site wants a reason for every disconnect", "reason")
    act = _begin(
        *(request.app, who, shard, supervision),
        drops_customer=body.drops_customer,
        reason=reason,
    )
    return answer(await asyncio.shield(act))


async def terms(request: web.Request) -> web.Response:
    """Whether a reason is asked for, before anything is done."""
    only(request)
    _, supervision = await _running(request)
    return answer(wire.DisconnectTerms(_asks(request.app, supervision)))


async def _running(request: web.Request) -> tuple[Shard, Supervision]:
    """The supervision that is asked about, if it runs and may be disconnected by the one who
    asks."""
    who, supervision_id = request[WHO], request.match_info["id"]
    found = request.app[HUB].supervision(supervision_id)
    if found is None:
        past = await request.app[HISTORY].supervision(supervision_id)
        if past is None or not concerns(
            who.rights.on("history.see"), past[0].agent_id, past[0].supervisor_id
        ):
            raise Refused(404, "there is no such supervision", "id")
        raise Refused(409, "this supervision has already ended", "id")
    _check_scope(who, found[1])
    return found


def _asks(app: web.Application, supervision: Supervision) -> Ask:
    row = supervision.record
    return "never" if row is None else app[TELLER].says(row).ask


POLICY = Who("monitord:policy", "monitord (policy)", Rights("monitord:policy", {}))
"""Who ends a supervision where the site says so. No person's id has a colon."""


async def end_by_policy(
    app: web.Application, supervision_id: str, drops_customer: bool
) -> tuple[bool, str]:
    """End a supervision that its supervisor had no right to. Gives whether Asterisk has confirmed
    it, and what there is to say of it in plain words."""
    found = app[HUB].supervision(supervision_id)
    if found is None:
        return True, "It had ended by itself."
    shard, supervision = found
    act = app[ACTS].get(supervision_id)
    if act is None and supervision.disconnect_pending:
        return False, "A disconnect was on its way already."
    if act is None:
        act = _begin(app, POLICY, shard, supervision, drops_customer=drops_customer)
    try:
        outcome = await asyncio.shield(act)
    except Refused as refused:
        return False, f"{str(refused)[:1].upper()}{str(refused)[1:]}."
    return outcome.outcome == "confirmed", f"{outcome.why[:1].upper()}{outcome.why[1:]}"


def _begin(
    app: web.Application,
    who: Who,
    shard: Shard,
    supervision: Supervision,
    *,
    drops_customer: bool,
    reason: str | None = None,
) -> asyncio.Task[wire.DisconnectOutcome]:
    """In its place before anything is waited for, so that two who ask at once do not both get it.
    It is done to the end even if the person who asked closes the page."""
    act = asyncio.create_task(
        _act(app, who, shard, supervision, drops_customer=drops_customer, reason=reason)
    )
    app[ACTS][supervision.id] = act
    act.add_done_callback(lambda _: app[ACTS].pop(supervision.id, None))
    return act


def _check_scope(who: Who, supervision: Supervision) -> None:
    """Whoever may not see a supervision is not told that there is one."""
    view = supervision.view
    assert view is not None  # open, so it is shown to somebody
    both = (view.agent.id if view.agent is not None else None, view.supervisor.id)
    if not concerns(who.rights.on("supervision.see"), *both):
        raise Refused(404, "there is no such supervision", "id")
    if not concerns(who.rights.on("supervision.disconnect"), *both):
        raise Refused(403, "you may not disconnect a supervision of this agent")


ACTS = web.AppKey("acts", dict[str, asyncio.Task[wire.DisconnectOutcome]])
"""Commands under way, by the supervision."""

FINISH_S = 12.0
"""How long a stop waits for them: two questions to the PBX, CONFIRM_S, and two rows."""


async def finish(app: web.Application) -> None:
    """At the daemon's stop, while the PBXs are still attached: let what was begun end, so that its
    outcome stands in the audit log."""
    acts = list(app[ACTS].values())
    if not acts:
        return
    _, left = await asyncio.wait(acts, timeout=FINISH_S)
    if left:
        structlog.get_logger("audit").error("commands_left", commands=len(left))


async def _act(
    app: web.Application,
    who: Who,
    shard: Shard,
    supervision: Supervision,
    *,
    drops_customer: bool,
    reason: str | None,
) -> wire.DisconnectOutcome:
    audit = app[AUDIT]
    view = supervision.view
    assert view is not None  # open, so it is shown to somebody
    entry = Entry(
        action="disconnect",
        actor=Actor(who.id, who.name),
        target=supervision.id,
        plain={
            "pbx": shard.pbx,
            "channel": supervision.spyer,
            "type": supervision.segments[-1].type,
        },
        personal=(
            *of_party("supervisor", view.supervisor),
            *of_party("agent", view.agent),
        ),
    )
    try:
        if reason is not None:
            now = time.time_ns() // 1_000_000
            reasons = app[TELLER].reasons
            await reasons.give(supervision.id, "disconnect", reason, (who.id, who.name), now)
        row = await audit.write(entry)
    except (AuditError, NotWrittenError):
        raise Refused(
            503, "nothing can be disconnected while the audit log cannot be written"
        ) from None
    if app[HUB].supervision(supervision.id) is None:
        # While the row was written. The same channel may be in another supervision by now, whose
        # end nobody asked for.
        outcome = wire.DisconnectOutcome("confirmed", "It had ended by itself.")
    elif supervision.took_over and not drops_customer:
        outcome = wire.DisconnectOutcome("refused", _DROPS)  # since it was asked for
    else:
        outcome = await _carry_out(app, who, shard.pbx, supervision)
    await _write_outcome(audit, who, supervision.id, outcome, row)
    return outcome


async def _carry_out(
    app: web.Application, who: Who, pbx: str, supervision: Supervision
) -> wire.DisconnectOutcome:
    hub, attachment = app[HUB], app[ATTACHMENTS][pbx]
    supervision_id = supervision.id
    refused = False
    ended, stop = _end_of(hub, supervision_id)
    attachment.offer(ev.DisconnectSent(supervision_id, who.id, who.name))
    try:
        segment = supervision.open_segment
        bridge = supervision.bridge if segment is not None and segment.in_bridge else None
        await app[GATEWAY].hang_up_spyer(pbx, supervision.spyer, bridge)
        async with asyncio.timeout(CONFIRM_S):
            await ended
        return wire.DisconnectOutcome("confirmed", "")
    except NotKnownError as error:
        return wire.DisconnectOutcome("not_confirmed", str(error))
    except NotDoneError as error:
        if hub.supervision(supervision_id) is None:
            return wire.DisconnectOutcome("confirmed", "It had ended by itself.")
        refused = True
        return wire.DisconnectOutcome("refused", str(error))
    except TimeoutError:
        return wire.DisconnectOutcome("not_confirmed", _NOT_CONFIRMED)
    finally:
        stop()
        attachment.offer(ev.DisconnectSettled(supervision_id, refused))


async def _write_outcome(
    audit: AuditLog,
    who: Who,
    supervision_id: str,
    outcome: wire.DisconnectOutcome,
    row: int,
) -> None:
    try:
        await audit.write(
            Entry(
                action="disconnect outcome",
                actor=Actor(who.id, who.name),
                target=supervision_id,
                plain={"outcome": outcome.outcome, "why": outcome.why},
                about=row,
            )
        )
    except AuditError as error:
        # The act itself stands in the log; that its outcome does not is said here.
        structlog.get_logger("audit").error("outcome_not_written", row=row, why=str(error))


def _end_of(hub: Hub, supervision_id: str) -> tuple[asyncio.Future[None], Callable[[], None]]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def look(frame: Frame) -> None:
        over = any(c.id == supervision_id and c.new is None for c in frame.changes)
        if over and not future.done():
            future.set_result(None)

    return future, hub.listen(look)
