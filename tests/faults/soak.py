"""`make soak`: a hundred thousand calls and thousands of supervisions in a row through the daemon's
own parts (tests/kit/day), and what is left of them: memory, tasks, files, rows.

The simulator runs in the same process; what it keeps would be seen as growth as well.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from tests.kit.day import day
from tests.kit.faults import Shown, keep, write
from tests.kit.ledger import read_ledger
from tests.kit.truth import Comparison, read_truth

FAULT = "a long run"
AGENTS, SUPERVISORS = 200, 20
STEP_S = 300.0
"""Simulated seconds between two looks at the process: some 300 calls and 50 supervisions."""

WARM_UP = 0.2
"""Share of the looks before memory has to be flat: caches fill, the allocator finds its size."""

GROWTH_MOST_KB = 4096
"""Between the second fifth and the last one; the noise of the allocator is about 1 MB. A single
kilobyte kept of each call would be 60 MB."""

Say = Callable[[str], None]


class Look(msgspec.Struct, frozen=True):
    calls: int
    """That have ended."""
    supervisions: int
    resident_kb: int
    blocks: int
    """Objects that Python holds."""
    tasks: int
    files: int


class Soak(msgspec.Struct, frozen=True):
    """What a run has shown."""

    seed: int
    calls: int
    supervisions: int
    exact: int
    """Rows that are the truth to the millisecond."""
    seconds: float
    """The machine's, not the simulated ones."""
    looks: list[Look]
    wrong: list[str]
    open_rows: int
    """Rows of the ledger without an end, beyond those that truly run."""

    @property
    def growth_kb(self) -> int:
        """From the median of the second fifth to that of the last one."""
        n = max(1, round(len(self.looks) * WARM_UP))
        early, late = self.looks[n : 2 * n], self.looks[-n:]
        return _median(late) - _median(early)

    def more(self, what: str) -> int:
        """Of the last looks than of the first ones; one that lasts a moment is no leftover."""
        counts = [getattr(look, what) for look in self.looks]
        return int(min(counts[-5:]) - min(counts[:5]))

    def faults(self) -> list[str]:
        """What is wrong with it, in words; empty where all is well."""
        said = list(self.wrong[:5])
        if self.growth_kb > GROWTH_MOST_KB:
            said.append(f"memory grew by {self.growth_kb} kB")
        if self.more("tasks") > 0:
            said.append(f"{self.more('tasks')} tasks are left over")
        if self.more("files") > 0:
            said.append(f"{self.more('files')} open files are left over")
        if self.open_rows:
            said.append(f"{self.open_rows} rows are left open")
        return said

    def counts(self) -> dict[str, int]:
        return {
            "calls": self.calls,
            "supervisions": self.supervisions,
            "rows equal to the truth to the millisecond": self.exact,
            "wrong": len(self.wrong),
            "left open": self.open_rows,
            "kB more after warm-up": self.growth_kb,
            "kB in all": self.looks[-1].resident_kb,
            "tasks more": self.more("tasks"),
            "files more": self.more("files"),
            "seconds": round(self.seconds),
        }


def _median(looks: list[Look]) -> int:
    return round(statistics.median(look.resident_kb for look in looks))


def look(calls: int, supervisions: int) -> Look:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Look(
        calls,
        supervisions,
        pages * os.sysconf("SC_PAGE_SIZE") // 1024,
        sys.getallocatedblocks(),
        len(asyncio.all_tasks()),
        sum(1 for _ in Path("/proc/self/fd").iterdir()),
    )


async def soak(folder: Path, calls: int, supervisions: int, seed: int, say: Say) -> Soak:
    """Until there were so many of both."""
    began = time.monotonic()
    looks: list[Look] = []
    ended = {"call_ended": 0, "supervision_ended": 0}
    async with day(folder, seed=seed, agents=AGENTS, supervisors=SUPERVISORS) as here:
        write = here.sim.truth.write

        def counting(what: str, **facts: object) -> None:
            if what in ended:
                ended[what] += 1
            write(what, **facts)

        here.sim.truth.write = counting  # type: ignore[method-assign]
        while ended["call_ended"] < calls or ended["supervision_ended"] < supervisions:
            await here.advance(STEP_S)
            looks.append(look(*ended.values()))
            if len(looks) % 10 == 0:
                now = looks[-1]
                say(
                    f"{time.monotonic() - began:6.0f} s: {now.calls:,} calls, "
                    f"{now.supervisions:,} supervisions, {now.resident_kb:,} kB, "
                    f"{now.blocks:,} objects, {now.tasks} tasks, {now.files} files"
                )
        attached_at, gaps, end = here.attached_at, here.gaps, here.now
    took = time.monotonic() - began
    truth = read_truth(folder / "truth.jsonl")
    ledger = read_ledger(folder / "data" / "monitord.sqlite3")
    found = Comparison(truth, ledger, [(0, attached_at), *gaps])
    found.run()
    return Soak(
        *(seed, len(truth.calls), len(truth.supervisions), found.exact, took, looks, found.wrong),
        open_rows=sum(
            sum(row["ended"] is None for row in ledger[name])
            # A call that arrives at the last instant is none of ours before it is queued.
            - sum(one.ended is None and one.started < end for one in running)
            for name, running in (("calls", truth.calls), ("supervisions", truth.supervisions))
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--supervisions", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="write it into docs/reliability.md")
    given = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with tempfile.TemporaryDirectory(prefix="monitord-soak-") as folder:
        found = asyncio.run(
            soak(
                *(Path(folder), given.calls, given.supervisions, given.seed),
                say=lambda line: print(line, flush=True),
            )
        )
    print("\n".join(f"{what}: {n:,}" for what, n in found.counts().items()))
    faults = found.faults()
    keep(
        Shown(FAULT, "", counted="make soak", seed=given.seed, counts=found.counts()),
    )
    if given.keep:
        write()
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
