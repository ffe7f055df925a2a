"""`monitord replay`: a trace drives the whole daemon, and leads to what the recording led to."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitord.ami import trace
from monitord.ami.link import Item, Step
from monitord.ami.playback import Playback
from monitord.ami.replay import replay
from monitord.domain import events as ev
from monitord.domain.words import LinkState
from monitord.replaying import DATABASE, Replaying, replaying
from tests.kit.client import DEADLINE, Client
from tests.kit.ledger import read_audit, read_ledger
from tests.kit.traces import FOLDER

COACH = FOLDER / "supervision" / "each-type-dialplan-Coach-22.jsonl"

PROGRAM = (
    "import pathlib, sys; from monitord import cli, replaying as r;"
    "r.replaying.__wrapped__.__kwdefaults__['page_folder'] = pathlib.Path(sys.argv.pop(1));"
    "cli.main()"
)
"""`monitord`, with another folder for the page, which may not be built yet."""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    folder = tmp_path / "page"
    folder.mkdir()
    for name in ("index.html", "sign-in.html", "link.html"):
        (folder / name).write_text("<!-- page -->")
    return folder


@asynccontextmanager
async def started(
    path: Path, page: Path, folder: Path | None = None, speed: float = 0
) -> AsyncIterator[Replaying]:
    async with replaying(path, speed=speed, port=0, folder=folder, page_folder=page) as made:
        yield made


def shifted(items: list[Item], by: int) -> Iterator[Item]:
    for item in items:
        later: Item = msgspec.structs.replace(item, wall=item.wall + by)
        if isinstance(later, Step) and isinstance(later.event, ev.LinkChanged):
            heard = later.event.heard
            event = msgspec.structs.replace(later.event, heard=heard + by if heard else 0)
            later = msgspec.structs.replace(later, event=event)
        yield later


def in_the_middle(tmp_path: Path) -> Path:
    """A trace that at once comes to a supervision that runs, and says nothing more for an hour."""
    lines = COACH.read_bytes().splitlines(keepends=True)
    made = [lines[0]]
    base = msgspec.json.decode(lines[1])
    for line in lines[1:]:
        item = msgspec.json.decode(line)
        item |= {"mono": base["mono"], "wall": base["wall"]}
        if item.get("name") == "ChanSpyStop":
            item |= {"mono": base["mono"] + 3_600_000, "wall": base["wall"] + 3_600_000}
            made.append(msgspec.json.encode(item) + b"\n")
            break
        made.append(msgspec.json.encode(item) + b"\n")
    path = tmp_path / "middle.jsonl"
    path.write_bytes(b"".join(made))
    return path


async def program(page: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, str(page), "replay", "--port", "0", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


# --- what it leads to --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "supervision/each-type-dialplan-Coach-22",
        "supervision/agent-status-16",
        "hard_cases/take-over-by-feature-code-support-22",
        "hard_cases/star-moves-to-another-agent-16",
        "keypad/followed-22",
        "missing/hangup-withheld-by-a-prefix-spy-22",
    ],
)
@pytest.mark.parametrize("speed", [0, 1, 50], ids=lambda s: f"speed-{s}")
async def test_the_ledger_is_that_of_the_recording(
    name: str, speed: float, page: Path, tmp_path: Path
) -> None:
    path = FOLDER / f"{name}.jsonl"
    header, items = trace.read(path)
    async with started(path, page, tmp_path / "kept", speed) as made:
        await asyncio.wait_for(made.over(), 120)
        shift = made.playback.shift_ms
        attachment = made.daemon.attachments[header.pbx]
        assert (attachment.failed, attachment.malformed) == (0, 0)
    found = read_ledger(tmp_path / "kept" / DATABASE)
    (gap,) = found.pop("gaps")
    assert "replay is over" in gap["why"] and gap["started"] == items[-1].wall + shift
    expected = replay(header, shifted(items, shift), settle=False).ledger()
    assert expected.pop("gaps") == []
    assert found == expected


@pytest.mark.parametrize("speed", [0, 0.5, 1, 3, 1000], ids=lambda s: f"speed-{s}")
async def test_no_stamp_is_in_the_future(speed: float) -> None:
    """At the moment at which an item is due, the replay's present is not ahead of ours."""
    summary = trace.summary(COACH)
    whole = summary.last.mono - summary.first.mono
    playback = Playback("lab", summary, trace.stream(COACH), lambda item: None, speed)
    began = playback.now().wall if speed <= 1 and speed else None
    for offset in (0, whole // 3, whole):
        stamp = summary.first.wall + offset + playback.shift_ms
        takes = offset / speed if speed else 0
        real = (playback._began.wall) + takes
        assert stamp <= real + 1
    if began is not None:
        assert summary.first.wall + playback.shift_ms == began
    else:
        takes = whole / speed if speed else 0
        end = summary.first.wall + whole + playback.shift_ms
        assert abs(end - (playback._began.wall + takes)) <= 1


# --- while it plays ----------------------------------------------------------------------


async def test_a_person_sees_that_it_is_a_replay_and_can_disconnect_nobody(
    page: Path, tmp_path: Path
) -> None:
    async with started(in_the_middle(tmp_path), page, tmp_path / "kept", 1) as made:
        url, passwords = made.daemon.url, made.passwords
        assert set(passwords) == {"viewer", "supervisor"}
        async with Client(url) as viewer, Client(url) as supervisor:
            assert await viewer.sign_in("viewer", "wrong") == 401
            assert await viewer.sign_in("viewer", passwords["viewer"]) == 200
            assert await supervisor.sign_in("supervisor", passwords["supervisor"]) == 200
            async with viewer.stream() as stream:
                shown = await stream.until(lambda s: s.of("supervision"), "a supervision")
                (pbx,) = stream.of("pbx")
                assert (pbx["name"], pbx["link"]) == ("replay of lab", "live")
                assert "This is a replay: it was recorded from 2026-" in pbx["detail"]
                assert (await viewer.disconnect(shown[0]["id"]))[0] == 403
                status, outcome = await supervisor.disconnect(shown[0]["id"])
                assert status == 200 and outcome["outcome"] == "refused"
                assert "this is a replay of a trace" in outcome["why"]
                assert stream.of("supervision"), "it goes on"
    actions = [r["action"] for r in read_audit(tmp_path / "kept" / DATABASE)]
    assert actions.count("disconnect") == 1


async def test_after_the_end_the_last_state_stays_and_is_said_to_be_old(
    page: Path, tmp_path: Path
) -> None:
    async with started(in_the_middle(tmp_path), page, speed=0) as made:
        await asyncio.wait_for(made.over(), DEADLINE)
        async with Client(made.daemon.url) as viewer:
            assert await viewer.sign_in("viewer", made.passwords["viewer"]) == 200
            async with viewer.stream() as stream:
                await stream.until(lambda s: s.seq >= 0)
                (pbx,) = stream.of("pbx")
                assert pbx["link"] == LinkState.LOST and "replay is over" in pbx["detail"]
                assert [c["state"] for c in stream.of("call")] == ["talking"]


# --- the program -------------------------------------------------------------------------


async def test_it_stays_until_it_is_asked_to_end(page: Path) -> None:
    process = await program(page, "--speed", "0", str(COACH))
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(DEADLINE):
        while b"the replay is over" not in said:
            read = await process.stdout.read(4096)
            assert read, said
            said += read
    match = re.search(rb"page:  (\S+)[\s\S]*viewer +(\S+)", said)
    assert match is not None, said
    async with Client(match[1].decode()) as viewer:
        assert await viewer.sign_in("viewer", match[2].decode()) == 200
        (row,) = (await viewer.get("/api/v1/supervisions"))["rows"]
        assert row["type"] == "Coach"
    process.send_signal(signal.SIGINT)
    code, _, err = await ended(process)
    assert (code, err) == (0, "")


async def test_a_cut_trace_is_played_as_far_as_it_is_whole(page: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(COACH.read_bytes()[:30_000])
    process = await program(page, "--speed", "0", "--exit", str(cut))
    code, out, err = await ended(process)
    assert code == 0 and "the last line was cut" in out and "the replay is over" in out, err


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param("missing", "a.jsonl: cannot be read: No such file", id="missing"),
        pytest.param("folder", "a.jsonl: cannot be read: Is a directory", id="folder"),
        pytest.param("other", "a.jsonl: line 1 is no trace header", id="not-a-trace"),
        pytest.param("empty", "nothing was recorded in it", id="nothing-in-it"),
        pytest.param("middle", "a.jsonl: line 9 is broken", id="broken-in-the-middle"),
        pytest.param("long", "a.jsonl: line 9 is longer than 1048576 bytes", id="line-too-long"),
        pytest.param("time", "a.jsonl: line 9 is broken", id="time-out-of-bounds"),
    ],
)
async def test_what_cannot_be_played(spoil: str, words: str, page: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = COACH.read_bytes().splitlines(keepends=True)
    if spoil == "folder":
        path.mkdir()
    elif spoil == "other":
        path.write_text("# notes\n")
    elif spoil == "empty":
        path.write_bytes(lines[0])
    elif spoil != "missing":
        line = {
            "middle": b'{"mono":1,\n',
            "long": b'{"mono":1,"wall":1,"text":"%s"}\n' % (b"x" * (1 << 20)),
            "time": b'{"mono":1,"wall":9007199254740991}\n',
        }[spoil]
        path.write_bytes(b"".join([*lines[:8], line, *lines[8:]]))
    code, out, err = await ended(await program(page, "--exit", str(path)))
    assert code == 1 and words in err and out == "", err
    assert "Traceback" not in err


@pytest.mark.parametrize("name", ["monitord.sqlite3", DATABASE])
async def test_no_two_ledgers_are_mixed(name: str, page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / name).write_bytes(b"what was there")
    code, _, err = await ended(await program(page, "--folder", str(folder), str(COACH)))
    assert code == 1 and f"{name} is a ledger already" in err
    assert (folder / name).read_bytes() == b"what was there"


async def test_a_thrown_away_ledger_leaves_nothing(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    async with started(COACH, page) as made:
        await asyncio.wait_for(made.over(), DEADLINE)
        assert list(temporary.glob(f"*/{DATABASE}"))
    assert list(temporary.iterdir()) == []


async def test_a_trace_that_is_spoilt_meanwhile_is_said_to_have_broken_off() -> None:
    summary = trace.summary(COACH)
    said: list[Any] = []

    def items() -> Iterator[Item]:
        yield from trace.read(COACH)[1][:5]
        raise trace.TraceError("line 7 is broken")

    playback = Playback("lab", summary, items(), said.append, 0)
    await asyncio.wait_for(playback.run(), DEADLINE)
    assert playback.over.is_set()
    assert said[-1].event.link is LinkState.LOST
    assert "broke off: line 7 is broken" in said[-1].event.detail
