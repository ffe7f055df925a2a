"""One PBX of two is out of reach, a port that is no PBX, and what a request may not make of it."""

from __future__ import annotations

import asyncio
import ssl
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest

from monitord.ami.link import Timing
from monitord.app import Running
from monitord.simulator import Settings, Simulator, User
from tests.kit import certificate
from tests.kit.centre import SECRET, centre, until
from tests.kit.client import Client
from tests.kit.daemon import Site, daemon
from tests.kit.ledger import read_audit


@pytest.mark.fault("network partition daemon–DB / daemon–PBX")
async def test_one_pbx_is_lost_and_the_other_goes_on(tmp_path: Path) -> None:
    """Before, meanwhile and afterwards: each is judged by itself."""
    user = User(secret=SECRET)
    async with (
        Simulator(Settings(user, port=0, speed=5, seed=1)) as one,
        Simulator(Settings(user, port=0, speed=5, seed=2)) as two,
    ):
        extra = f'[[pbx]]\nid = "two"\nport = {two.port}\nsecret_file = "secret"\n'
        site = Site(ami_port=one.port, secret=SECRET, extra=extra)
        quick = Timing(retry_first=0.05, retry_most=0.2)
        async with daemon(site, tmp_path, timing=quick) as here, Client(here.url) as ina:
            assert await ina.sign_in("ina") == 200
            async with ina.stream() as page:

                def links() -> dict[str, str]:
                    return {p["id"]: p["link"] for p in page.of("pbx")}

                await page.until(lambda s: links() == {"lab": "live", "two": "live"})
                one.faults.cut()
                await page.until(lambda s: links()["lab"] != "live")
                kept = {c["id"]: c for c in page.of("call") if c["pbx"] == "lab"}
                other = {c["id"] for c in page.of("call") if c["pbx"] == "two"}
                while {c["id"] for c in page.of("call") if c["pbx"] == "two"} == other:
                    await page.next()
                assert links()["two"] == "live"
                if links()["lab"] == "lost":
                    assert {c["id"]: c for c in page.of("call") if c["pbx"] == "lab"} == kept
                await page.until(lambda s: links() == {"lab": "live", "two": "live"}, "back")


@pytest.mark.fault("TLS failure")
async def test_a_port_that_speaks_tls_is_no_pbx(tmp_path: Path) -> None:
    """It is said, tried again, and never told the secret."""
    certificate.write(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    came: list[int] = []

    async def raw(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(1)
        writer.write(b"\x15\x03\x01\x00\x02\x02\x50")  # an alert, as for one who speaks no TLS
        assert SECRET.encode() not in await reader.read()
        writer.close()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError("somebody spoke TLS")

    tls = await asyncio.start_server(never, "127.0.0.1", 0, ssl=context)
    alert = await asyncio.start_server(raw, "127.0.0.1", 0)
    quick = Timing(connect=0.3, answer=0.3, retry_first=0.05, retry_most=0.1)
    async with tls, alert:
        for server, tries in ((tls, 0), (alert, 2)):
            folder = tmp_path / f"tries{tries}"
            folder.mkdir()
            site = Site(ami_port=server.sockets[0].getsockname()[1], secret=SECRET)
            async with daemon(site, folder, timing=quick) as here:
                await until(partial(said_lost, here), "said")
                await until(lambda tries=tries: len(came) >= tries, "tried again")
                assert not here.attachments["lab"].link.live.is_set()


def said_lost(here: Running) -> bool:
    shard = here.hub.shards["lab"]
    return shard.link == "lost" and bool(shard.link_detail)


INJECTED = [
    "/.*/",
    "/^PJSIP/",
    "PJSIP/1001-00000001",
    "Local/1@x-1;1",
    "1.5\r\nAction: Originate\r\nChannel: PJSIP/1",
    "1.5\nCause: 16",
    "1.5%0d%0aAction: Hangup",
    "\0",
    "../../session",
    "a" * 5000,
    "*",
]


@pytest.mark.fault("injection")
async def test_no_request_hangs_up_anything_but_a_supervision(tmp_path: Path) -> None:
    """Line breaks, patterns, names and every uniqueid that the PBX has just now, supervisors' own
    among them: a request names a supervision and nothing else."""
    async with centre(tmp_path) as here:
        await here.daemon.recorder.settled()
        uniqueids = [c.uniqueid for c in here.sim.centre.pbx.channels.values()]
        names = [c.name for c in here.sim.centre.pbx.channels.values()]
        calls = [c["call_id"] for c in (await here.ina.get("/api/v1/calls"))["rows"]]
        assert len(uniqueids) > 10 and calls
        before = len(here.events)
        for text in [*INJECTED, *uniqueids, *names, *calls]:
            path = f"/api/v1/supervisions/{quote(text, safe='')}/disconnect"
            async with here.sue.http.post(path, json={}) as response:
                assert response.status in (400, 404, 414), (text, response.status)
        assert here.hangups() == 0 and len(here.events) == before
        wanted = here.running()[0]
        for body in (
            {"drops_customer": True, "channel": uniqueids[0]},
            {"uniqueid": uniqueids[0]},
            {"pbx": "other"},
            ["x"],
        ):
            path = f"/api/v1/supervisions/{wanted}/disconnect"
            async with here.sue.http.post(path, json=body) as response:
                assert response.status == 400, body
        assert here.hangups() == 0
        # Only what is asked of a supervision that there is comes into the audit log.
        acts = [row["action"] for row in read_audit(here.store)]
        assert "disconnect" not in acts
