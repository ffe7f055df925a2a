"""The administrator's guide, followed to the letter on real Asterisk: each of its commands is run.

Only places are changed (`Machine.here`): folders and ports, and on 16 the one line that the guide
says is to be changed there. systemd itself does not run: tests/kit/systemctl.py says what stands
for it.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from monitord.api.page import HOME
from tests.kit.client import DEADLINE, Client
from tests.kit.daemon import PASSWORD
from tests.kit.guide import Block, Shell, read, syntax_error, unseen
from tests.kit.ledger import read_ledger
from tests.kit.proxy import Proxy
from tests.kit.site import ROOT, Machine, make_wheel, tools
from tests.kit.systemctl import UID
from tests.lab.install import LabMissing, install, required
from tests.lab.processes import end_orphans
from tests.lab.scene import Call, Scene
from tests.lab.server import AsteriskServer

GUIDE = ROOT / "docs" / "admin-guide.md"

NOT_EXECUTED: dict[str, str] = {}
"""First line of a block to the reason why it cannot be run in a test. There is none."""

_ON = [
    pytest.param(
        v, marks=[pytest.mark.asterisk, pytest.mark.xdist_group(f"asterisk{v}")], id=str(v)
    )
    for v in (22, 16)
]


@pytest.fixture(params=_ON)
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    try:
        installed = install(request.param)
        tools()
    except LabMissing as missing:
        if required():
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
    end_orphans()
    server = AsteriskServer(installed)
    try:
        machine = Machine(server)
        try:
            server.start()
            yield machine
        finally:
            machine.remove()
    finally:
        server.remove()


@dataclass
class Reader:
    """Somebody who follows the guide."""

    machine: Machine
    scene: Scene
    shell: Shell
    variant: str = "plain"
    office: str = "office"
    """The context of the supervisors' telephones."""
    proxy: Proxy | None = None
    """Before the page, from section 10 on."""
    codes: bool = False
    """Feature codes are there; before, supervisors use a way of the site's own."""
    done: set[Block] = field(default_factory=set)

    async def follow(self, blocks: list[Block]) -> None:
        for block in blocks:
            if block.only not in ("", self.variant):
                continue
            output = await self._beside(block)
            expected = tuple(self.machine.here(line) for line in block.expected)
            missing = unseen(expected, output)
            assert missing is None, f"{block}\nnot seen: {missing}\nprinted:\n{output}"
            self.done.add(block)
            if "secure_cookie" in block.code:
                self.proxy = await asyncio.to_thread(self._start_proxy)
                await self.page_is_reached_through_the_proxy()
            if "dialplan reload" in block.code:
                self.codes = "extensions-monitord" not in block.code

    async def _beside(self, block: Block) -> str:
        """Runs it, and makes happen beside it what the guide says."""
        if not block.meanwhile:
            return await self._run(block)
        beside: Callable[[Block], Awaitable[str]] = {
            "a call": self._in_a_call,
            "a supervised call": self._in_a_supervised_call,
            "a supervised call, then Ctrl-C": self._before_ctrl_c,
            "a supervised call that must not change": self._must_not_change,
        }[block.meanwhile]
        return await beside(block)

    async def _run(self, block: Block) -> str:
        code, types = self.machine.here(block.code), block.types
        if block.code == "make wheel\n":
            return await asyncio.to_thread(make_wheel, self.machine, code)
        if not block.until_seen:
            return await asyncio.to_thread(self.shell.run, code, types)
        expected = tuple(self.machine.here(line) for line in block.expected)
        return await asyncio.to_thread(self.shell.run_until, code, expected, types)

    # --- what happens beside -------------------------------------------------------------

    async def _in_a_call(self, block: Block) -> str:
        call = await self.scene.customer_calls_in("5551234", campaign="spring", list_="L7")
        output = await self._run(block)
        await self.scene.hangup(call.customer)
        await self.rest()
        return output

    async def _in_a_supervised_call(self, block: Block) -> str:
        async with self.supervised():
            output = await self._run(block)
        await self.rest()
        return output

    async def _before_ctrl_c(self, block: Block) -> str:
        task = asyncio.create_task(self._run(block))
        await self.connected()
        async with self.supervised():
            pass
        await self.rest()
        self.shell.interrupt()
        return await task

    async def _must_not_change(self, block: Block) -> str:
        """The service dies; channels and bridges are the same, and it finds the spy again."""
        machine = self.machine
        async with self.supervised():
            before_kill = await self.shown()
            before = await self.channels()
            output = await self._run(block)
            await self.connected(False)
            assert await self.channels() == before
            assert machine.service.pid() is None
            # As systemd does by itself after RestartSec=.
            await asyncio.to_thread(self.shell.run, "systemctl start monitord")
            after_kill = await self.shown()
            assert after_kill["id"] == before_kill["id"]
            assert await self.channels() == before
        await self.rest()
        return output

    @asynccontextmanager
    async def supervised(self) -> AsyncIterator[Call]:
        """A queue's call, and Sue coaches its agent."""
        scene = self.scene
        call = await scene.customer_calls_in("5551234", campaign="spring", list_="L7")
        if self.codes:
            since = scene.ami.mark()
            spyer = await scene._originate("PJSIP/2001", self.office, "*2221001", "2001", [])
            await scene.ami.wait_event("ChanSpyStart", since, SpyerUniqueid=spyer)
        else:
            spyer = await scene.supervisor_spies("2001", call.agent_channel, "qw")
        yield call
        await scene.hangup(spyer)
        await scene.hangup(call.customer)

    async def rest(self) -> None:
        await self.scene.all_quiet()
        await self.scene.reset()  # else the queue's wrap-up would let the next call wait

    async def connected(self, wanted: bool = True) -> None:
        async with asyncio.timeout(DEADLINE):
            while wanted != ("monitord" in await self.cli("manager show connected")):
                await asyncio.sleep(0.1)

    async def channels(self) -> list[tuple[str, ...]]:
        keys = ("Uniqueid", "Channel", "ChannelStateDesc", "BridgeID", "Application", "Data")
        return sorted(tuple(c[k] for k in keys) for c in await self.scene.channels())

    async def shown(self) -> Any:
        """The live supervision, as somebody sees it who opens the page and signs in."""
        async with self.client() as sue:
            assert await sue.sign_in("sue", PASSWORD) == 200
            async with sue.http.get("/", headers={"Accept": "text/html"}) as page:
                assert page.status == 200 and page.url.path == HOME
                assert "/assets/app/" in await page.text()
            async with sue.stream() as stream:
                return await stream.until(
                    lambda s: next((x for x in s.of("supervision") if x["state"] == "active"), None)
                )

    def client(self) -> Client:
        if self.proxy is not None:
            return self.proxy.client()
        return Client(f"http://127.0.0.1:{self.machine.page_port}")

    def _start_proxy(self) -> Proxy:
        machine = self.machine
        port = machine.server.ports.base + 31
        proxy = Proxy(machine.root / "nginx", GUIDE.read_text(), port, machine.page_port)
        machine.at_the_end.callback(proxy.end)
        return proxy

    async def page_is_reached_through_the_proxy(self) -> None:
        html = {"Accept": "text/html"}
        async with self.client() as nobody, nobody.http.get("/", headers=html) as page:
            assert page.status == 200 and page.url.path == "/sign-in"

    async def cli(self, command: str) -> str:
        return await asyncio.to_thread(self.machine.server.cli, command)


