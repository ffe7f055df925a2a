"""The phones: two sipp processes that answer every call, one talking and one silent."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

from tests.lab.config import SOURCE, fill
from tests.lab.ports import HOST, Ports

STREAM = '<nop><action><exec rtp_stream="tone.ulaw,-1,0,PCMU/8000"/></action></nop>'
OK = """SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0
"""
# the phone's own requests within a call, in which it is the called side
REQUEST = """ [$peer] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: [$me];tag=[pid]x[call_number]
To: [$them]
Call-ID: [call_id]
Max-Forwards: 70"""
BODY = """Contact: <sip:phone@[local_ip]:[local_port]>
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, MESSAGE
Content-Type: application/sdp
Content-Length: [len]

v=0
o=phone 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio @MEDIA@ RTP/AVP 0
a=rtpmap:0 PCMU/8000
a="""


def ulaw(sample: int) -> int:
    """One 16-bit sample as G.711 mu-law."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F) & 0xFF


def tone(hertz: int = 440, seconds: int = 2) -> bytes:
    return bytes(
        ulaw(int(8000 * math.sin(2 * math.pi * hertz * n / 8000))) for n in range(8000 * seconds)
    )


class Phones:
    """Both processes; their logs and the tone are in `folder`."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self.folder = folder
        self.ports = ports
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "tone.ulaw").write_bytes(tone())
        self._start("phones", 0, self.ports.phones, STREAM)
        self._start("silent", 1, self.ports.silent, "")

    def _start(self, name: str, number: int, port: int, stream: str) -> None:
        media = "[rtpstream_audio_port]" if stream else "[media_port]"
        values = {
            "STREAM": stream,
            "OK": OK,
            "REQUEST": REQUEST,
            "BODY": BODY.replace("@MEDIA@", media),
        }
        scenario = fill((SOURCE / "lab" / "phone.xml").read_text(), values)
        (self.folder / f"{name}.xml").write_text(scenario)
        command = ["sipp", "-sf", f"{name}.xml", "-i", HOST, "-p", str(port), "-mi", HOST]
        command += ["-mp", str(self.ports.media[number])]
        command += ["-cp", str(self.ports.controls[number])]
        # -aa answers OPTIONS and UPDATE; the watchdog would end sipp on a busy machine
        command += ["-aa", "-nostdin", "-watchdog_minor_maxtriggers", "1000000"]
        command += ["-watchdog_major_maxtriggers", "1000000", "-trace_err"]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()  # sipp's own way to end waits for its calls
            process.wait()
        self.processes.clear()
