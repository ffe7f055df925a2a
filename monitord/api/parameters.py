"""The query strings' parameters as schemas. ``api.filters`` and the handlers hold to the same
bounds; the tests send what these schemas make."""

from __future__ import annotations

from typing import Any

from monitord.api.filters import FILTERS, LATEST, PAGING, ROWS_MOST
from monitord.api.route import Parameter
from monitord.domain.words import (
    AgentStatus,
    AuditKind,
    CommitmentState,
    Direction,
    EndReason,
    FlagState,
    Polarity,
    ReviewPattern,
    SpyType,
)
from monitord.store.choices import SOURCES


def _whole(low: int, high: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high}


def text(most: int = 300) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most, "pattern": "^[^\\x00-\\x1f]+$"}


def words(some: Any) -> dict[str, Any]:
    return {"type": "string", "enum": [str(word) for word in some]}


_FILTERS = {
    p.name: p
    for p in (
        Parameter("begin", _whole(0, LATEST), "still ran after it, ms UTC"),
        Parameter("end", _whole(0, LATEST), "started before it, ms UTC; later than begin"),
        Parameter("pbx", text(), "id of the PBX"),
        Parameter("supervisor", text(), "id of the supervisor"),
        Parameter("agent", text(), "id of the agent"),
        Parameter("campaign", text(), "of any call under it"),
        Parameter("type", words(SpyType), "as the row shows it"),
        Parameter(
            "possible", words(("true", "false")), "with a type: also what may have been of it"
        ),
        Parameter("call", text(), "Call ID, or any linkedid or uniqueid seen for the call"),
        Parameter("end_reason", words(EndReason)),
        Parameter(
            "reason", words(("missing",)), "the supervisor was asked for a reason and gave none"
        ),
        Parameter("list", text()),
        Parameter("result", text()),
        Parameter("queue", text()),
        Parameter("number", text(), "as it is kept; needs number.see"),
        Parameter("direction", words(Direction)),
        Parameter("status", words(AgentStatus)),
        Parameter("limit", _whole(1, ROWS_MOST), "rows of a page; 50 where it is not given"),
        Parameter("cursor", text(), "next of the page before"),
    )
}


def filters(ledger: str) -> tuple[Parameter, ...]:
    return tuple(_FILTERS[name] for name in FILTERS[ledger])


def paged(ledger: str) -> tuple[Parameter, ...]:
    return (*filters(ledger), *(_FILTERS[name] for name in PAGING))


def exported(ledger: str) -> tuple[Parameter, ...]:
    form = Parameter("format", words(("csv", "json")), required=True)
    zone = Parameter("zone", text(64), "time zone of a CSV's instants, such as Europe/Berlin")
    rows = Parameter("rows", words(("supervisions", "segments")), "what a row of a CSV is")
    return (*filters(ledger), form, zone, *([rows] if ledger == "supervisions" else []))


def choices(most: int) -> tuple[Parameter, ...]:
    ledgers = dict.fromkeys(ledger for ledger, _ in SOURCES)
    fields = dict.fromkeys(name for _, name in SOURCES)
    return (
        Parameter("ledger", words(ledgers), required=True),
        Parameter("filter", words(fields), "one that the ledger has", required=True),
        Parameter("typed", text(100), "part of the name or of the value"),
        Parameter("value", text(), "exactly this one, for its name; not with typed"),
        Parameter("limit", _whole(1, most)),
    )


ZONE = Parameter("zone", text(64), "time zone, such as Europe/Berlin; UTC where it is not given")
ALERTS = (
    Parameter("open", words(("true", "false")), "only those that nobody has acknowledged"),
    Parameter("limit", _whole(1, 200), "rows of a page; 50 where it is not given"),
    Parameter("cursor", text(80), "next of the page before"),
)
NOTICES = (
    Parameter("limit", _whole(1, 200), "rows of a page; 50 where it is not given"),
    Parameter("cursor", text(60), "next of the page before"),
)
MY_FLAGS = NOTICES
TICKET = (Parameter("ticket", text(), "from the answer to its plays", required=True),)
_FLAG_FILTERS = (
    Parameter("agent", text(), "id of the agent"),
    Parameter("leader", text(), "id of somebody: flags on their direct reports"),
    Parameter("by", text(), "id of who made it"),
    Parameter("call", text(), "Call ID, or any linkedid or uniqueid seen for the call"),
    Parameter("state", words(FlagState)),
    Parameter("polarity", words(Polarity)),
    Parameter("theme", text(40), "id of the theme"),
    Parameter("begin", _whole(0, LATEST), "made since then, ms UTC"),
    Parameter("end", _whole(0, LATEST), "made before it, ms UTC; later than begin"),
)
FLAGS = (*_FLAG_FILTERS, *NOTICES)
FLAGS_EXPORT = (
    *_FLAG_FILTERS,
    Parameter("format", words(("csv", "json")), required=True),
    Parameter("zone", text(64), "time zone of a CSV's instants, such as Europe/Berlin"),
)
REVIEWS = (
    ZONE,
    Parameter("leader", text(), "id of somebody: their direct reports; else one's own"),
)
REVIEW_PLAN = (
    ZONE,
    Parameter("pattern", words(ReviewPattern), "another than the agent's"),
)
COMMITMENTS = (Parameter("state", words(CommitmentState)),)
TEAM = (ZONE,)
BALANCE = (
    ZONE,
    Parameter("weeks", _whole(1, 26), "how many, the running one included; 8 where not given"),
    Parameter("leader", text(), "id of somebody: flags on their direct reports"),
)
_TRUE = words(("true", "false"))
PEOPLE = (
    Parameter("text", text(100), "part of a name, an id or an endpoint"),
    Parameter("team", text(64)),
    Parameter("leader", text(64)),
    Parameter("active", _TRUE),
    Parameter("limit", _whole(1, 2_000), "rows of a page"),
    Parameter("cursor", text(64), "next of the page before"),
)
PROPOSALS = (
    Parameter("dismissed", _TRUE, "those that were dismissed"),
    Parameter("text", text(100), "part of the endpoint or of its name"),
    Parameter("limit", _whole(1, 5_000)),
)
SHEET = (
    ZONE,
    Parameter("new_teams", _TRUE, "make teams that are not there yet"),
)
SHEET_TOKEN = Parameter("token", text(64), "of the preview", required=True)
AUDIT = (
    Parameter("begin", _whole(0, LATEST), "written at it or after, ms UTC"),
    Parameter("end", _whole(0, LATEST), "written before it, ms UTC; later than begin"),
    Parameter("kind", words(AuditKind), "of the act"),
    Parameter("actor", text(), "id of who did it, or the pseudonym of somebody erased"),
    Parameter("person", text(), "the same of who did it or whom it concerns"),
    Parameter("number", text(), "of a customer, whole; needs number.see"),
    Parameter("target", text(), "id of a thing"),
    Parameter("supervision", text(100), "id of one: all about it and its parts"),
)
AUDIT_PAGED = (
    *AUDIT,
    Parameter("folded", _TRUE, "of all that was observed of one thing only the last"),
    Parameter("limit", _whole(1, ROWS_MOST), "rows of a page; 50 where it is not given"),
    Parameter("cursor", _whole(1, LATEST), "next of the page before"),
)
AUDIT_PEOPLE = (
    Parameter("typed", text(100), "part of the name or of the id"),
    Parameter("value", text(), "exactly this one, for their name; not with typed"),
    Parameter("limit", _whole(1, 50)),
)
