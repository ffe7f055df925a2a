"""HTTP as no library would send it."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from tests.kit.client import DEADLINE


async def raw(url: str, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes; gives status, headers (names in small letters) and the rest of the answer."""
    parts = urlsplit(url)
    async with asyncio.timeout(DEADLINE):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(data)
            head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            lines = head.decode().split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (x.partition(":") for x in lines[1:])}
            length = int(headers.get("content-length", "0"))
            body = await reader.readexactly(length) if data[:4] != b"HEAD" else b""
            return int(lines[0].split()[1]), headers, body
        finally:
            writer.close()
