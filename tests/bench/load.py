"""Real Asterisk 22 under load: telephones (sipp) that ring in, many a second, and a queue with
agents enough. Nothing is heard, so that Asterisk's own work is the call and not its sound."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from tests.lab.config import _phone
from tests.lab.install import install
from tests.lab.ports import HOST
from tests.lab.server import AsteriskServer

MEMBERS = [str(3000 + n) for n in range(120)]
DID = "8100"
TALK_MS = 1500
QUEUE = """
[bench]
strategy = rrmemory
timeout = 15
ringinuse = no
wrapuptime = 0
"""
CALLER = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="caller">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Customer" <sip:49170[call_number]@[local_ip]>;tag=[pid]x[call_number]
To: <sip:[service]@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 INVITE
Max-Forwards: 70
X-Lab-Line: trunk
X-Campaign: Spring offer
Contact: <sip:phone@[local_ip]:[local_port]>
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE
Content-Type: application/sdp
Content-Length: [len]

v=0
o=phone 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=sendrecv
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Customer" <sip:49170[call_number]@[local_ip]>;tag=[pid]x[call_number]
To: <sip:[service]@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<pause milliseconds="@TALK@"/>
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Customer" <sip:49170[call_number]@[local_ip]>;tag=[pid]x[call_number]
To: <sip:[service]@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""


def server() -> AsteriskServer:
    """Not started yet. Its agents are the silent telephones of the lab, under more names."""
    made = AsteriskServer(install(22))
    etc = made.folder / "etc"
    members = "".join(f"member => PJSIP/{n},0,PJSIP/{n}\n" for n in MEMBERS)
    phones = "".join(_phone(n, "agents", made.ports.silent) for n in MEMBERS)
    dialled = f"\n[from-trunk](+)\nexten => {DID},1,Goto(ring-in,bench,1)\n"
    for name, text in (
        ("queues.conf", QUEUE + members),
        ("pjsip.conf", "\n" + phones),
        ("extensions.conf", dialled),
    ):
        file = etc / name
        file.write_text(file.read_text() + text)
    return made


@dataclass(frozen=True)
class Load:
    calls: int
    per_s: float
    """As it was, which is less than was asked for where the machine does not carry it."""


async def ring_in(made: AsteriskServer, rate: float, calls: int) -> Load:
    """Returns when the last of them has hung up.

    Raises:
        RuntimeError: a call failed.
    """
    folder = made.phones.folder
    (folder / "load.xml").write_text(CALLER.replace("@TALK@", str(TALK_MS)))
    sip, control, media = made.ports.caller(0)
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *("sipp", "-sf", "load.xml", "-i", HOST, "-p", str(sip), "-mi", HOST),
        *("-mp", str(media), "-cp", str(control), "-aa", "-nostdin", "-timeout", "120s"),
        *("-watchdog_minor_maxtriggers", "1000000", "-watchdog_major_maxtriggers", "1000000"),
        *("-r", str(rate), "-l", str(len(MEMBERS)), "-m", str(calls), "-s", DID),
        f"{HOST}:{made.ports.sip}",
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"some calls failed:\n{said.decode(errors='replace')[-2000:]}")
    return Load(calls, calls / max(0.1, time.monotonic() - began - TALK_MS / 1000))
