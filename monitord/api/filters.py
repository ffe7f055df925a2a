"""The filters of the history, from the query string: which ledger has which, and their bounds."""

from __future__ import annotations

from aiohttp import web

from monitord.api.keys import AUDIT
from monitord.api.problems import Refused, one_of, only, text, whole
from monitord.domain.words import AgentStatus, Direction, EndReason, SpyType
from monitord.people.sight import Sight
from monitord.store.filters import Query

ROWS_MOST = 500
LATEST = 1 << 52

RANGE = ("begin", "end", "pbx")
FILTERS: dict[str, tuple[str, ...]] = {
    "supervisions": (
        *RANGE,
        "supervisor",
        "agent",
        "campaign",
        "type",
        "possible",
        "call",
        "end_reason",
        "reason",
    ),
    "calls": (
        *RANGE,
        "agent",
        "campaign",
        "list",
        "result",
        "queue",
        "number",
        "direction",
        "call",
    ),
    "agent-status": (*RANGE, "agent", "status"),
    "gaps": RANGE,
}
"""By ledger. An export and a count take the same ones as the list."""

PAGING = ("limit", "cursor")


def filters_of(request: web.Request, ledger: str) -> dict[str, str]:
    """As they were given, for the audit log and for an export's file."""
    return {k: v for k, v in request.query.items() if k in FILTERS[ledger]}


def query_of(request: web.Request, ledger: str, sight: Sight, *others: str) -> Query:
    """The rows that are asked for, of those that may be read; ``others`` are parameters that the
    handler reads itself.

    Raises:
        Refused: a parameter is unknown, given twice, or breaks its rule.
    """
    only(request, *FILTERS[ledger], *others)
    if not sight.numbers and "number" in request.query:
        # Or whoever tries some numbers sees which of them is behind a masked one.
        raise Refused(403, "you may not see numbers, so not search by them", "number")
    begin, end = whole(request, "begin", 0, LATEST), whole(request, "end", 0, LATEST)
    if begin is not None and end is not None and begin >= end:
        raise Refused(400, "must be later than begin", "end")
    number = text(request, "number")
    kind = one_of(request, "type", SpyType)
    possible = one_of(request, "possible", ("true", "false")) == "true"
    if possible and kind is None:
        raise Refused(400, "goes with a type", "possible")
    return Query(
        limit=whole(request, "limit", 1, ROWS_MOST) or 50,
        cursor=text(request, "cursor"),
        begin=begin,
        end=end,
        pbx=text(request, "pbx"),
        supervisor=text(request, "supervisor"),
        agent=text(request, "agent"),
        type=kind,
        possible=possible,
        campaign=text(request, "campaign"),
        list=text(request, "list"),
        result=text(request, "result"),
        queue=text(request, "queue"),
        number=number,
        number_erased=None if number is None else request.app[AUDIT].keys.number(number),
        direction=one_of(request, "direction", Direction),
        status=one_of(request, "status", AgentStatus),
        end_reason=one_of(request, "end_reason", EndReason),
        unanswered=one_of(request, "reason", ("missing",)) is not None,
        alias=text(request, "call"),
        within=sight.reach.people,
    )
