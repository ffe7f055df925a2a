"""Mail to people of the roster: that there is something to read for them on the page.

A mail never says what. It holds no comment, no name of anybody else and nothing of a customer: it
goes by servers that are nobody's in particular, and lies in a mailbox for years.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.utils import formatdate
from typing import Literal

import aiosmtplib
import msgspec
from msgspec import Struct

from monitord.domain.ledger import OutgoingRecord

QUEUE = "mail"
"""Of its rows; a webhook's queue is 16 hex digits, so never this."""

EVENT = "flag shown"

STEPS = 3
"""Times the bound of a step that one mail may take in all."""

SUBJECT = "Something new to read on My calls"
TEXT = """Hello,

somebody has written a note on one of your calls. You can read it, and answer, on My calls:

{link}

This message is sent by monitord, the Coach Manager of your contact centre. It does not say what the
note is, so that it stays between you and whoever wrote it.
"""

Security = Literal["tls", "starttls", "none"]


class MailSettings(Struct, frozen=True):
    host: str
    port: int
    security: Security
    sender: str
    page: str
    """Address of the page, without a slash at its end."""
    user: str = ""
    password: str = ""


class Body(Struct, frozen=True):
    """Of a row: whom to write to. Their address is looked up when it is sent."""

    person: str


class Mail(Struct, frozen=True):
    """Makes the queue's rows. They belong into the transaction of what they are about."""

    on: bool = False
    """Somebody has set up a mail server."""

    def records(self, person: str, key: str, now: int) -> Iterator[OutgoingRecord]:
        """``key`` is the same for the same event, also where it is told again."""
        if self.on:
            body = msgspec.json.encode(Body(person)).decode()
            yield OutgoingRecord(
                id=f"{QUEUE}.{key}",
                hook=QUEUE,
                key=key,
                event=EVENT,
                body=body,
                made=now,
                due=now,
            )


class Mailer:
    """Gives one mail at a time to the site's server."""

    id = QUEUE

    def __init__(
        self,
        settings: MailSettings,
        address_of: Callable[[str], str | None],
        send_s: float,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """``address_of``: of a person who may be written to; None where there is none (any more).
        ``trust``: whom to believe to be the server; None: as the machine does."""
        self._settings = settings
        self._address_of = address_of
        self._send_s = send_s
        self._trust = trust

    @property
    def host(self) -> str:
        return self._settings.host

    async def send(self, row: OutgoingRecord) -> tuple[str, bool]:
        """Why it was not taken, empty where it was; and whether the server as a whole is to blame,
        not this one mail."""
        to = self._address_of(msgspec.json.decode(row.body, type=Body).person)
        if to is None:
            return "", False  # nobody to write to: there is nothing to be tried again
        one = self._settings
        try:
            # Each step of it has its bound, and all of them together.
            async with asyncio.timeout(STEPS * self._send_s):
                await aiosmtplib.send(
                    self._letter(to, row),
                    hostname=one.host,
                    port=one.port,
                    use_tls=one.security == "tls",
                    start_tls=one.security == "starttls",
                    tls_context=None if one.security == "none" else self._trust,
                    username=one.user or None,
                    password=one.password or None,
                    timeout=self._send_s,
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            # The code alone: what the server says may repeat the address.
            return f"the recipient was refused: {error.recipients[0].code}", False
        except aiosmtplib.SMTPResponseException as error:
            ill = not isinstance(error, aiosmtplib.SMTPDataError)
            return f"{type(error).__name__}: it answered {error.code}", ill
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            told = "" if to in str(error) else f": {error}"
            return f"{type(error).__name__}{told}"[:200], True
        return "", False

    def _letter(self, to: str, row: OutgoingRecord) -> EmailMessage:
        letter = EmailMessage()
        letter["From"], letter["To"] = self._settings.sender, to
        letter["Subject"] = SUBJECT
        letter["Date"] = formatdate(row.made / 1000)
        # The same when it is sent again, so that a mailbox can tell.
        name = hashlib.sha256(row.id.encode()).hexdigest()[:32]
        letter["Message-ID"] = f"<{name}@{self._settings.sender.rpartition('@')[2]}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(TEXT.format(link=f"{self._settings.page}/my-calls"))
        return letter
