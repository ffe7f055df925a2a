"""What handlers find in the application: its parts, by typed keys."""

from __future__ import annotations

from aiohttp import web

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

HUB = web.AppKey("hub", Hub)
HISTORY = web.AppKey("history", History)
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


def still_may(request: web.Request, permission: Permission) -> bool:
    """Whether who asked is still signed in and still may: for what takes longer than a moment."""
    who = request[WHO]
    session = request.app[SESSIONS].get(who.session) if who.session is not None else None
    now = request.app[SIGN_IN].behind(session) if session is not None else None
    return now is not None and now.rights.may(permission)


def needs(request: web.Request, permission: Permission) -> Who:
    """Who asks, if they may; on whom they may is still to be looked at.

    Raises:
        Refused: they may not.
    """
    who = request[WHO]
    if not who.rights.may(permission):
        raise Refused(403, "you are not allowed to do this")
    return who
