"""What handlers find in the application: its parts, by typed keys."""

from __future__ import annotations

from aiohttp import web

from monitord.ami.attachment import Attachment
from monitord.ami.gateway import Gateway
from monitord.api.problems import Refused
from monitord.api.stream import Streams
from monitord.audit.log import AuditLog
from monitord.live.hub import Hub
from monitord.people.permissions import Permission
from monitord.people.signin import Account, SignIn
from monitord.store.history import History

HUB = web.AppKey("hub", Hub)
HISTORY = web.AppKey("history", History)
AUDIT = web.AppKey("audit", AuditLog)
SIGN_IN = web.AppKey("sign_in", SignIn)
GATEWAY = web.AppKey("gateway", Gateway)
ATTACHMENTS = web.AppKey("attachments", dict[str, Attachment])
STREAMS = web.AppKey("streams", Streams)
ORIGINS = web.AppKey("origins", frozenset[str])
SECURE_COOKIE = web.AppKey("secure_cookie", bool)

ACCOUNT = web.RequestKey("account", Account)
TOKEN = web.RequestKey("token", str)


def needs(request: web.Request, permission: Permission) -> Account:
    """The account of the request, if it may.

    Raises:
        Refused: it may not.
    """
    account = request[ACCOUNT]
    if permission not in account.permissions:
        raise Refused(403, "you are not allowed to do this")
    return account
