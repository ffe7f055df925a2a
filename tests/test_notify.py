"""Telling the service manager, over real sockets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from monitord.notify import notify


@pytest.mark.parametrize("abstract", [False, True])
def test_ready_is_told(tmp_path: Path, abstract: bool) -> None:
    name = f"@monitord-{tmp_path.name}-{id(tmp_path)}" if abstract else str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(10)
        manager.bind(name.replace("@", "\0", 1) if abstract else name)
        notify("READY=1", {"NOTIFY_SOCKET": name})
        assert manager.recv(100) == b"READY=1"


def test_nobody_waits() -> None:
    notify("READY=1", {})
    notify("READY=1", {"NOTIFY_SOCKET": ""})


def test_a_socket_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "none")})
