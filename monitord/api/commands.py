"""Commands: permission, then an audit row on disk, then the act, then its outcome.

A command never changes state. Whether it worked is judged by what Asterisk says afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import web
from msgspec import Struct

from monitord.ami.gateway import NotDoneError
from monitord.api import wire
from monitord.api.keys import ATTACHMENTS, AUDIT, GATEWAY, HISTORY, HUB, needs
from monitord.api.problems import Refused, answer, body_of, only
from monitord.audit.log import AuditError, AuditLog
from monitord.domain import events as ev
from monitord.domain.words import LinkState
from monitord.live.hub import Frame, Hub
from monitord.people.signin import Account

CONFIRM_S = 5.0
"""How long the end of the supervision is waited for."""

_NOT_CONFIRMED = (
    "The PBX accepted it, but the supervision goes on. That happens while the agent's telephone "
    "sends no sound (muted, on hold, a broken line): Asterisk then lets go only when sound comes "
    "again or the call ends."
)


class _Empty(Struct, frozen=True, forbid_unknown_fields=True):
    pass


async def disconnect(request: web.Request) -> web.Response:
    account = needs(request, "supervision.disconnect")
    only(request)
    await body_of(request, _Empty)
    hub = request.app[HUB]
    supervision_id = request.match_info["id"]
    found = hub.supervision(supervision_id)
    if found is None:
        if await request.app[HISTORY].supervision(supervision_id) is None:
            raise Refused(404, "there is no such supervision", "id")
        raise Refused(409, "this supervision has already ended", "id")
    shard, supervision = found
    if shard.link is not LinkState.LIVE:
        raise Refused(409, "the PBX cannot be reached now, so nothing can be disconnected on it")
    if supervision.disconnect_pending:
        raise Refused(409, "a disconnect of this supervision is already on its way")

    audit = request.app[AUDIT]
    detail = {
        "pbx": shard.pbx,
        "channel": supervision.spyer,
        "supervisor": supervision.supervisor,
        "agent": supervision.agent,
        "type": supervision.segments[-1].type,
    }
    try:
        row = await audit.write(
            actor_id=account.id,
            actor_name=account.name,
            action="disconnect",
            target=supervision_id,
            detail=detail,
        )
    except AuditError:
        raise Refused(
            503, "nothing can be disconnected while the audit log cannot be written"
        ) from None

    # From here on it is done to the end even if the person who asked closes the page.
    act = asyncio.create_task(
        _carry_out(request.app, account, shard.pbx, supervision_id, supervision.spyer, row)
    )
    request.app[ACTS].add(act)
    act.add_done_callback(request.app[ACTS].discard)
    return answer(await asyncio.shield(act))


ACTS = web.AppKey("acts", set[asyncio.Task[wire.DisconnectOutcome]])
"""Commands under way."""


async def _carry_out(
    app: web.Application,
    account: Account,
    pbx: str,
    supervision_id: str,
    spyer: str,
    row: int,
) -> wire.DisconnectOutcome:
    hub, attachment = app[HUB], app[ATTACHMENTS][pbx]
    ended, stop = _end_of(hub, supervision_id)
    attachment.offer(ev.DisconnectSent(supervision_id, account.id, account.name))
    try:
        await app[GATEWAY].hang_up_spyer(pbx, spyer)
        await asyncio.wait_for(asyncio.shield(ended), CONFIRM_S)
        outcome = wire.DisconnectOutcome("confirmed", "")
    except NotDoneError as error:
        gone = hub.supervision(supervision_id) is None
        outcome = (
            wire.DisconnectOutcome("confirmed", "It had ended by itself.")
            if gone
            else wire.DisconnectOutcome("refused", str(error))
        )
    except TimeoutError:
        outcome = wire.DisconnectOutcome("not_confirmed", _NOT_CONFIRMED)
    finally:
        stop()
        attachment.offer(ev.DisconnectSettled(supervision_id))
    await _write_outcome(app[AUDIT], account, supervision_id, outcome, row)
    return outcome


async def _write_outcome(
    audit: AuditLog,
    account: Account,
    supervision_id: str,
    outcome: wire.DisconnectOutcome,
    row: int,
) -> None:
    try:
        await audit.write(
            actor_id=account.id,
            actor_name=account.name,
            action="disconnect outcome",
            target=supervision_id,
            detail={"outcome": outcome.outcome, "why": outcome.why},
            about=row,
        )
    except AuditError as error:
        # The act itself stands in the log; that its outcome does not is said here.
        structlog.get_logger("audit").error("outcome_not_written", row=row, why=str(error))


def _end_of(hub: Hub, supervision_id: str) -> tuple[asyncio.Future[None], Callable[[], None]]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def look(frame: Frame) -> None:
        if ("supervision", supervision_id) in frame.removed and not future.done():
            future.set_result(None)

    return future, hub.listen(look)
