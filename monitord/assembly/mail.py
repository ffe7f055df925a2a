"""Who may be written to, and where."""

from __future__ import annotations

from collections.abc import Callable

from monitord.outbox.mail import Mailer, MailSettings
from monitord.outbox.sender import SEND_S
from monitord.people.roster import Roster


def mailer_of(settings: MailSettings | None, roster: Callable[[], Roster]) -> Mailer | None:
    """None where the site has set up no mail server. ``roster``: as it is now."""
    if settings is None:
        return None
    return Mailer(settings, lambda person: address_of(roster(), person), SEND_S)


def address_of(roster: Roster, person: str) -> str | None:
    """Of somebody who could read what the mail points at."""
    found = roster.people.get(person)
    if found is None or not roster.rights_of(person).may("flag.answer"):
        return None
    return found.email
