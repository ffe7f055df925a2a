"""What handlers find in the application: its parts, by typed keys."""

from __future__ import annotations

from aiohttp import web

from monitord.alerts.never import NeverMonitor
from monitord.alerts.watch import Watch
from monitord.ami.attachment import Attachment
from monitord.ami.gateway import Gateway
from monitord.api.problems import Refused
from monitord.api.stream import Streams
from monitord.audit.log import AuditLog
from monitord.audit.proving import Prover
from monitord.audit.reader import Reader
from monitord.coaching.store import CoachingStore
from monitord.csat.work import Scores
from monitord.flags.work import Flags
from monitord.live.hub import Hub
from monitord.people.links import Links
from monitord.people.people import People
from monitord.people.permissions import Permission
from monitord.people.seen import SeenEndpoints
from monitord.people.sessions import Sessions
from monitord.people.signin import SignIn, Who
from monitord.people.tokens import Tokens
from monitord.privacy.work import Privacy
from monitord.store.history import History
from monitord.store.team import TeamCounts
from monitord.store.views import ViewStore
from monitord.told.watch import Teller

HUB = web.AppKey("hub", Hub)
HISTORY = web.AppKey("history", History)
ALERTS = web.AppKey("alerts", Watch)
TELLER = web.AppKey("teller", Teller)
NEVER = web.AppKey("never_monitor", NeverMonitor)
FLAGS = web.AppKey("flags", Flags)
COACHING = web.AppKey("coaching", CoachingStore)
SCORES = web.AppKey("scores", Scores)
TEAM_COUNTS = web.AppKey("team_counts", TeamCounts)
VIEWS = web.AppKey("views", ViewStore)
AUDIT = web.AppKey("audit", AuditLog)
AUDIT_READER = web.AppKey("audit_reader", Reader)
PROVER = web.AppKey("prover", Prover)
SIGN_IN = web.AppKey("sign_in", SignIn)
SEEN = web.AppKey("seen", SeenEndpoints)
PEOPLE = web.AppKey("people", People)
SESSIONS = web.AppKey("sessions", Sessions)
GATEWAY = web.AppKey("gateway", Gateway)
ATTACHMENTS = web.AppKey("attachments", dict[str, Attachment])
STREAMS = web.AppKey("streams", Streams)
TOKENS = web.AppKey("tokens", Tokens)
PRIVACY = web.AppKey("privacy", Privacy)
LINKS = web.AppKey("links", Links)

WHO = web.RequestKey("who", Who)


def who_now(request: web.Request) -> Who | None:
    """Who asked, with the rights of now; None where they are not signed in any more. For what takes
    longer than a moment."""
    return request.app[SIGN_IN].again(request[WHO])


def needs(request: web.Request, permission: Permission) -> Who:
    """Who asks, if they may; on whom they may is still to be looked at.

    Raises:
        Refused: they may not.
    """
    who = request[WHO]
    if not who.rights.may(permission):
        raise Refused(403, "you are not allowed to do this")
    return who


def needs_session(request: web.Request) -> None:
    """It must be they themselves and not a program with their token: what would make a lasting way
    in of a token that was found is none's.

    Raises:
        Refused: it is a program.
    """
    if request[WHO].session is None:
        raise Refused(403, "an API token cannot do this; sign in on the page")
