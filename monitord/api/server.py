"""The HTTP application: routes, and what holds for every answer."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from aiohttp import WSCloseCode, web
from aiohttp.web_protocol import ERROR

from monitord.alerts.never import NeverMonitor
from monitord.alerts.watch import Watch
from monitord.ami.attachment import Attachment
from monitord.ami.gateway import Gateway
from monitord.api import (
    commands,
    edge,
    export,
    failures,
    keys,
    listen,
    openapi,
    page,
    privacy,
    provider,
    recordings,
    roster_sheet,
    route,
    routes,
    score_import,
    session,
    viewing,
    wire,
)
from monitord.api.problems import BODY_MOST, Refused, problem
from monitord.api.stream import CLIENTS_MOST, MESSAGE_MOST, Streams
from monitord.audit.log import AuditLog
from monitord.audit.proving import Prover
from monitord.audit.reader import Reader
from monitord.coaching.store import CoachingStore
from monitord.csat.work import Scores
from monitord.flags.work import Flags
from monitord.live.hub import Hub
from monitord.people.audience import Audience, audience_of
from monitord.people.links import Links
from monitord.people.people import People
from monitord.people.seen import SeenEndpoints
from monitord.people.sessions import Sessions
from monitord.people.signin import SignIn, Who
from monitord.people.tokens import Tokens
from monitord.privacy.work import Privacy
from monitord.store.history import History, UnreadableError
from monitord.store.team import TeamCounts
from monitord.store.views import ViewStore
from monitord.told.watch import Teller

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is made of; put together in ``monitord.app``."""

    hub: Hub
    history: History
    alerts: Watch
    teller: Teller
    never: NeverMonitor
    flags: Flags
    coaching: CoachingStore
    scores: Scores
    recordings: recordings.Recordings
    team_counts: TeamCounts
    views: ViewStore
    audit: AuditLog
    audit_reader: Reader
    prover: Prover
    people: People
    seen: SeenEndpoints
    sessions: Sessions
    sign_in: SignIn
    gateway: Gateway
    attachments: dict[str, Attachment]
    tokens: Tokens
    links: Links
    privacy: Privacy
    edge: edge.Edge
    way: provider.Way | None = None
    """By the site's own provider; None where it has none."""
    page: Path = page.FOLDER


def make_app(parts: Parts) -> web.Application:
    app = web.Application(middlewares=[_answer_errors, session.guard], client_max_size=BODY_MOST)
    app[keys.HUB] = parts.hub
    app[keys.HISTORY] = parts.history
    app[keys.ALERTS] = parts.alerts
    app[keys.TELLER] = parts.teller
    app[keys.NEVER] = parts.never
    app[keys.FLAGS] = parts.flags
    app[keys.COACHING] = parts.coaching
    app[keys.SCORES] = parts.scores
    app[recordings.RECORDINGS] = parts.recordings
    app[keys.TEAM_COUNTS] = parts.team_counts
    app[keys.VIEWS] = parts.views
    app[keys.AUDIT] = parts.audit
    app[keys.AUDIT_READER] = parts.audit_reader
    app[keys.PROVER] = parts.prover
    app[keys.PEOPLE] = parts.people
    app[keys.SEEN] = parts.seen
    app[keys.SESSIONS] = parts.sessions
    app[keys.SIGN_IN] = parts.sign_in
    app[keys.GATEWAY] = parts.gateway
    app[keys.ATTACHMENTS] = parts.attachments
    app[keys.TOKENS] = parts.tokens
    app[keys.LINKS] = parts.links
    app[keys.PRIVACY] = parts.privacy
    app[edge.EDGE] = parts.edge
    if parts.way is not None:
        app[provider.WAY] = parts.way
    app[keys.STREAMS] = Streams(parts.hub, lambda: _lags(parts.attachments))
    app[commands.ACTS] = {}
    app[export.EXPORTS] = Counter()
    app[privacy.EXPORTS] = Counter()
    app[export.UNDER_WAY] = set()
    viewing.set_up(app)
    failures.set_up(app)
    roster_sheet.set_up(app)
    score_import.set_up(app)
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(_end_streams)
    app.on_cleanup.append(commands.finish)
    app.on_cleanup.append(recordings.finish)
    app.on_cleanup.append(_end_proof)
    app[openapi.DOCUMENT] = openapi.document(ROUTES)
    route.add(app, (*ROUTES, *routes.pages(parts.page)))
    return app


