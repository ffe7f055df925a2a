"""The phones: two sipp processes that are called, one talking and one silent, and the callers."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.lab.config import SOURCE, fill
from tests.lab.ports import HOST, LINES, Ports

STREAM = '<exec rtp_stream="tone.ulaw,-1,0,PCMU/8000"/>'
OK = """SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0
"""
# the phone's own requests within a call
REQUEST = """ [$peer] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: [$me]@TAG@
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
    """All of them; their logs and the tone are in `folder`."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self.folder = folder
        self.ports = ports
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._callers: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def pids(self) -> dict[str, int]:
        callers = {f"caller-{line}": process.pid for line, process in self._callers.items()}
        return {name: process.pid for name, process in self.processes.items()} | callers

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "tone.ulaw").write_bytes(tone())
        for number, name in enumerate(("phones", "silent")):
            stream = "" if name == "silent" else STREAM
            # its To header is what the other side calls it, without the tag that it gave itself
            values = {"TAG": ";tag=[pid]x[call_number]", "STREAM": stream}
            ports = (self.ports.phones, self.ports.silent)[number]
            line = (ports, self.ports.controls[number], self.ports.media[number])
            self.processes[name] = self._run(name, "phone-called.xml", line, values)

    def call(self, number: str, did: str, headers: dict[str, str]) -> None:
        """A customer rings in; the process goes with the call."""
        for line in [n for n, process in self._callers.items() if process.poll() is not None]:
            del self._callers[line]
        free = next(n for n in range(LINES) if n not in self._callers)
        values = {
            "TAG": "",
            "STREAM": STREAM,
            "NUMBER": number,
            "HEADERS": "".join(f"\n{name}: {value}" for name, value in headers.items()),
        }
        to = ["-m", "1", "-s", did, f"{HOST}:{self.ports.sip}"]
        ports = self.ports.caller(free)
        self._callers[free] = self._run(f"caller-{free}", "phone-caller.xml", ports, values, *to)

    def _run(
        self,
        name: str,
        beginning: str,
        line: tuple[int, int, int],
        values: dict[str, str],
        *arguments: str,
    ) -> subprocess.Popen[bytes]:
        """`line` is its ports: for SIP, for sipp's own commands, and the first for RTP."""
        media = "[rtpstream_audio_port]" if values["STREAM"] else "[media_port]"
        scenario = (SOURCE / "lab" / "phone.xml").read_text()
        scenario = scenario.replace("@BEGINNING@", (SOURCE / "lab" / beginning).read_text())
        # in this order: the later ones stand in the earlier ones
        parts = {"OK": OK, "REQUEST": REQUEST, "BODY": BODY, "MEDIA": media} | values
        (self.folder / f"{name}.xml").write_text(fill(scenario, parts))
        sip, control, rtp = (str(port) for port in line)
        command = ["sipp", "-sf", f"{name}.xml", "-i", HOST, "-p", sip, "-mi", HOST]
        command += ["-mp", rtp, "-cp", control]
        # -aa answers OPTIONS, UPDATE and NOTIFY; the watchdog would end sipp on a busy machine
        command += ["-aa", "-nostdin", "-watchdog_minor_maxtriggers", "1000000"]
        command += ["-watchdog_major_maxtriggers", "1000000", "-trace_err", *arguments]
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def complaints(self) -> str:
        """What the phones did not understand since the start; then they have left their call."""
        logs = sorted(self.folder.glob("*_errors.log"))
        return "\n".join(log.read_text(errors="replace")[-4000:] for log in logs)

    def end_callers(self) -> None:
        """Those whose call Asterisk has forgotten without telling them."""
        _end(self._callers.values())
        self._callers.clear()

    def stop(self) -> None:
        self.end_callers()
        _end(self.processes.values())
        self.processes.clear()


def _end(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()  # sipp's own way to end waits for its calls
        process.wait()
