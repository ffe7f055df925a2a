"""The closed vocabularies that state, ledger, wire and page share (docs: the glossary)."""

from __future__ import annotations

from enum import StrEnum


class SpyType(StrEnum):
    """What a supervisor can do to a call, weakest first.

    ``UNKNOWN`` is a value of its own: Asterisk's ChanSpyStart does not carry the type
    (manager_channels.c:882-950), so until it is learnt the truth is that nobody knows.
    """

    UNKNOWN = "Unknown"
    MONITOR = "Monitor"
    COACH = "Coach"
    BARGE = "Barge"
    BARGE_KICK = "Barge-Kick"

    @property
    def strength(self) -> int:
        return _STRENGTH[self]


_STRENGTH = {t: n for n, t in enumerate(SpyType)}


class Provenance(StrEnum):
    """How a value was learned."""

    OBSERVED = "observed"  # Asterisk said so, about this very channel
    DERIVED = "derived"  # concluded from something Asterisk said
    SUPPLIED = "supplied"  # a dialler, dialplan or setting put it there
    UNVERIFIED = "unverified"  # believed, but nothing confirmed it yet


class Direction(StrEnum):
    """Seen from the contact centre."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


class AgentStatus(StrEnum):
    """What an agent is doing, from queue membership and device state."""

    NOT_LOGGED_IN = "not logged in"
    AVAILABLE = "available"
    RINGING = "ringing"
    IN_CALL = "in call"
    ON_HOLD = "on hold"
    WRAP_UP = "wrap-up"
    PAUSED = "paused"
    UNKNOWN = "unknown"


class CallState(StrEnum):
    """Where a call stands."""

    ARRIVING = "arriving"  # nobody has been dialled or queued yet
    QUEUED = "queued"
    RINGING = "ringing"
    TALKING = "talking"
    ON_HOLD = "on hold"
    ENDED = "ended"


class SupervisionState(StrEnum):
    """Where a supervision stands."""

    ACTIVE = "active"  # attached to a channel
    WAITING = "waiting"  # between an agent's calls; the supervisor's channel stays in the spy
    ENDED = "ended"


class EndReason(StrEnum):
    """Why a supervision, call or status interval ended."""

    HUNG_UP = "hung up"  # the supervisor's own doing
    DISCONNECTED = "disconnected"  # a person used Disconnect User
    CALL_ENDED = "call ended"
    MOVED = "moved"  # the supervisor's channel turned to another agent
    LEFT = "left"  # the supervisor's channel went on to something that is no spy
    PBX_RESTARTED = "PBX restarted"
    LOST = "lost"  # it was gone when the daemon could look again


class AlertKind(StrEnum):
    """What is wrong with a supervision."""

    NO_RIGHT = "no right"  # its supervisor has no right to its type on that agent
    NEVER_MONITOR = "never monitor"  # of somebody, or on a number, to whom nobody may listen
    PAYMENT = "payment"  # somebody pays on the call

    @property
    def slug(self) -> str:
        """As part of an id."""
        return self.replace(" ", "-")


class AlertAct(StrEnum):
    """What was done about a supervision that should not be."""

    TOLD = "told"  # people were told, and nothing more
    ENDING = "ending"  # its end was sent for
    ENDED = "ended"
    NOT_ENDED = "not ended"


class Telling(StrEnum):
    """When an agent is told of a supervision."""

    NEVER = "never"
    START_AND_END = "start and end"
    AFTER_CALL = "after the call"
    DELAYED = "delayed"


class Polarity(StrEnum):
    """Of a flag."""

    GOOD = "good"
    BAD = "bad"


class FlagState(StrEnum):
    """Where a flag stands."""

    OPEN = "open"  # to be talked about
    REVIEWED = "reviewed"  # it was talked about
    TAKEN_OFF = "taken off"  # it should not have been; kept with who did it, and why


class FlagAdvice(StrEnum):
    """What the numbers of somebody's flags suggest, to whoever makes flags. Never a verdict."""

    BELOW = "below the band"  # fewer a week than a one-to-one can do with
    WITHIN = "within the band"
    ABOVE = "above the band"  # more a week than one conversation can hold
    SHARE = "share below target"  # too few of them on good work
    PROBLEMS = "problem only"  # the latest have none on good work
    MOST_CALLS = "most calls"  # so many that a flag stops meaning anything


class ReviewPattern(StrEnum):
    """How flags of an agent are gathered and talked about."""

    WEEK = "one-week review"  # through the week, all together on Friday
    JUST_IN_TIME = "just-in-time"  # within 24 hours
    THEME = "theme week"  # those on the theme of the week first
    GOOD = "positive recognition"  # good work, to be shared with the team


class CommitmentState(StrEnum):
    """What became of something that an agent agreed to do."""

    OPEN = "open"
    KEPT = "kept"
    NOT_YET = "not yet"  # it was looked at, and is not there yet
    LET_GO = "let go"  # something else matters more now


class ScoreSource(StrEnum):
    """By which way a customer's score came."""

    SURVEY = "survey"  # the dialplan's own, by AMI
    API = "API"
    IMPORT = "import"


class AnswerKind(StrEnum):
    """What an agent says to a flag."""

    ACKNOWLEDGEMENT = "acknowledgement"
    QUESTION = "question"
    CONTEXT = "context"


class LinkState(StrEnum):
    """How the daemon stands with one PBX."""

    CONNECTING = "connecting"
    AUTH_FAILED = "login refused"
    NOT_BOOTED = "starting up"  # logged in, but the PBX is not FullyBooted
    SYNCING = "reading state"
    LIVE = "live"
    LOST = "lost"


class AuditKind(StrEnum):
    """Of an act in the audit log."""

    SUPERVISION = "supervision"
    COMMAND = "command"
    SIGN_IN = "sign-in"
    PEOPLE = "people"
    SETTINGS = "settings"
    HISTORY = "history"
    EXPORT = "export"
    PRIVACY = "privacy"
    FLAG = "flag"
    SCORE = "score"
    RECORDING = "recording"
    LOG = "log"
