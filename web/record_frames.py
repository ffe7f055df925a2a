"""Writes ``web/src/live/recorded/*.json``: frames of the stream while a recorded trace happens, and
what a client that comes anew at some of its places gets.

The page's own tests apply them with the page's own code, so that both sides of the stream are held
against each other. With ``--check`` nothing is written and the exit status is 1 where a file is
stale. The frames are the daemon's own, from its hub, encoded as it sends them; only the epoch,
which is made at random, and the time, which is the present, are replaced by fixed ones.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from monitord.ami import trace  # noqa: E402 - the checkout is importable only from here on
from monitord.ami.attachment import translate_item  # noqa: E402
from monitord.api.stream import encode_frame, snapshot  # noqa: E402
from monitord.domain.events import At  # noqa: E402
from monitord.live.hub import Frame, Hub  # noqa: E402
from monitord.people.audience import Audience  # noqa: E402
from monitord.people.roster import EVERYBODY  # noqa: E402

TRACES = ROOT / "tests" / "traces"
OUT = ROOT / "web" / "src" / "live" / "recorded"
CHOSEN = (
    "hard_cases/next-call-under-the-same-spy-22",
    "hard_cases/star-moves-to-another-agent-22",
    "hard_cases/take-over-by-feature-code-support-22",
    "keypad/followed-22",
    "missing/hangup-withheld-by-a-prefix-spy-22",
)
EVERY = 3
"""Frames from one place to the next at which a client comes anew."""

EPOCH = "recorded"
ALL = Audience(EVERYBODY, EVERYBODY, EVERYBODY, numbers=True)


def record(path: Path) -> dict[str, Any]:
    """The frames in their order, and the snapshots, each of which belongs behind the frame with its
    ``seq``; the first one comes before all frames, the last one behind them."""
    header, items = trace.read(path)
    hub = Hub([(header.pbx, header.pbx)], header.site, lambda records: None)
    waiting: list[Frame] = []
    hub.listen(waiting.append)
    at = items[0].wall
    frames: list[Any] = []
    snapshots = [_fixed(snapshot(hub, EPOCH, ALL), at)]
    for item in items:
        event = translate_item(item)
        if event is None:
            continue
        at = item.wall
        hub.apply(header.pbx, event, At(item.mono, item.wall))
        hub.flush()
        for frame in waiting:
            encoded = encode_frame(frame, EPOCH, ALL, frame.seq - 1)
            assert encoded is not None
            frames.append(_fixed(encoded, at))
            if len(frames) % EVERY == 0:
                snapshots.append(_fixed(snapshot(hub, EPOCH, ALL), at))
        waiting.clear()
    snapshots.append(_fixed(snapshot(hub, EPOCH, ALL), at))
    return {"trace": str(path.relative_to(ROOT)), "frames": frames, "snapshots": snapshots}


def _fixed(encoded: bytes, at: int) -> Any:
    return json.loads(encoded) | {"epoch": EPOCH, "at": at}


def text(recorded: dict[str, Any]) -> str:
    """A frame to a line, so that a diff can be read."""

    def lines(frames: list[Any]) -> str:
        return ",\n".join("  " + json.dumps(f, ensure_ascii=False) for f in frames)

    return (
        f'{{\n "trace": {json.dumps(recorded["trace"])},\n'
        f' "frames": [\n{lines(recorded["frames"])}\n ],\n'
        f' "snapshots": [\n{lines(recorded["snapshots"])}\n ]\n}}\n'
    )


def main() -> int:
    options = argparse.ArgumentParser(description="Records frames for the page's tests.")
    options.add_argument("--check", action="store_true", help="only tell whether they are stale")
    check: bool = options.parse_args().check
    wanted = {
        OUT / f"{name.replace('/', '-')}.json": text(record(TRACES / f"{name}.jsonl"))
        for name in CHOSEN
    }
    present = {path: path.read_text() for path in OUT.glob("*.json")}
    if wanted == present:
        return 0
    if check:
        stale = [p for p in wanted.keys() | present.keys() if wanted.get(p) != present.get(p)]
        sys.stderr.write(
            f"{', '.join(sorted(p.name for p in stale))} in {OUT.relative_to(ROOT)}: stale. Run "
            "`python web/record_frames.py` and commit it.\n"
        )
        return 1
    OUT.mkdir(exist_ok=True)
    for path in present.keys() - wanted.keys():
        path.unlink()
    for path, content in wanted.items():
        path.write_text(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
