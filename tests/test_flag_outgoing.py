"""What goes out of flags: by webhook and by mail, in the transaction of the act; and as a file."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import secrets
import ssl
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from monitord.api import flag_export
from monitord.flags import store as flag_store
from monitord.outbox.mail import Mail, Mailer, MailSettings
from monitord.outbox.sender import FIRST_MS, Sender
from monitord.outbox.store import OutboxStore
from monitord.simulator import Settings, Simulator, User
from monitord.store.engine import open_store
from monitord.store.recorder import Recorder
from tests.kit import certificate
from tests.kit.centre import SECRET, until
from tests.kit.client import DEADLINE, Client
from tests.kit.daemon import Site, daemon
from tests.kit.ledger import read_audit
from tests.kit.mailbox import PASSWORD, USER, Mailbox, mailbox
from tests.kit.receiver import Receiver, receiving, taken
from tests.kit.roster import Editor
from tests.kit.stores import SqliteStore, Store
from tests.kit.teams import AGENTS_AT_ALL, SUPERVISORS_AT_ALL, people
from tests.kit.told import webhook
from tests.test_cli import start
from tests.test_flags import ALPHA, SAYS, Here, new, site
from tests.test_outbox import Clock


def hooked(folder: Path, receiver: Receiver) -> str:
    return webhook(folder, receiver).replace('["notice"]', '["flag"]')


async def seen(here: Here, *, earlier: bool = False) -> None:
    themes = (await here.done("adm", "GET", "/flags/settings"))["themes"]
    body = {"visible": True, "themes": themes, "earlier": earlier}
    await here.done("adm", "PUT", "/flags/settings", body)


async def test_each_act_is_told_signed_with_what_it_says(tmp_path: Path, store: Store) -> None:
    async with receiving() as receiver, site(tmp_path, store, hooked(tmp_path, receiver)) as here:
        call = await here.call_of("alpha-1")
        flag = await here.made_by("sue", call)
        path = f"/flags/{flag['id']}"
        await here.done("sue", "PATCH", path, {"comment": "Another word for it, at 2:10."})
        await here.done("sue", "POST", f"{path}/review")
        await here.done("ina", "POST", f"{path}/reopen")
        await seen(here, earlier=True)
        said = {"kind": "question", "text": "Which refund?"}
        await here.done("alpha-1", "POST", f"{path}/answer", said)
        await here.done("sue", "POST", f"{path}/share")
        await here.done("sue", "DELETE", f"{path}/share")
        await here.done("sue", "POST", f"{path}/take-off", {"why": "another call"})
        assert (await here.ask("sue", "POST", f"{path}/take-off", {"why": ""}))[0] == 409
        expected = [
            *("made", "changed", "reviewed", "reopened", "shown to the agent", "answered"),
            *("shared", "no longer shared", "taken off"),
        ]
        await until(lambda: len(receiver.got) == len(expected), "all of it")
        told = sorted(receiver.got, key=lambda g: int(g["id"].split(".")[1]))
        data = [g["data"] for g in told]
        assert [d["told"] for d in data] == expected
        assert {g["event"] for g in told} == {"flag"} and len({g["id"] for g in told}) == 9
        assert all(g["id"].startswith(f"{flag['id']}.") for g in told)
        by = ["sue", "sue", "sue", "ina", "adm", "alpha-1", "sue", "sue", "sue"]
        assert [d["by"]["id"] for d in data] == by
        assert [d["flag"]["visible"] for d in data] == [False] * 4 + [True] * 5
        assert data[0]["flag"]["comment"] == SAYS and data[1]["flag"]["comment"] != SAYS
        assert data[0]["flag"]["agent"]["id"] == "alpha-1"
        assert [d["answer"] for d in data if d["answer"] is not None] == [said]
        assert data[-1]["why"] == "another call" and data[-1]["flag"]["state"] == "taken off"
        assert call.number.value and call.number.value not in json.dumps(receiver.got)


async def test_an_act_that_is_not_written_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one whose message cannot be queued is not done."""
    kept = SqliteStore.in_folder(tmp_path / "data")
    async with receiving() as receiver, site(tmp_path, kept, hooked(tmp_path, receiver)) as here:
        call = await here.call_of(*ALPHA)

        async def full(*_: Any) -> None:
            raise OperationalError("insert", {}, Exception("the disk is full"))

        with monkeypatch.context() as patched:
            patched.setattr(flag_store, "put", full)
            assert (await here.ask("sue", "POST", "/flags", new(call)))[0] == 503
        assert kept.read("SELECT id FROM flag") == []
        assert "flag call" not in {r["action"] for r in read_audit(kept)}
        flag = await here.made_by("sue", call)
        await until(lambda: receiver.got, "the one that was made")
        assert [g["data"]["flag"]["id"] for g in receiver.got] == [flag["id"]]


