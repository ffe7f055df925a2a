"""The truth log: what really happened in the centre, to hold a client's ledger against."""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from monitord.simulator.clock import Clock


class Truth:
    """JSON lines, each flushed; without a file the newest are kept in memory."""

    def __init__(self, clock: Clock, path: str | None) -> None:
        self._clock = clock
        self._file: IO[str] | None = Path(path).open("w", encoding="utf-8") if path else None  # noqa: SIM115 - lives as long as the centre
        self.lines: deque[dict[str, object]] = deque(maxlen=20_000)

    def write(self, what: str, **facts: object) -> None:
        wall = self._clock.wall
        stamp = datetime.fromtimestamp(wall, UTC).isoformat(timespec="microseconds")
        line = {"at": stamp, "epoch": round(wall, 6), "what": what, **facts}
        if self._file is None:
            self.lines.append(line)
            return
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
