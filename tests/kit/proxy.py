"""A real nginx with TLS before the page, with the guide's own server block, and who comes by it."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from websockets.asyncio.client import connect

from tests.kit.client import DEADLINE, Client, Stream

NAME = "monitord.example"

_AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{block}
}}
"""


class Proxy:
    """Blocks while it starts. ``port`` stands for 443, ``page`` for the page's 8080."""

    def __init__(self, folder: Path, guide: str, port: int, page: int) -> None:
        folder.mkdir()
        self.port = port
        self.certificate = folder / f"{NAME}.pem"
        key = folder / f"{NAME}.key"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"),
                *("-out", str(self.certificate), "-keyout", str(key)),
            ],
            check=True,
            capture_output=True,
        )
        blocks = re.findall(r"(?ms)^```nginx\n(.*?)^```$", guide)
        (block,) = blocks
        block = block.replace("listen 443", f"listen 127.0.0.1:{port}").replace("8080", str(page))
        block = block.replace(f"/etc/ssl/certs/{NAME}.pem", str(self.certificate))
        block = block.replace(f"/etc/ssl/private/{NAME}.key", str(key))
        conf = folder / "nginx.conf"
        conf.write_text(_AROUND.format(folder=folder, block=block))
        self._process = subprocess.Popen(
            ["nginx", "-c", str(conf), "-p", str(folder)], stderr=subprocess.PIPE
        )
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), DEADLINE).close()
                return
            except OSError:
                assert self._process.poll() is None, self._process.stderr and (
                    self._process.stderr.read()
                )
                assert time.monotonic() < deadline, "nginx does not listen"
                time.sleep(0.05)  # a listening port cannot be waited for otherwise

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(DEADLINE)
        if self._process.stderr is not None:
            self._process.stderr.close()

    def client(self) -> Client:
        return _ProxiedClient(self)


class _ProxiedClient(Client):
    """As a browser that has typed https://monitord.example, whose port is another one here."""

    def __init__(self, proxy: Proxy) -> None:
        self.url = f"https://{NAME}"
        self._port = proxy.port
        self._tls = ssl.create_default_context(cafile=str(proxy.certificate))
        resolver = _Here()
        self.http = aiohttp.ClientSession(
            f"https://{NAME}:{proxy.port}",
            headers={"Origin": self.url, "Host": NAME},
            connector=aiohttp.TCPConnector(ssl=self._tls, resolver=resolver),
        )

    @asynccontextmanager
    async def stream(self, **place: Any) -> AsyncIterator[Stream]:
        async with connect(
            f"wss://{NAME}/api/v1/stream",
            origin=self.url,
            additional_headers={"Cookie": self.cookie},
            ssl=self._tls,
            host="127.0.0.1",
            port=self._port,
            max_size=None,
        ) as websocket:
            await websocket.send(json.dumps({"type": "subscribe", **place}))
            yield Stream(websocket)


class _Here(aiohttp.abc.AbstractResolver):
    """Every name is this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        await asyncio.sleep(0)
        return [
            {
                "hostname": host,
                "host": "127.0.0.1",
                "port": port,
                "family": socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
        ]

    async def close(self) -> None:
        return