async def test_killed_in_the_midst_none_is_lost_and_each_is_known_again(
    tmp_path: Path, store: Store
) -> None:
    """kill -9 while many are being made, and while one is being told: what is a flag is told after
    a start, and nothing else is."""
    given = {"agents": AGENTS_AT_ALL, "supervisors": SUPERVISORS_AT_ALL, "seed": 7}
    user = User(secret=SECRET)
    async with (
        Simulator(Settings(user=user, port=0, speed=0, silent_share=0.0, **given)) as sim,
        receiving() as receiver,
    ):
        receiver.answer = receiver.hang
        site_ = Site(ami_port=sim.port, secret=SECRET, store=store, people=people())
        site_.extra = hooked(tmp_path, receiver)
        process = await start(tmp_path, "run", "--config", str(site_.write(tmp_path)))
        assert process.stderr is not None
        said = b""
        async with asyncio.timeout(DEADLINE * 2):
            while b"the page at " not in said:
                said += await process.stderr.read(4096)
        drain = asyncio.create_task(process.stderr.read())
        url = said.split(b"the page at ")[1].split()[0].decode()
        async with Client(url) as sue:
            assert await sue.sign_in("sue") == 200
            async with sue.stream() as stream:
                await stream.until(lambda s: any(p["link"] == "live" for p in s.of("pbx")))
                call: Any = None
                async with asyncio.timeout(60):
                    while call is None:
                        await sim.advance(3)
                        await stream.level()
                        call = next((c for c in stream.of("call") if c["answered"]), None)
            tries = [asyncio.create_task(_flag(sue, call)) for _ in range(12)]
            async with asyncio.timeout(DEADLINE):
                await next(asyncio.as_completed(tries))
                await receiver.hung.wait()
            process.kill()
            await process.wait()
            await drain
            await asyncio.gather(*tries, return_exceptions=True)
        flags = {row["id"] for row in store.read("SELECT id FROM flag")}
        keys = {row["key"] for row in store.read("SELECT key FROM outbox")}
        assert flags and {key.split(".")[0] for key in keys} == flags
        (hung,) = receiver.got
        assert hung["id"] in keys
        receiver.got.clear()
        receiver.answer = taken
        async with daemon(site_, tmp_path):
            await until(lambda: len(receiver.got) >= len(keys), "those that were left")
            await until(lambda: store.read("SELECT key FROM outbox") == [], "none waits")
        assert sorted(g["id"] for g in receiver.got) == sorted(keys)


async def _flag(sue: Client, call: dict[str, Any]) -> int:
    body = {
        "id": secrets.token_hex(10),
        "call": call["call_id"],
        "polarity": "good",
        "comment": SAYS,
    }
    async with sue.http.post("/api/v1/flags", json=body) as answer:
        return answer.status


# --- mail ------------------------------------------------------------------------------------