async def test_the_whole_guide(machine: Machine, tmp_path: Path) -> None:
    """From nothing to the page and back, plain; then what is other on FreePBX."""
    blocks = read(GUIDE)
    live = [b for b in blocks if b.section < 15]
    *away, rest = [b for b in blocks if b.section == 15]
    server = machine.server
    async with await Scene.on(server) as scene:
        with Shell(tmp_path / "shell", machine.environment, machine.root) as shell:
            reader = Reader(machine, scene, shell)
            before = await asyncio.to_thread(machine.asterisk_as_it_is)
            await reader.follow(live)
            await reader.follow(away)
            assert await asyncio.to_thread(machine.asterisk_as_it_is) == before
            assert machine.service.pid() is None and reader.proxy is not None

            await asyncio.to_thread(machine.be_freepbx)
            reader.variant, reader.office = "freepbx", "from-internal"
            before = await asyncio.to_thread(machine.asterisk_as_it_is)
            await reader.follow([b for b in blocks if b.section in (5, 8, 7)])
            async with reader.supervised():
                pass  # by a code, through FreePBX's contexts
            await reader.rest()
            await reader.follow([b for b in away if "systemctl" not in b.code])
            assert await asyncio.to_thread(machine.asterisk_as_it_is) == before

            await reader.follow([rest])
    assert not (machine.root / "opt/monitord").exists()
    assert not (machine.root / "etc/monitord").exists()
    folder = machine.root / "var/lib/monitord"
    ledger = folder / "monitord.sqlite3"
    for path, mode in ((folder, 0o700), (ledger, 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert path.stat().st_uid == (UID if os.geteuid() == 0 else os.geteuid())
    # One from before the backup was made, and one from after it was restored.
    supervisions = read_ledger(ledger)["supervisions"]
    assert [s["type"] for s in supervisions] == ["Coach", "Coach"]
    assert all(s["ended_exact"] for s in supervisions)
    left = {b.code.splitlines()[0] for b in blocks if b not in reader.done}
    assert left == set(NOT_EXECUTED)


def test_every_command_is_well_formed() -> None:
    blocks = read(GUIDE)
    assert [str(b) for b in blocks if syntax_error(b.code)] == []
    fences = GUIDE.read_text().count("\n```sh\n")
    assert len(blocks) == fences > 30
