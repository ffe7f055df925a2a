"""The table of routes: what there is, who may use it, what it takes and gives.

The application, ``docs/openapi.json`` and ``docs/rights.md`` are made from it.
"""

from __future__ import annotations

from pathlib import Path

from monitord.api import (
    alerts,
    audit_routes,
    calls,
    coaching_routes,
    commands,
    export,
    flag_routes,
    history,
    never,
    openapi,
    page,
    parameters,
    privacy_routes,
    recordings,
    roster_routes,
    score_routes,
    session,
    sign_in_routes,
    team,
    told,
    views,
    wire,
)
from monitord.api.route import Handler, Route
from monitord.domain.views import Alert

_ID = "{id:[0-9a-f]{20}}"
_N = "{n:[0-9]{1,3}}"
_ALERT = r"{id:[0-9a-f]{20}(?:\.[a-z-]{4,13}){1,2}}"


def api(stream: Handler) -> tuple[Route, ...]:
    """One line for one route, by subject; ``stream`` is the websocket's handler."""
    # fmt: off
    return (
        Route("POST", "/api/v1/session", "open", session.sign_in, "sign in with a password", body=wire.SignIn, gives=wire.Me),
        Route("DELETE", "/api/v1/session", "open", session.sign_out, "sign out", status=204),
        Route("GET", "/api/v1/session", "session", session.who, "who is signed in; 401 where nobody is", gives=wire.Me),
        Route("GET", "/api/v1/openapi.json", "session", openapi.show, "this document", content={"application/json": {"type": "object"}}),
        Route("GET", "/api/v1/stream", "agent.see", stream, "the live stream: a websocket, whose messages are ServerFrame and ClientMessage", status=101, head=False),

        Route("GET", "/api/v1/supervisions", "history.see", history.supervisions, "a page of past and running supervisions, newest first", parameters.paged("supervisions"), gives=wire.SupervisionPage),
        Route("GET", f"/api/v1/supervisions/{_ID}", "history.see", history.supervision, "one supervision with its segments", gives=wire.SupervisionDetail),
        Route("POST", f"/api/v1/supervisions/{_ID}/disconnect", "supervision.disconnect", commands.disconnect, "Disconnect User", body=wire.Disconnect, gives=wire.DisconnectOutcome),
        Route("GET", f"/api/v1/supervisions/{_ID}/disconnect/terms", "supervision.disconnect", commands.terms, "what a Disconnect User of it takes", gives=wire.DisconnectTerms),
        Route("POST", f"/api/v1/supervisions/{_ID}/reason", "reason.give", told.give_reason, "say why one supervised, or correct it", body=wire.ReasonGiven, gives=wire.Reason),
        Route("GET", "/api/v1/questions", "reason.give", told.questions, "one's own supervisions whose reason is asked for and not given", gives=wire.Questions),
        Route("GET", "/api/v1/notices", "notice.see", told.notices, "a page of what one was told of supervisions on oneself, newest first", parameters.NOTICES, gives=wire.NoticePage),
        Route("GET", "/api/v1/alerts", "alert.see", alerts.alerts, "a page of alerts, newest first", parameters.ALERTS, gives=wire.AlertPage),
        Route("POST", f"/api/v1/alerts/{_ALERT}/acknowledge", "alert.see", alerts.acknowledge, "take note of an alert", body=wire.Acknowledge, gives=Alert),
        Route("GET", "/api/v1/never-monitor", "privacy.see", never.entries, "whom nobody may listen to, the first put there first", gives=wire.NeverMonitorList),
        Route("POST", "/api/v1/never-monitor", "privacy.edit", never.add, "put a person or a customer's number there", body=wire.NeverMonitorNew, gives=wire.NeverMonitorEntry, status=201),
        Route("DELETE", f"/api/v1/never-monitor/{_ID}", "privacy.edit", never.remove, "take one away", status=204),
        Route("GET", "/api/v1/team", "team.see", team.team, "agents in one's reach with what today's ledgers say of them", parameters.TEAM, gives=wire.TeamView),
        Route("GET", "/api/v1/views", "supervision.see", views.views, "saved views: one's own and those that are shared", gives=wire.Views),
        Route("PUT", "/api/v1/views", "supervision.see", views.put_views, "save one's own views, or choose those that pages open with", body=wire.PutViews, gives=wire.Views),

        Route("GET", "/api/v1/calls", "history.see", history.calls, "a page of calls, newest first", parameters.paged("calls"), gives=wire.CallPage),
        Route("GET", f"/api/v1/calls/{_ID}", "history.see", calls.call, "one call: who supervised it, what its agent's telephone did, its flags", gives=wire.CallDetail),
        Route("POST", f"/api/v1/calls/{_ID}/recordings/{_N}/plays", "recording.play", recordings.play, "begin to play a recording of a call", gives=wire.Play),
        Route("GET", f"/api/v1/calls/{_ID}/recordings/{_N}", "recording.play", recordings.sound, "the sound of a recording, whole or a range of it", parameters.TICKET, content=recordings.CONTENT),
        Route("GET", "/api/v1/agent-status", "history.see", history.statuses, "a page of agents' status, newest first", parameters.paged("agent-status"), gives=wire.StatusPage),
        Route("GET", "/api/v1/gaps", "history.see", history.gaps, "times in which a PBX could not be seen", parameters.paged("gaps"), gives=wire.GapPage),
        Route("GET", "/api/v1/history/choices", "history.see", history.choices, "what a filter of the history can be set to", parameters.choices(history.CHOICES_MOST), gives=wire.Choices),
        *(Route("GET", f"/api/v1/{name}/count", "history.see", history.count_of(name), "how many rows fit the filters", parameters.filters(name), gives=wire.Count) for name in history.LEDGERS),
        *(Route("GET", f"/api/v1/{name}/export", ("history.see", "history.export"), export.export_of(name), "all rows that fit the filters, as a file", parameters.exported(name), content=openapi.export_of(name), head=False) for name in history.LEDGERS),
        *flag_routes.ROUTES,
        *coaching_routes.ROUTES,
        *score_routes.ROUTES,
        *roster_routes.ROUTES,
        *sign_in_routes.ROUTES,
        *privacy_routes.ROUTES,
        *audit_routes.ROUTES,
    )
    # fmt: on


def pages(folder: Path) -> tuple[Route, ...]:
    return tuple(Route("GET", path, "page", handler) for path, handler in page.routes(folder))