def _lags(attachments: dict[str, Attachment]) -> list[wire.Lag]:
    return [
        wire.Lag(pbx, None if a.link.round_trip_ms is None else a.link.round_trip_ms // 2)
        for pbx, a in attachments.items()
    ]


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error of the API in the one shape; a fault of ours says nothing of its insides."""
    try:
        return await handler(request)
    except Refused as refused:
        return refused.response
    except UnreadableError as error:
        structlog.get_logger("api").error("database_unreadable", why=str(error))
        return problem(503, "the ledger cannot be read now; try again later")
    except web.HTTPRequestEntityTooLarge:
        return problem(413, f"the body is larger than {BODY_MOST} bytes")
    except web.HTTPException as error:
        if error.status >= 400 and request.path.startswith("/api/"):
            return problem(error.status, error.reason, headers=_allow(error))
        raise
    except Exception:
        structlog.get_logger("api").exception("request_failed", path=request.path[:200])
        return problem(500, "something went wrong here; it was logged")


def _allow(error: web.HTTPException) -> dict[str, str] | None:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None


async def _add_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    if isinstance(request, web.Request) and edge.came(request).https:
        response.headers["Strict-Transport-Security"] = edge.HSTS
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    # aiohttp would name itself and its version.
    response.headers["Server"] = "monitord"


class _Unreadable(web.BaseRequest):
    """What could not be parsed; it never reaches the application, so neither do its headers."""

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        await _add_headers(self, response)


class _HttpLog(logging.Handler):
    """What aiohttp logs of a bad request holds the request's bytes, and so perhaps a password."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0] if record.exc_info else None
        structlog.get_logger("http").warning(
            "request_not_answered", type=kind.__name__ if kind else record.levelname
        )


def make_runner(app: web.Application) -> web.AppRunner:
    """What serves the application, with the bounds of requests that it cannot set itself."""
    logger = logging.Logger("monitord.http", logging.WARNING)  # of nobody else
    logger.addHandler(_HttpLog())
    return web.AppRunner(
        app,
        access_log=None,
        logger=logger,
        handler_cancellation=False,
        shutdown_timeout=3.0,
        keepalive_timeout=listen.IDLE_S,
        max_line_size=8190,
        max_field_size=8190,
    )


async def listen_on(
    runner: web.AppRunner, host: str, port: int, tls: listen.Tls | None
) -> listen.Site:
    """After ``setup()``: serve it. Also the answer to bytes that are no HTTP gets the security
    headers.

    Raises:
        OSError: the address cannot be listened on.
        UnicodeError: it is no host's name.
    """
    server = runner.server
    assert server is not None
    usual = server.request_factory
    site = listen.Site(runner, host, port, tls.context if tls is not None else None)

    def make(
        message: Any, payload: Any, protocol: Any, writer: Any, task: asyncio.Task[None]
    ) -> web.BaseRequest:
        site.has_asked(protocol)
        if message is ERROR:
            loop = asyncio.get_running_loop()
            return _Unreadable(message, payload, protocol, writer, task, loop)
        return usual(message, payload, protocol, writer, task)

    server.request_factory = make
    await site.start()
    return site


def _audience(app: web.Application, who: Who) -> Audience | None:
    """What somebody may see now, who had signed in when the stream began; None where they may not
    any more."""
    now = app[keys.SIGN_IN].again(who)
    if now is None or not now.rights.may("agent.see"):
        return None
    return audience_of(now.rights)


async def _end_proof(app: web.Application) -> None:
    await app[keys.PROVER].finish()


async def _end_streams(app: web.Application) -> None:
    app[keys.STREAMS].end_all()


async def _stream(request: web.Request) -> web.StreamResponse:
    who = request[keys.WHO]
    # Browsers send cookies with a websocket that any site opens, so its origin must be ours
    # (ami-facts 3.3). A token no browser sends by itself: a program with one needs no origin.
    if (who.token is None and "Origin" not in request.headers) or not edge.same_origin(request):
        raise Refused(403, "the stream may only be opened from this product's own page", "Origin")
    streams = request.app[keys.STREAMS]
    if streams.count >= CLIENTS_MOST:
        raise Refused(503, f"{CLIENTS_MOST} pages are connected already")
    socket = web.WebSocketResponse(max_msg_size=MESSAGE_MOST, timeout=3.0, heartbeat=30.0)
    if not socket.can_prepare(request):
        raise Refused(400, "this is a websocket")
    await socket.prepare(request)
    transport = request.transport
    await streams.serve(
        socket,
        transport,
        audience=lambda: _audience(request.app, who),
        on_change=lambda call: request.app[keys.SIGN_IN].on_change(who, call),
    )
    if not socket.closed:
        await socket.close(code=WSCloseCode.GOING_AWAY)
    return socket


ROUTES = routes.api(_stream)
"""Those of the API."""
