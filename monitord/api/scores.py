"""Customers' scores over HTTP: sent in, shown, and beside the flags."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from monitord.api import wire
from monitord.api.keys import AUDIT, PEOPLE, SCORES, WHO, needs
from monitord.api.problems import Refused, answer, body_of, only, text, whole
from monitord.api.viewing import viewed
from monitord.api.zone import zone_of
from monitord.audit.entry import Actor, Entry, Of, of_person
from monitord.csat.rules import Scale, ScoreError, score_of, time_fault
from monitord.csat.store import (
    FullError,
    Given,
    Named,
    NotWrittenError,
    Outcome,
    OutOfReachError,
    Sender,
)
from monitord.csat.timing import NONE, SCORED_FROM, Timing, mostly_after, timings
from monitord.domain.ledger import CallRecord, ScoreRecord
from monitord.domain.words import ScoreSource
from monitord.flags.balance import WEEKS, WEEKS_MOST, week_bounds
from monitord.flags.store import FlagRow
from monitord.people.roster import Reach, Roster
from monitord.people.store import PeopleError

BUSY = "the database does not take it now; nothing was changed"
FULL = "too many scores wait for a call that is not known; see Settings > Scores"


# --- reading ---------------------------------------------------------------------------------


async def scores_of(request: web.Request, call: CallRecord) -> list[wire.ScoreShown]:
    """Of a call, as whoever asks may see them."""
    if call.agent_id not in request[WHO].rights.on("csat.see"):
        return []
    return [shown(row) for row in await request.app[SCORES].store.of_call(call.id)]


def shown(row: ScoreRecord) -> wire.ScoreShown:
    by = None
    if row.by_id is not None:
        by = wire.PersonNamed(row.by_id, row.by_name or row.by_id)
    return wire.ScoreShown(
        *(row.id, row.value / 100, row.low, row.high, row.at, row.received, row.source, by)
    )


async def after_scores(request: web.Request, flags: list[FlagRow]) -> dict[str, bool]:
    """By flag, whether it was made when its call's first score had come. Of those on agents whose
    scores whoever asks may see, where the call has a score."""
    reach = request[WHO].rights.on("csat.see")
    some = [flag for flag in flags if flag.agent_id in reach]
    if not some:
        return {}
    first = await request.app[SCORES].store.first_received(flag.call for flag in some)
    return {flag.id: flag.made > first[flag.call] for flag in some if flag.call in first}


async def flags_after(request: web.Request) -> web.Response:
    """``zone``: whose Monday a week begins on."""
    rights = request[WHO].rights
    reach = rights.on("flag.see") & rights.on("csat.see")
    only(request, "zone", "weeks", "leader")
    zone, leader = zone_of(request), text(request, "leader")
    weeks = whole(request, "weeks", 1, WEEKS_MOST) or WEEKS
    await viewed(request, "flags after scores", {} if leader is None else {"person": leader})
    now = now_ms()
    bounds = week_bounds(now, zone, weeks)
    roster, scores = request.app[PEOPLE].roster, request.app[SCORES]
    if leader is not None:
        led = frozenset(p.id for p in roster.people.values() if p.leader == leader)
        reach = reach & Reach(led)
    await scores.caught_up()
    found = timings(await scores.counts.flags(reach.people, bounds), weeks)
    leaders: dict[str, tuple[Timing, ...]] = {}
    for agent, own in found.agents.items():
        person = roster.people.get(agent)
        if person is not None and person.leader is not None:
            before = leaders.get(person.leader, (NONE,) * weeks)
            leaders[person.leader] = tuple(a + b for a, b in zip(before, own, strict=True))
    return answer(
        wire.FlagsAfterScores(
            at=now,
            weeks=bounds[:-1],
            judged_from=SCORED_FROM,
            total=_counts(found.weeks),
            agents=_by_name(roster, found.agents),
            authors=_by_name(roster, found.authors),
            leaders=_by_name(roster, leaders),
        )
    )


def _by_name(roster: Roster, some: Mapping[str, tuple[Timing, ...]]) -> list[wire.ScoredOn]:
    people = roster.people
    names = {who: people[who].name if who in people else who for who in some}
    found = []
    for who in sorted(some, key=lambda who: (names[who].casefold(), who)):
        total = sum(some[who], NONE)
        found.append(
            wire.ScoredOn(
                wire.PersonNamed(who, names[who]),
                _counts(some[who]),
                wire.ScoredCount(total.scored, total.after),
                mostly_after(total),
            )
        )
    return found


def _counts(some: Iterable[Timing]) -> list[wire.ScoredCount]:
    return [wire.ScoredCount(one.scored, one.after) for one in some]


# --- writing ---------------------------------------------------------------------------------


async def give(request: web.Request) -> web.Response:
    who = needs(request, "csat.give")
    only(request)
    body = await body_of(request, wire.ScoreNew)
    scores, now = request.app[SCORES], now_ms()
    try:
        value = score_of(str(body.score), scores.scale.now)
    except ScoreError as error:
        raise Refused(400, str(error), "score") from None
    if body.at is not None and (fault := time_fault(body.at, now)):
        raise Refused(400, fault, "at")
    given = Given(call=body.call, value=value, at=body.at, reference=body.reference)
    reach = who.rights.on("csat.give")
    await scores.caught_up()
    try:
        (outcome,) = await scores.store.give(
            [given],
            sender_of(request, ScoreSource.API, now),
            may=MayGive(reach),
            entries=lambda outcomes: [_said(request, one) for one in outcomes if _kept(one)],
        )
    except OutOfReachError:
        raise Refused(404, "there is no such call", "call") from None
    except FullError:
        raise Refused(409, FULL, "call") from None
    except NotWrittenError:
        raise Refused(503, BUSY) from None
    if outcome.what == "other value":
        field = "at" if body.reference is None else "reference"
        raise Refused(409, "the call has another score under it already", field)
    call = outcome.row.call
    return answer(
        wire.ScoreGiven(outcome.what, call, shown(outcome.row)),
        200 if outcome.what == "repeated" else 201,
    )


def sender_of(request: web.Request, source: ScoreSource, now: int) -> Sender:
    who = request[WHO]
    return Sender(
        who=Actor(who.id, who.name),
        source=source,
        scale=request.app[SCORES].scale.now,
        received=now,
    )


class MayGive:
    """Whether whoever reaches these may give a score to a call; to one that is not known only who
    reaches everybody, since nobody can say whose it will be."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def __call__(self, call: Named | None) -> bool:
        return (None if call is None else call.agent_id) in self._reach


