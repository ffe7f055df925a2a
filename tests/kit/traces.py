"""Traces of the real-Asterisk tests: recorded by the product's own recorder, kept on demand.

`MONITORD_KEEP_TRACES=1 make test-asterisk` writes tests/traces anew: the trace, scrubbed, and
beside it the rows that it leads to, which a person reviews in the diff.
"""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path
from typing import Any

import msgspec

from monitord.ami import trace
from monitord.ami.link import Item
from monitord.ami.replay import replay

FOLDER = Path(__file__).parent.parent / "traces"
KEEP = os.environ.get("MONITORD_KEEP_TRACES") == "1"
_BROKEN = ("breaks", "late_attach")
_BROKEN_ONES = ("after-a-gap",)
"""Families, and single ones of others, of which a trace may begin in the middle, have gaps, or end
before all is over."""


def kept_traces(*, unbroken: bool = False) -> list[Path]:
    """All of them, or those of one link that lived from before the first call to after the last."""
    paths = sorted(FOLDER.rglob("*.jsonl"))
    return [p for p in paths if not unbroken or not _broken(p)]


def _broken(path: Path) -> bool:
    return path.parent.name in _BROKEN or path.stem.rpartition("-")[0] in _BROKEN_ONES


_kept: set[tuple[str, int]] = set()
NUMBERS = ("5551234", "5559876")
"""Customers' numbers of the tests, which stand for a site's real ones."""


class Tap:
    """Keeps what the daemon gets, and can tell whether a replay gives the same."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def take(self, _pbx: str, item: Item) -> None:
        self.items.append(item)

    def written(self, header: trace.Header, numbers: tuple[str, ...]) -> bytes:
        file = io.BytesIO()
        recorder = trace.Recorder(file, trace.Scrubber(numbers))
        recorder.begin(header)
        for item in self.items:
            recorder.take(item)
        return file.getvalue()

    def keep(self, header: trace.Header) -> None:
        """Under the name of the test that runs; where a test has several daemons, the second's
        is numbered, and so on."""
        file, _, node = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0].partition("::")
        name, version = test_name(node)
        folder = FOLDER / Path(file).stem.removeprefix("test_")
        folder.mkdir(parents=True, exist_ok=True)
        count = next(n for n in range(1, 100) if (node, n) not in _kept)
        _kept.add((node, count))
        part = f".{count}" if count > 1 else ""
        path = folder / f"{name}{part}-{version}.jsonl"
        path.write_bytes(self.written(header, NUMBERS))
        rows_file(path).write_text(rows_text(path))


def rows_file(path: Path) -> Path:
    return path.with_suffix(".rows.json")


def rows_text(path: Path) -> str:
    """What a kept trace leads to, readable in a diff."""
    rows = replay(*trace.read(path)).ledger()
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def without_wrap_up(rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Calls, supervisions, segments and gaps; a wrap-up may still run when the test ends."""
    calls = [{**c, "wrap_up_ms": None} for c in rows["calls"]]
    kept: dict[str, Any] = {name: rows[name] for name in ("supervisions", "segments", "gaps")}
    return {**kept, "calls": calls}


def test_name(node: str) -> tuple[str, str]:
    """`test_each_type[asterisk22-dialplan-Monitor]` gives `each-type-dialplan-Monitor`, `22`."""
    match = re.fullmatch(r"test_(?P<name>\w+)\[asterisk(?P<version>\d+)(?P<rest>.*)\]", node)
    assert match, node
    return f"{match['name']}{match['rest']}".replace("_", "-"), match["version"]


def read_header(data: bytes) -> trace.Header:
    return msgspec.json.decode(data.split(b"\n", 1)[0], type=trace.Header)
