"""The lab's own processes on record, so that what a killed test run leaves can be ended."""

from __future__ import annotations

import json
import os
import select
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.install import cache_folder, locked, remove_tree

RECORD = "lab.json"


@dataclass(frozen=True)
class Record:
    """A server as its owner wrote it down. Processes are name: (pid, start)."""

    version: int
    ami: int
    by_hand: bool  # started by `up`, and not by a test run
    processes: dict[str, tuple[int, str]]

    def alive(self, name: str) -> int | None:
        pid, start = self.processes.get(name, (0, ""))
        return pid if start and started(pid) == start else None


def started(pid: int) -> str:
    """When the process started (clock ticks since boot), or "" if it is gone.

    Together with the pid it is the process' identity: a pid alone is used again.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *rest = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else rest[18]


def write_record(folder: Path, version: int, ami: int, by_hand: bool, pids: dict[str, int]) -> None:
    named = {"owner": os.getpid(), **pids}
    processes = {name: (pid, started(pid)) for name, pid in named.items()}
    # replaced at once: another process may read it at any time
    draft = folder / f"{RECORD}.new"
    draft.write_text(json.dumps(asdict(Record(version, ami, by_hand, processes))))
    draft.replace(folder / RECORD)


def records() -> list[tuple[Path, Record]]:
    """The servers on record, running or left behind, with their folders."""
    found = []
    for path in sorted(cache_folder().glob(f"asterisk-*/lab-*/{RECORD}")):
        data = json.loads(path.read_text())
        data["processes"] = {name: tuple(pair) for name, pair in data["processes"].items()}
        found.append((path.parent, Record(**data)))
    return found


def end_orphans() -> list[Path]:
    """Ends and removes the servers whose owner is gone without having done it."""
    ended = []
    cache_folder().mkdir(parents=True, exist_ok=True)
    with locked(cache_folder() / "orphans.lock"):
        for folder, record in records():
            if record.alive("owner"):
                continue
            for name in record.processes:
                if pid := record.alive(name):
                    os.kill(pid, signal.SIGKILL)
                    wait_gone(pid)
            remove_tree(folder)
            ended.append(folder)
    return ended


def end_owner(record: Record) -> None:
    """Asks a running `up` to end, and waits until it has."""
    if pid := record.alive("owner"):
        os.kill(pid, signal.SIGTERM)
        wait_gone(pid)


def wait_gone(pid: int, seconds: float = 30.0) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([handle], [], [], seconds)[0]:
            raise TimeoutError(f"process {pid} has not ended in {seconds} s")
    finally:
        os.close(handle)
