"""Recordings over HTTP: who may play which, in what pieces, and what is written down of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientResponse

from monitord.config import ConfigError
from monitord.domain.ledger import RecordingRecord
from monitord.domain.words import EndReason
from monitord.recordings.plays import LASTS_S, TICKETS_MOST, Plays
from monitord.recordings.rules import find, kind_of, parts_within
from tests.kit.client import Client
from tests.kit.daemon import Site, daemon, password_hash
from tests.kit.ledger import read_audit
from tests.kit.records import call
from tests.kit.stores import Store

SPOOL = "/var/spool/asterisk/monitor"
SOUND = bytes(range(250)) * 4
VARIABLES = 'CAMPAIGN = "campaign"\nMIXMONITOR_FILENAME = "recording"'
EXTRA = '[recordings]\nfolder = "sound"\n'
PEOPLE = "".join(
    f'[[people]]\nid = "{key}"\nname = "{key.title()}"\nlogin = "{key}"\nrole = "{role}"\n'
    f'scope = "{scope}"\nteam = "{team}"\npassword_hash = "{password_hash()}"\n'
    for key, role, scope, team in (
        ("ina", "QA manager", "all", "red"),
        ("sue", "supervisor", "own team", "red"),
        ("eva", "supervisor", "own team", "blue"),
        ("adam", "administrator", "all", "red"),
        ("aud", "auditor", "all", "red"),
    )
) + (
    '[[people]]\nid = "ann"\nname = "Ann Agent"\nteam = "red"\nendpoints = ["PJSIP/1001"]\n'
    "agent = true\n"
)
CALL = call(1, started=10_000, ended=70_000, end_reason=EndReason.CALL_ENDED)
RUNNING = call(3, started=10_000)
BARE = call(2, started=10_000, ended=70_000, end_reason=EndReason.CALL_ENDED)


def recording(n: int, file: str | None, **fields: Any) -> RecordingRecord:
    given = RecordingRecord(
        id=f"{n:020x}",
        pbx="lab",
        call=CALL.id,
        channel="7.1",
        started=12_000 + n,
        ended=60_000,
        file=file,
    )
    return msgspec.structs.replace(given, **fields)


FILES: tuple[tuple[str | None, str | None], ...] = (
    (f"{SPOOL}/2026/one.wav", None),
    (None, "no name"),
    (f"{SPOOL}/../../../../etc/passwd", "elsewhere"),
    ("/etc/passwd", "elsewhere"),
    ("../secret.wav", "elsewhere"),
    (f"{SPOOL}/out.wav", "no file"),  # a link to a file that is not in the folder
    (f"{SPOOL}/one.WAV", "kind"),
    (f"{SPOOL}/gone.wav", "no file"),
    (f"{SPOOL}/2026", "kind"),
    ("2026/one.wav", None),
)
"""What Asterisk told, and what hinders that it is played."""


@pytest.fixture
async def url(tmp_path: Path, store: Store) -> AsyncIterator[str]:
    folder = tmp_path / "sound" / "2026"
    folder.mkdir(parents=True)
    (folder / "one.wav").write_bytes(SOUND)
    (tmp_path / "secret.wav").write_bytes(b"nobody's business")
    (tmp_path / "sound" / "out.wav").symlink_to(tmp_path / "secret.wav")
    (tmp_path / "sound" / "one.WAV").write_bytes(SOUND)
    site = Site(
        ami_port=1, secret="s", store=store, people=PEOPLE, extra=EXTRA, variables=VARIABLES
    )
    async with daemon(site, tmp_path) as started:
        started.recorder.take(
            [
                CALL,
                BARE,
                RUNNING,
                *(recording(n, file) for n, (file, _) in enumerate(FILES)),
                recording(50, FILES[0][0], call=RUNNING.id, ended=None),
            ]
        )
        await started.recorder.settled()
        yield started.url


async def signed_in(url: str, login: str) -> Client:
    client = await Client(url).__aenter__()
    assert await client.sign_in(login) == 200
    return client


async def begin(client: Client, n: int = 1, of: str = CALL.id) -> tuple[int, Any]:
    async with client.http.post(f"/api/v1/calls/{of}/recordings/{n}/plays", json={}) as answer:
        return answer.status, await answer.json()


async def fetched(client: Client, address: str, **headers: str) -> tuple[ClientResponse, bytes]:
    async with client.http.get(address, headers=headers) as answer:
        return answer, await answer.read()


async def test_a_recording_is_played_in_pieces_and_written_down_once(
    url: str, store: Store
) -> None:
    async with Client(url) as ina:
        await ina.sign_in("ina")
        found = await ina.get(f"/api/v1/calls/{CALL.id}")
        assert [one["hindrance"] for one in found["recordings"]] == [why for _, why in FILES]
        one = found["recordings"][0]
        assert (one["n"], one["started"], one["ended"]) == (1, 12_000, 60_000)
        assert (await ina.get(f"/api/v1/calls/{BARE.id}"))["recordings"] == []
        assert (await begin(ina, 1, BARE.id))[0] == 404
        (now,) = (await ina.get(f"/api/v1/calls/{RUNNING.id}"))["recordings"]
        assert (now["hindrance"], now["ended"]) == ("runs", None)
        assert (await begin(ina, 1, RUNNING.id))[0] == 409

        status, said = await begin(ina)
        assert status == 200, said
        answer, body = await fetched(ina, said["address"])
        assert (answer.status, body) == (200, SOUND)
        assert answer.headers["Content-Type"] == "audio/wav"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        tag = answer.headers["ETag"]
        when = answer.headers["Last-Modified"]
        for wanted, piece, where in (
            ("bytes=100-199", SOUND[100:200], "bytes 100-199/1000"),
            ("bytes=900-", SOUND[900:], "bytes 900-999/1000"),
            ("bytes=-10", SOUND[-10:], "bytes 990-999/1000"),
            ("bytes=990-5000", SOUND[990:], "bytes 990-999/1000"),
        ):
            answer, body = await fetched(ina, said["address"], Range=wanted)
            assert (answer.status, body) == (206, piece), wanted
            assert answer.headers["Content-Range"] == where
        for bad in ("bytes=1000-", "bytes=20-10", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b"):
            answer, body = await fetched(ina, said["address"], Range=bad)
            assert answer.status == 416 and SOUND[:10] not in body, bad
        answer, body = await fetched(
            ina, said["address"], **{"Range": "bytes=0-9", "If-Range": when}
        )
        assert (answer.status, body, tag) == (206, SOUND[:10], answer.headers["ETag"])
        old = "Thu, 01 Jan 1970 00:00:01 GMT"
        answer, body = await fetched(
            ina, said["address"], **{"Range": "bytes=0-9", "If-Range": old}
        )
        assert (answer.status, body) == (200, SOUND)
    acts = [row for row in read_audit(store, whole=True) if row["action"] == "play recording"]
    assert [(row["actor_id"], row["target"]) for row in acts] == [("ina", f"call {CALL.id}")]


async def test_nobody_hears_what_is_not_theirs(url: str, store: Store) -> None:
    sue, eva = await signed_in(url, "sue"), await signed_in(url, "eva")
    adam, aud = await signed_in(url, "adam"), await signed_in(url, "aud")
    try:
        status, said = await begin(sue)
        assert status == 200, said
        address = said["address"]
        assert (await fetched(sue, address))[1] == SOUND
        # Another team's, no right at all, and a ticket that somebody else got hold of.
        assert (await begin(eva))[0] == 404
        assert (await fetched(eva, address))[0].status == 404
        for client in (adam, aud):
            assert (await begin(client))[0] == 403
            assert (await fetched(client, address))[0].status == 403
            shown = (await client.get(f"/api/v1/calls/{CALL.id}"))["recordings"]
            assert {one["hindrance"] for one in shown} == {"not allowed"}
        # A ticket is for one recording and for one session, also of the same person.
        assert (await fetched(sue, address.replace("/1?", "/10?")))[0].status == 403
        assert (await fetched(sue, address.rpartition("=")[0] + "=x"))[0].status == 403
        assert (await fetched(sue, address.partition("?")[0]))[0].status == 403
        again = await signed_in(url, "sue")
        assert (await fetched(again, address))[0].status == 403
        await again.__aexit__(None, None, None)
        # What the PBX names is never taken outside of the folder.
        for n, (_, why) in enumerate(FILES, 1):
            status, said = await begin(sue, n)
            assert status == (200 if why is None else 409 if why == "kind" else 404), said
        assert (await begin(sue, 11))[0] == (await begin(sue, 0))[0] == 404
        async with sue.http.delete("/api/v1/session") as answer:
            assert answer.status == 204
        assert (await fetched(sue, address))[0].status == 401
    finally:
        for client in (sue, eva, adam, aud):
            await client.__aexit__(None, None, None)
    acts = [row for row in read_audit(store, whole=True) if row["action"] == "play recording"]
    assert [row["actor_id"] for row in acts] == ["sue"] * 3


def test_a_folder_without_a_variable_for_the_files_is_refused(tmp_path: Path) -> None:
    for extra, field in (
        (EXTRA, "recordings.folder"),
        ('[recordings]\nfolder = ""\n', "recordings.folder"),
        ('[recordings]\npbx_folder = "monitor"\n', "recordings.pbx_folder"),
        ('[recordings]\nfolders = "x"\n', "folders"),
    ):
        with pytest.raises(ConfigError, match=field):
            Site(ami_port=1, secret="s", extra=extra).load(tmp_path)


def test_which_file_it_is(tmp_path: Path) -> None:
    assert parts_within("/x/a/b.wav", "/x") == ("a", "b.wav")
    assert parts_within("a/b.wav", "/x") == ("a", "b.wav")
    for bad in ("", "/x", "/xa/b.wav", "/x/../b.wav", "..", "a/../../b.wav", "a\0.wav", "a" * 1001):
        assert parts_within(bad, "/x") is None, bad
    assert (kind_of("a.wav"), kind_of("a.WAV"), kind_of("a.gsm")) == ("audio/wav", None, None)
    assert find(tmp_path / "gone", ("a.wav",)) is None
    (tmp_path / "round.wav").symlink_to(tmp_path / "round.wav")
    assert find(tmp_path, ("round.wav",)) is None


def test_a_ticket_lasts_and_there_are_not_endlessly_many() -> None:
    now = 0.0
    plays = Plays(lambda: now)
    first = plays.begin("s", "r")
    assert plays.fits(first, "s", "r")
    assert not plays.fits(first, "t", "r") and not plays.fits(first, "s", "q")
    for _ in range(TICKETS_MOST):
        last = plays.begin("s", "r")
    assert not plays.fits(first, "s", "r") and plays.fits(last, "s", "r")
    now = LASTS_S
    assert not plays.fits(last, "s", "r")