@pytest.mark.row("000-41")
async def test_the_agent_is_written_to_and_the_mail_says_nothing_of_it(
    tmp_path: Path, store: Store
) -> None:
    async with mailbox() as box, site(tmp_path, store, box.settings()) as here:
        adm = Editor(here.clients["adm"])
        call = await here.call_of("alpha-1")
        hidden = await here.made_by("sue", call)
        await seen(here)
        await here.made_by("sue", call)  # nobody knows where to write to
        await until(lambda: store.read("SELECT id FROM outbox") == [], "nothing waits")
        await adm.done("PATCH", "/people/alpha-1", {"email": "one@example.org"})
        shown = await here.made_by("sue", call, wanted="Offer it sooner.")
        await until(lambda: box.got, "the mail")
        (letter,) = box.got
        assert box.to == ["one@example.org"] and letter["To"] == "one@example.org"
        assert letter["From"] == "monitord@example.org"
        text = letter.get_content()
        assert "https://monitord.example.org/my-calls" in text.splitlines()
        whole = letter.as_string()
        name = str(call.agent.name)
        for secret in (SAYS, "Offer it", call.call_id, call.number.value, shown["id"], name):
            assert secret and secret not in whole, secret
        assert "refund" not in whole and "Sue" not in whole
        # all that was hidden is one mail, and an edit or an answer is none
        more = await here.call_of("alpha-1")
        await seen(here, earlier=True)
        await until(lambda: len(box.got) == 2, "the second")
        path = f"/flags/{shown['id']}"
        await here.done("sue", "PATCH", path, {"comment": SAYS + " Twice."})
        await here.done("alpha-1", "POST", f"{path}/answer", {"kind": "acknowledgement"})
        assert hidden["visible"] is False
        last = await here.made_by("sue", more)
        await until(lambda: len(box.got) == 3, "the third, and none between")
        assert last["visible"] and len({m["Message-ID"] for m in box.got}) == 3


async def test_a_mail_that_is_not_taken_comes_again_and_is_the_same(
    tmp_path: Path, store: Store
) -> None:
    """A server that is away at first, or refuses, costs none; nor does an erased address linger."""
    engine = await open_store(store.url)
    clock = Clock()
    where: dict[str, str | None] = {"alpha-1": "one@example.org", "alpha-2": "two@example.org"}
    async with mailbox() as box:
        box.answer = "451 not now"
        settings = MailSettings("127.0.0.1", box.port, "none", "m@example.org", "https://m.example")
        mailer = Mailer(settings, where.__getitem__, 5.0)
        kept = OutboxStore(engine)
        sender = Sender(kept, (), mailer=mailer, clock=clock, chance=lambda: 1.0)
        recorder = Recorder(engine)
        for n in (1, 2):
            recorder.take(list(Mail(on=True).records(f"alpha-{n}", f"alpha-{n}.1", clock.now)))
        assert await recorder.write()
        task = asyncio.create_task(sender.run())
        try:
            await until(lambda: len(box.got) == 2, "one that is refused holds up no other")
            where["alpha-2"] = None
            box.answer = "250 taken"
            async with asyncio.timeout(DEADLINE):
                while await kept.due("mail", clock.now, 9):
                    await asyncio.sleep(0.01)
            clock.now += FIRST_MS
            sender.wake()
            async with asyncio.timeout(DEADLINE):
                while await kept.count("mail"):
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            await asyncio.wait([task])
            await engine.dispose()
    assert box.to == ["one@example.org", "two@example.org", "one@example.org"]
    assert box.got[0]["Message-ID"] == box.got[2]["Message-ID"] != box.got[1]["Message-ID"]


async def test_the_password_goes_by_tls_alone(tmp_path: Path) -> None:
    trust = certificate.write(tmp_path, "mail")
    serves = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serves.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    (row,) = Mail(on=True).records("alpha-1", "alpha-1.1", 1_700_000_000_000)

    async def sent(box: Mailbox, trust: ssl.SSLContext, password: str = PASSWORD) -> str:
        settings = MailSettings(
            *("127.0.0.1", box.port, "starttls", "m@example.org", "https://m.example"),
            user=USER,
            password=password,
        )
        mailer = Mailer(settings, lambda _: "one@example.org", 5.0, trust)
        why, _ = await mailer.send(row)
        return why

    async with mailbox(serves) as box, mailbox() as plain:
        assert await sent(box, trust) == ""
        assert box.tls == [True] and box.to == ["one@example.org"]
        assert "535" in await sent(box, trust, "another")
        assert await sent(box, ssl.create_default_context()) != "", "nobody that it knows"
        assert await sent(plain, trust) != "", "no STARTTLS, so no password and no mail"
        assert len(box.got) == 1 and plain.got == []


