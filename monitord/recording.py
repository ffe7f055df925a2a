"""`monitord record`: one PBX attached for nothing but a trace of what it sends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import IO

import click

from monitord.ami import trace
from monitord.ami.actions import AmiError
from monitord.ami.attachment import Attachment
from monitord.app import stop_tasks
from monitord.assembly.errors import StartError
from monitord.config import Loaded
from monitord.foreground import stop_asked
from monitord.live.hub import Hub


def new_file(path: Path) -> IO[bytes]:
    """For its owner only, as customers' numbers may be in it.

    Raises:
        StartError: there is a file of that name, or none can be made.
    """
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}") from None


async def record(loaded: Loaded, pbx: str, output: Path, seconds: int | None) -> None:
    """Until the process is asked to end, or for so many seconds from when the PBX is reached; each
    SIGUSR1 sets a mark.

    Raises:
        StartError: there is no such PBX, or the trace cannot be written.
    """
    with new_file(output) as file:
        async with _attached(loaded, pbx, file) as attachment:
            stopping = stop_asked()
            live = asyncio.create_task(attachment.link.live.wait())
            ends = [stopping, live]
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if live.done():
                click.echo("recording; Ctrl-C ends it, SIGUSR1 sets a mark", err=True)
                marking = asyncio.create_task(_mark_when_asked(attachment))
                await asyncio.wait([stopping], timeout=seconds)
                marking.cancel()
            live.cancel()


@asynccontextmanager
async def _attached(loaded: Loaded, pbx: str, file: IO[bytes]) -> AsyncIterator[Attachment]:
    """The state is kept along, because it decides when the PBX is asked something, and the answers
    belong into the trace; nothing of it is stored."""
    link = next((x for x in loaded.links if x.pbx == pbx), None)
    if link is None:
        raise StartError(f"there is no PBX {pbx!r} in the settings")
    recorder = trace.Recorder(file, trace.Scrubber(loaded.settings.record.scrub_numbers))
    recorder.begin(trace.Header(pbx=pbx, site=loaded.site))
    hub = Hub([(pbx, pbx)], loaded.site, lambda records: None)
    attachment = Attachment(
        link,
        hub.apply,
        hub.flush,
        tap=recorder.take,
        is_spyer=partial(hub.is_spyer, pbx),
        payment_event=loaded.site.payment_event,
        score_event=loaded.site.score_event,
    )
    task = asyncio.create_task(attachment.run(), name=f"attachment {pbx}")
    try:
        yield attachment
    finally:
        await stop_tasks([task])


async def _mark_when_asked(attachment: Attachment) -> None:
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, asked.set)
    while True:
        await asked.wait()
        asked.clear()
        try:
            await attachment.mark()
        except AmiError as error:
            click.echo(f"no mark was set: {error}", err=True)
