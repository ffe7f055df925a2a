"""What handlers find in the application: its parts, by typed keys."""

from __future__ import annotations

from aiohttp import web

from monitord.alerts.watch import Watch
from monitord.ami.attachment import Attachment
from monitord.ami.gateway import Gateway
from monitord.api.problems import Refused
from monitord.api.stream import Streams
from monitord.audit.log import AuditLog
from monitord.live.hub import Hub
from monitord.people.people import People
from monitord.people.permissions import Permission
from monitord.people.seen import SeenEndpoints
from monitord.people.sessions import Sessions
from monitord.people.signin import SignIn, Who
from monitord.store.history import History
from monitord.store.team import TeamCounts
from monitord.store.views import ViewStore

HUB = web.AppKey("hub", Hub)
HISTORY = web.AppKey("history", History)
ALERTS = web.AppKey("alerts", Watch)
TEAM_COUNTS = web.AppKey("team_counts", TeamCounts)
VIEWS = web.AppKey("views", ViewStore)
AUDIT = web.AppKey("audit", AuditLog)
SIGN_IN = web.AppKey("sign_in", SignIn)
SEEN = web.AppKey("seen", SeenEndpoints)
PEOPLE = web.AppKey("people", People)
SESSIONS = web.AppKey("sessions", Sessions)
GATEWAY = web.AppKey("gateway", Gateway)
ATTACHMENTS = web.AppKey("attachments", dict[str, Attachment])
STREAMS = web.AppKey("streams", Streams)
ORIGINS = web.AppKey("origins", frozenset[str])
SECURE_COOKIE = web.AppKey("secure_cookie", bool)

WHO = web.RequestKey("who", Who)


def who_now(request: web.Request) -> Who | None:
    """Who asked, with the rights of now; None where they are not signed in any more. For what takes
    longer than a moment."""
    who = request[WHO]
    session = request.app[SESSIONS].get(who.session) if who.session is not None else None
    return request.app[SIGN_IN].behind(session) if session is not None else None


def needs(request: web.Request, permission: Permission) -> Who:
    """Who asks, if they may; on whom they may is still to be looked at.

    Raises:
        Refused: they may not.
    """
    who = request[WHO]
    if not who.rights.may(permission):
        raise Refused(403, "you are not allowed to do this")
    return who
