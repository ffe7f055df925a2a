"""The lab's phones alone, beside a SIP partner that says things twice, as busy machines do."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.lab.install import LabMissing, install, required
from tests.lab.phones import Phones
from tests.lab.ports import HOST, take_ports


@pytest.fixture
def phones(tmp_path: Path) -> Iterator[Phones]:
    try:
        install(22)  # and sipp with it
    except LabMissing as missing:
        if required():
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
    phones = Phones(tmp_path / "phones", take_ports())
    phones.start()
    yield phones
    phones.stop()
    phones.ports.release()


class Partner:
    """One call to phone 1001, by hand."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.socket.settimeout(0.5)
        self.phone = (HOST, port)
        self.port = self.socket.getsockname()[1]
        self.tag = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def says(self, method: str, number: int, body: str = "") -> None:
        lines = [
            f"{method} sip:1001@{HOST} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self.port};branch=z9hG4bK{method}{number}",
            f"From: <sip:partner@{HOST}>;tag=mine",
            f"To: <sip:1001@{HOST}>{self.tag}",
            "Call-ID: one-call",
            f"CSeq: {number} {method}",
            f"Contact: <sip:partner@{HOST}:{self.port}>",
            f"Content-Length: {len(body)}",
        ]
        self.socket.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), self.phone)

    def answers(self, request: str, code: str) -> None:
        kept = [
            line for line in request.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", line)
        ]
        answer = [f"SIP/2.0 {code}", *kept, "Content-Length: 0"]
        self.socket.sendto(("\r\n".join(answer) + "\r\n\r\n").encode(), self.phone)

    def hears(self, beginning: str, tries: int = 20) -> str:
        """The next message that begins so; what comes before is passed over."""
        for _ in range(tries):
            try:
                said = self.socket.recv(65536).decode()
            except TimeoutError:
                continue
            if said.startswith(beginning):
                return said
        raise AssertionError(f"the phone never said {beginning}")

    def calls(self) -> None:
        body = f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
        body += "m=audio 9 RTP/AVP 0\r\n"
        for _ in range(20):  # sipp does not say when it listens
            self.says("INVITE", 1, body)
            try:
                answer = self.hears("SIP/2.0 200", tries=2)
            except (AssertionError, ConnectionRefusedError):
                continue
            break
        found = re.search(r"^To:.*(;tag=\S+)", answer, re.M)
        assert found
        self.tag = found[1]
        self.says("ACK", 1)


@pytest.mark.asterisk
@pytest.mark.parametrize("word", ["HOLD", "REFER <sip:1003@127.0.0.1>"])
def test_an_ack_that_comes_twice_and_late(phones: Phones, word: str) -> None:
    with Partner(phones.ports.phones) as partner:
        partner.calls()
        partner.says("MESSAGE", 2, word)
        asked = partner.hears("INVITE" if word == "HOLD" else "REFER")
        partner.says("ACK", 1)  # for the 200 that the phone has said again meanwhile
        partner.answers(asked, "200 OK" if word == "HOLD" else "202 Accepted")
        if word != "HOLD":
            partner.answers(asked, "202 Accepted")  # and this one twice
        partner.says("MESSAGE", 3, "BYE")
        partner.answers(partner.hears("BYE"), "200 OK")
