"""`monitord tail`: in this terminal, until it is ended."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from pathlib import Path

import click

from monitord.foreground import stop_asked
from monitord.tail.connection import RefusedError, is_open_text, origin_of
from monitord.tail.password import password_of
from monitord.tail.run import ReaderGoneError, tail
from monitord.tail.safe import safe


def follow(url: str, login: str, password_file: Path | None, *, as_json: bool) -> None:
    """
    Raises:
        RefusedError: with what to do.
    """
    origin = origin_of(url)
    password = password_of(login, password_file)
    if is_open_text(origin):
        click.echo("the password travels unencrypted to that address; https is safer", err=True)
    # A terminal of another character set must not end it.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8" if as_json else None, errors="backslashreplace")
    try:
        asyncio.run(_until_stopped(origin, login, password, as_json=as_json))
    except RefusedError as error:
        raise RefusedError(safe(str(error), 500)) from None  # the other side's words may be in it
    except ReaderGoneError:
        # What is still buffered goes nowhere, without a word at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _until_stopped(origin: str, login: str, password: str, *, as_json: bool) -> None:
    stop = stop_asked()
    following = asyncio.create_task(tail(origin, login, password, as_json=as_json, file=sys.stdout))
    await asyncio.wait([stop, following], return_when=asyncio.FIRST_COMPLETED)
    if following.done():
        following.result()
    following.cancel()
    await asyncio.wait([following])
