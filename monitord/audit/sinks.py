"""Where signed heads can be kept besides their file: a webhook, a syslog server."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp

from monitord.audit.chain import Head
from monitord.audit.heads import Sink

ANSWER_S = 10.0
SYSLOG = ("udp", "tcp", "unix")

_FACILITY_AUDIT, _NOTICE = 13, 5


def to_webhook(url: str) -> Sink:
    """POST of the line as JSON; any status of 2xx is a yes. Redirects are none."""

    async def write(head: Head, line: bytes) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(
                    url,
                    data=line,
                    headers={"Content-Type": "application/json"},
                    allow_redirects=False,
                ) as response,
            ):
                if response.status // 100 != 2:
                    raise OSError(f"it answered with status {response.status}")
        except aiohttp.ClientError as error:
            raise OSError(str(error) or type(error).__name__) from None

    return write


def syslog_address(text: str) -> tuple[str, str, int]:
    """``udp://host:port``, ``tcp://host:port`` or ``unix:///path`` as its three parts.

    Raises:
        ValueError: with the rule.
    """
    rule = "must look like udp://host:514, tcp://host:601 or unix:///dev/log"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(rule) from None
    if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
        return "unix", parts.path, 0
    if parts.scheme in ("udp", "tcp") and parts.hostname and port and parts.path in ("", "/"):
        return parts.scheme, parts.hostname, port
    raise ValueError(rule)


def to_syslog(address: tuple[str, str, int]) -> Sink:
    """By RFC 5424. Of UDP nobody knows whether it arrived."""
    kind, place, port = address

    async def write(head: Head, line: bytes) -> None:
        at = datetime.fromtimestamp(head.at / 1000, UTC).isoformat(timespec="milliseconds")
        priority = _FACILITY_AUDIT * 8 + _NOTICE
        start = (
            f"<{priority}>1 {at.replace('+00:00', 'Z')} {socket.gethostname()} monitord - head - "
        )
        message = start.encode() + line
        async with asyncio.timeout(ANSWER_S):
            if kind == "tcp":
                _, writer = await asyncio.open_connection(place, port)
                try:
                    writer.write(b"%d %s" % (len(message), message))  # RFC 6587: octets counted
                    await writer.drain()
                finally:
                    writer.close()
                    await writer.wait_closed()
            else:
                await asyncio.to_thread(_datagram, kind, place, port, message)

    return write


def _datagram(kind: str, place: str, port: int, message: bytes) -> None:
    if kind == "unix":
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.settimeout(ANSWER_S)
            there.connect(place)
            there.send(message)
        return
    family, how, protocol, _, target = socket.getaddrinfo(place, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, how, protocol) as there:
        there.sendto(message, target)
