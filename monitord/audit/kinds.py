"""Kinds of acts, by which somebody who reads the audit log looks for them."""

from __future__ import annotations

from monitord.audit.adoption import BEGIN, NEW_KEYS
from monitord.audit.observed import RECORD
from monitord.audit.verify import EXPIRED
from monitord.domain.words import AuditKind

ACTIONS: dict[AuditKind, tuple[str, ...]] = {
    AuditKind.SUPERVISION: tuple(RECORD),
    AuditKind.COMMAND: (
        *("disconnect", "disconnect outcome", "acknowledge alert"),
        *("give reason", "correct reason"),
    ),
    AuditKind.SIGN_IN: (
        *("sign in", "fail sign-in", "refuse sign-ins", "sign out", "end session"),
        *("change password", "make first link", "make sign-in link", "set password by link"),
        *("make token", "revoke token"),
    ),
    AuditKind.PEOPLE: (
        *("add person", "change person", "remove person", "give roles", "change endpoint"),
        *("add team", "change team", "remove team", "change login", "give login"),
        *("import roster", "attribute rows", "dismiss endpoint", "propose endpoint again"),
        *("make first administrator", "take over from provider"),
    ),
    AuditKind.SETTINGS: (
        "change settings",
        "share view",
        "change shared view",
        "stop sharing view",
    ),
    AuditKind.HISTORY: ("view history", "view audit log"),
    AuditKind.EXPORT: ("export", "export outcome", "export person", "export number"),
    AuditKind.PRIVACY: (
        *(EXPIRED, "hold", "lift hold", "erase", "erase outcome"),
        *("add to never monitor", "remove from never monitor"),
    ),
    AuditKind.FLAG: (
        *("flag call", "change flag", "take off flag", "review flag", "open flag again"),
        *("share flag", "stop sharing flag", "answer flag", "change flag settings"),
        *("begin review", "end review", "settle commitment", "end focus"),
        *("choose review pattern", "open commitment again"),
    ),
    AuditKind.SCORE: (
        *("give score", "import scores", "import scores outcome", "change score scale"),
    ),
    AuditKind.RECORDING: ("play recording",),
    AuditKind.LOG: (BEGIN, NEW_KEYS, "start", "prove log", "prove log outcome"),
}

KIND: dict[str, AuditKind] = {action: kind for kind, some in ACTIONS.items() for action in some}
"""By action."""
