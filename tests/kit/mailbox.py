"""A real SMTP server that mail is given to, which does what a test tells it to."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

USER, PASSWORD = "monitord", "a password of the mail server"


@dataclass
class Mailbox:
    port: int = 0
    answer: str = "250 taken"
    unknown: frozenset[str] = frozenset()
    """Addresses that are refused."""
    got: list[EmailMessage] = field(default_factory=list)
    """All that came, those included that were not taken."""
    to: list[str] = field(default_factory=list)
    tls: list[bool] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 there is no " + address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        read = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(read, EmailMessage)
        self.got.append(read)
        self.to += envelope.rcpt_tos
        self.tls.append(session.ssl is not None)
        return self.answer

    def settings(self) -> str:
        return (
            f'\n[mail]\nhost = "127.0.0.1"\nport = {self.port}\nsecurity = "none"\n'
            'sender = "monitord@example.org"\npage = "https://monitord.example.org/"\n'
        )


def _who(server: SMTP, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    assert isinstance(given, LoginPassword)
    fits = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=fits, handled=False)


@asynccontextmanager
async def mailbox(
    tls: ssl.SSLContext | None = None, known: Mailbox | None = None
) -> AsyncIterator[Mailbox]:
    """``tls``: then it asks for STARTTLS and a password. ``known``: one that was there before,
    which comes back on its port."""
    box = known or Mailbox()

    def made() -> SMTP:
        if tls is None:
            return SMTP(box, hostname="mail.example.org")
        return SMTP(
            box,
            hostname="mail.example.org",
            tls_context=tls,
            require_starttls=True,
            auth_required=True,
            authenticator=_who,
        )

    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", box.port)
    try:
        box.port = server.sockets[0].getsockname()[1]
        yield box
    finally:
        server.close()
        await server.wait_closed()