async def test_who_is_not_there_and_who_says_nothing() -> None:
    """Why is said without the address; only a server that is ill as a whole is left alone."""
    (row,) = Mail(on=True).records("alpha-1", "alpha-1.1", 1_700_000_000_000)

    async def tried(port: int, send_s: float) -> tuple[str, bool]:
        settings = MailSettings("127.0.0.1", port, "none", "m@example.org", "https://m.example")
        return await Mailer(settings, lambda _: "one@example.org", send_s).send(row)

    async with mailbox() as box:
        box.unknown = frozenset({"one@example.org"})
        assert await tried(box.port, 5.0) == ("the recipient was refused: 550", False)
    why, ill = await tried(box.port, 5.0)
    assert why and ill, "nobody listens any more"

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220-")
        await over.wait()
        writer.close()

    over = asyncio.Event()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server, asyncio.timeout(DEADLINE):
        why, ill = await tried(server.sockets[0].getsockname()[1], 0.1)
        over.set()
    assert why and ill and "example" not in why


# --- the file --------------------------------------------------------------------------------


async def test_an_export_has_what_the_list_has(tmp_path: Path, store: Store) -> None:
    async with site(tmp_path, store) as here:
        call = await here.call_of("alpha-1")
        other = await here.call_of("beta-1", "beta-2", "beta-3")
        evil = await here.made_by("sue", call, comment="=HYPERLINK(1); then\n+1", themes=["tone"])
        await here.made_by("sue", call, polarity="bad")
        await here.made_by("bob", other)
        sue, ina = here.clients["sue"], here.clients["ina"]

        async def taken_as(who: Client, **params: str) -> bytes:
            async with who.http.get("/api/v1/flags/export", params=params) as answer:
                assert answer.status == 200, await answer.text()
                assert answer.headers["Monitord-Rows"].isdigit()
                return await answer.read()

        for who, reach in ((sue, {"sue"}), (ina, {"sue", "bob"})):
            found = json.loads(await taken_as(who, format="json"))
            listed = (await who.get("/api/v1/flags"))["rows"]
            assert found["entries"] == listed and found["complete"] is True
            assert found["rows"] == len(listed) and {f["by"]["id"] for f in listed} == reach
        some = json.loads(await taken_as(ina, format="json", polarity="bad", agent="alpha-1"))
        assert [f["polarity"] for f in some["entries"]] == ["bad"]
        body = (await taken_as(sue, format="csv", theme="tone", zone="Asia/Tokyo")).decode(
            "utf-8-sig"
        )
        (line,) = csv.DictReader(io.StringIO(body, newline=""))
        assert line["id"] == evil["id"] and line["themes"] == "tone"
        assert line["comment"] == "'=HYPERLINK(1); then\n'+1" and line["visible"] == "no"
        assert line["made"].endswith("+09:00") and line["moment"].endswith("+09:00")
        for login, query in (("alpha-1", "csv"), ("adm", "csv")):
            assert (await here.ask(login, "GET", f"/flags/export?format={query}"))[0] == 403
        assert (await here.ask("sue", "GET", "/flags/export"))[0] == 400
        assert (await here.ask("sue", "GET", "/flags/export?format=csv&limit=1"))[0] == 400
        said = [r for r in read_audit(store) if r["action"].startswith("export")]
        assert {r["target"] for r in said} == {"flags"} and len(said) == 8
        assert [r["detail"]["outcome"] for r in said[1::2]] == ["complete"] * 4


async def test_a_long_export_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several batches, with flags of one and the same millisecond at their edges."""
    monkeypatch.setattr(flag_export, "BATCH", 2)
    kept = SqliteStore.in_folder(tmp_path / "data")
    async with site(tmp_path, kept) as here:
        call = await here.call_of("alpha-1")
        made = {(await here.made_by("sue", call))["id"] for _ in range(5)}
        async with here.clients["sue"].http.get("/api/v1/flags/export?format=json") as answer:
            found = json.loads(await answer.read())
        assert {f["id"] for f in found["entries"]} == made and found["rows"] == 5
