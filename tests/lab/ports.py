"""Ports for one server and its phones, so that several servers can run at the same time."""

from __future__ import annotations

import fcntl
import socket
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path

from tests.lab.install import LabMissing, cache_folder

HOST = "127.0.0.1"
# Below 32768, from where Linux takes the ports of outgoing connections.
FIRST, SIZE, SLOTS = 20000, 400, 30
LINES = 8  # customers who can ring in at the same time


@dataclass
class Ports:
    """A block of SIZE ports. It is held by a lock that ends with this process."""

    base: int
    lock: TextIOWrapper = field(repr=False)

    @property
    def ami(self) -> int:
        return self.base

    @property
    def sip(self) -> int:
        return self.base + 1

    @property
    def phones(self) -> int:
        return self.base + 2

    @property
    def silent(self) -> int:
        return self.base + 3

    @property
    def controls(self) -> tuple[int, int]:
        """Where sipp listens for its own commands, which nobody sends."""
        return self.base + 4, self.base + 5

    @property
    def media(self) -> tuple[int, int]:
        """Each sipp has one port for the sound of all its calls, and takes that + 2 as well."""
        return self.base + 10, self.base + 20

    def caller(self, line: int) -> tuple[int, int, int]:
        """A customer's sipp: for SIP, for its commands, and the first of four for RTP."""
        first = self.base + 40 + 6 * line
        return first, first + 1, first + 2

    @property
    def rtp(self) -> tuple[int, int]:
        """Asterisk's own, first and last: two for each channel."""
        return self.base + 100, self.base + SIZE - 1

    def release(self) -> None:
        self.lock.close()


def take_ports() -> Ports:
    folder = cache_folder() / "ports"
    folder.mkdir(parents=True, exist_ok=True)
    for slot in range(SLOTS):
        base = FIRST + slot * SIZE
        if ports := _take(base, folder / str(base)):
            return ports
    raise LabMissing(f"all {SLOTS} blocks of ports from {FIRST} on are in use")


def _take(base: int, path: Path) -> Ports | None:
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ports = Ports(base, lock)
        # the lock says nothing of programs that are not ours
        _probe(ports.ami, socket.SOCK_STREAM)
        for port in (ports.sip, ports.phones, ports.silent, *ports.controls):
            _probe(port, socket.SOCK_DGRAM)
    except OSError:
        lock.close()
        return None
    return ports


def _probe(port: int, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