def _kept(outcome: Outcome) -> bool:
    return outcome.what in ("new", "newer", "waiting")


def _said(request: web.Request, outcome: Outcome) -> Entry:
    who, call, row = request[WHO], outcome.call, outcome.row
    values = {"score": row.value / 100, "low": row.low, "high": row.high, "given": row.given}
    personal: tuple[Of, ...] = ()
    if call is not None and call.agent_id is not None:
        values["call_id"] = call.call_id
        personal = (of_person(call.agent_id, agent=call.agent_name, **values),)
    return Entry(
        action="give score",
        actor=Actor(who.id, who.name),
        target=row.id,
        plain={"what": outcome.what} if personal else {"what": outcome.what, **values},
        personal=personal,
    )


# --- the scale -------------------------------------------------------------------------------


async def settings(request: web.Request) -> web.Response:
    needs(request, "csat.set")
    only(request)
    return answer(await _settings(request))


async def put_settings(request: web.Request) -> web.Response:
    """Scores that are there keep the scale on which they were given."""
    who = needs(request, "csat.set")
    only(request)
    body = await body_of(request, wire.ScoreSettingsPut)
    scores, audit = request.app[SCORES], request.app[AUDIT]
    new, old = Scale(body.low, body.high), scores.scale.now
    if fault := new.fault():
        raise Refused(400, fault, "high")
    plain = {"low": new.low, "high": new.high, "was_low": old.low, "was_high": old.high}
    entry = Entry(action="change score scale", actor=Actor(who.id, who.name), plain=plain)

    async def said(connection: AsyncConnection) -> None:
        await audit.append(connection, [entry])

    try:
        await scores.scale.put(new, said)
    except PeopleError:
        raise Refused(503, BUSY) from None
    return answer(await _settings(request))


async def _settings(request: web.Request) -> wire.ScoreSettingsShown:
    scores = request.app[SCORES]
    tied, waiting = await scores.store.count()
    return wire.ScoreSettingsShown(
        low=scores.scale.now.low,
        high=scores.scale.now.high,
        waiting=waiting,
        tied=tied,
        refused=scores.intake.refused,
        refused_why=scores.intake.refused_why,
    )


def now_ms() -> int:
    return time.time_ns() // 1_000_000
