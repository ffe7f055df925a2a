"""`make run`, as the README has it."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from tests.kit.client import Client
from tests.lab.ports import HOST, take_ports
from tests.test_demo import DEADLINE, PASSWORD, page_of

ROOT = Path(__file__).parent.parent


async def test_run_serves_the_page_on_the_port_that_was_asked_for(tmp_path: Path) -> None:
    ports = take_ports()  # so that nobody else of the tests takes it
    given = {
        "PORT": str(ports.ami),
        "MONITORD_DEMO_FOLDER": str(tmp_path),
        "MONITORD_DEMO_PASSWORD": PASSWORD,
    }
    process = await asyncio.create_subprocess_exec(
        *("make", "--no-print-directory", "run"),
        cwd=ROOT,
        env={**os.environ, **given},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        url, lines = await page_of(process)
        assert url == f"http://{HOST}:{ports.ami}"
        assert any("set-up 3/3" in line for line in lines), "progress is shown"
        async with Client(url) as viewer:
            assert await viewer.sign_in("viewer", PASSWORD) == 200
            async with viewer.http.get("/quality/quality-assurance/coach-manager") as page:
                assert page.status == 200 and "<script" in await page.text()
    finally:
        # As a Ctrl-C in a terminal does: to make and to what it started.
        os.killpg(process.pid, signal.SIGINT)
        await asyncio.wait_for(process.communicate(), DEADLINE)
        ports.release()
