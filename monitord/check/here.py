"""What can be checked on this machine: the settings, the page, the port."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

from monitord.api import page
from monitord.check.database import running_pid
from monitord.check.report import Line, Section, Verdict
from monitord.config import Loaded


def settings_section(loaded: Loaded, people: Line, page_folder: Path = page.FOLDER) -> Section:
    """``people``: what is to be said of those of the settings."""
    pbxs = len(loaded.links)
    lines = [
        Line(
            "file",
            Verdict.OK,
            f"{loaded.path} is read and valid; {pbxs} PBX{'s' if pbxs > 1 else ''}",
        ),
        Line("secrets", Verdict.OK, "every PBX's secret is there and not for everybody to read"),
        people,
    ]
    missing = page.missing(page_folder)
    lines.append(
        Line("page", Verdict.OK, "is built")
        if missing is None
        else Line("page", Verdict.WRONG, missing, "Without it “monitord run” does not start.")
    )
    if loaded.recordings is not None:
        lines.append(_recordings(loaded.recordings))
    lines.append(_port(loaded))
    return Section("Settings", lines)


def _recordings(folder: Path) -> Line:
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        return Line(
            "recordings",
            Verdict.WRONG,
            f"{folder} cannot be read: {error.strerror}",
            "Without it no recording is played: let monitord's user read recordings.folder.",
        )
    return Line("recordings", Verdict.OK, f"{folder} can be read")


def _port(loaded: Loaded) -> Line:
    server = loaded.settings.server
    where = f"{server.host}:{server.port}"
    if server.port == 0:
        return Line("port", Verdict.OK, f"a free one on {server.host} is taken at each start")
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, address in found:
            with closing(socket.socket(family, kind, protocol)) as probe:
                # As the daemon does; else a connection that has just ended would count as used.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        if loaded.folder is not None and running_pid(loaded.folder) is not None:
            return Line("port", Verdict.OK, f"{where} is in use, and a monitord runs already")
        return Line(
            "port",
            Verdict.WRONG,
            f"{where} cannot be listened on: {error.strerror}",
            "Without it “monitord run” does not start: end what uses it, or change server.port.",
        )
    return Line("port", Verdict.OK, f"{where} is free")
