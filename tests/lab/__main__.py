"""`python -m tests.lab install|up|status|down`: the lab by hand."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys

from tests.lab.install import VERSIONS, LabMissing, find, install
from tests.lab.ports import HOST
from tests.lab.processes import end_orphans, end_owner, records
from tests.lab.server import AsteriskServer


def command_install() -> None:
    for version in VERSIONS:
        found = install(version)
        print(f"lab: Asterisk {version} is in {found.root}")
    print(f"lab: phones are {shutil.which('sipp')}")


def command_up() -> None:
    """Runs until Ctrl-C, or until `down` is called elsewhere."""
    # SIGTERM as Ctrl-C, so that `down` leaves nothing behind
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    end_orphans()
    with contextlib.ExitStack() as servers, contextlib.suppress(KeyboardInterrupt):
        for version in VERSIONS:
            server = servers.enter_context(AsteriskServer(install(version), by_hand=True))
            print(f"lab: Asterisk {version}: host {HOST}, port {server.ports.ami}, user monitord")
            print(f"     secret in  {server.secret_file}")
            print(f"     its log is {server.log_file}", flush=True)
        print("lab: Ctrl-C ends both", flush=True)
        while True:
            signal.pause()


def command_status() -> None:
    for version in VERSIONS:
        found = find(version)
        print(f"lab: Asterisk {version}: {found.root if found else 'not installed'}")
    for folder, record in records():
        state = "running" if record.alive("asterisk") else "not running"
        owner = record.alive("owner") or "nobody any more"
        print(f"lab: {folder}: {state}, AMI port {record.ami}, started by {owner}")


def command_down() -> None:
    """Ends a running `up`, and what a killed test run has left. Leaves a running one alone."""
    for _, record in records():
        if record.by_hand:
            end_owner(record)
    for folder in end_orphans():
        print(f"lab: ended what was left in {folder}")


def main() -> int:
    commands = {
        "install": command_install,
        "up": command_up,
        "status": command_status,
        "down": command_down,
    }
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("command", choices=commands)
    try:
        commands[parser.parse_args().command]()
    except LabMissing as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
