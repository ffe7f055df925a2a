"""Recordings of calls over HTTP. Who plays one says so first, which is what the audit log keeps;
then the sound is fetched in as many pieces as the player likes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from aiohttp import ClientError, ClientResponse, web
from msgspec import Struct, field

from monitord.api import wire
from monitord.api.keys import AUDIT, HISTORY, WHO, needs
from monitord.api.problems import Refused, answer, only
from monitord.audit.entry import Actor, Entry
from monitord.audit.log import AuditError
from monitord.domain.ledger import CallRecord, RecordingRecord
from monitord.people.signin import Who
from monitord.recordings.plays import Plays
from monitord.recordings.remote import (
    BYTES_MOST,
    CHUNK,
    TOLD,
    GoneError,
    Remote,
    UnreachableError,
)
from monitord.recordings.rules import TYPES, find, kind_of, parts_within
from monitord.recordings.store import RecordingStore
from monitord.recordings.template import Template, day_of, name_of

WHY: dict[wire.Hindrance, str] = {
    "not allowed": "you are not allowed to do this",
    "runs": "it is still being recorded",
    "not set": "the site has not said where its recordings are (recordings.folder or .url)",
    "no name": "Asterisk did not tell the recording's file",
    "elsewhere": "the file that Asterisk told is in no folder of recordings",
    "kind": "browsers do not play this kind of file",
    "no file": "the recording's file is not there",
}


CONTENT = {kind: {"type": "string", "format": "binary"} for kind in sorted({*TYPES.values()})}


class Recordings(Struct):
    """What these routes work with."""

    store: RecordingStore
    folder: Path | None
    """Of the site's recordings; None where it names none."""
    pbx_folder: str
    plays: Plays
    template: Template | None = None
    """Of their addresses, where the site's web server has them."""
    remote: Remote = field(default_factory=Remote)


RECORDINGS = web.AppKey("recordings", Recordings)


async def of_call(request: web.Request, call: CallRecord) -> list[wire.Recording]:
    """For whoever may read the call; that it was recorded is no secret to them."""
    who = request[WHO]
    rows = await request.app[RECORDINGS].store.of_call(call.id)
    return [
        wire.Recording(n, row.started, row.ended, (await _look(request, who, call, row))[0])
        for n, row in enumerate(rows, 1)
    ]


async def play(request: web.Request) -> web.Response:
    """One row of the audit log for each."""
    only(request)
    who, call, row, _ = await _found(request)
    n = request.match_info["n"]
    entry = Entry(
        action="play recording",
        actor=Actor(who.id, who.name),
        target=f"call {call.id}",
        plain={"recording": int(n), "call_id": call.call_id},
    )
    try:
        await request.app[AUDIT].write(entry)
    except AuditError:
        raise Refused(
            503, "this cannot be played while the audit log cannot be written; try again later"
        ) from None
    assert who.session is not None
    ticket = request.app[RECORDINGS].plays.begin(who.session, row.id)
    return answer(wire.Play(f"/api/v1/calls/{call.id}/recordings/{n}?ticket={ticket}"))


async def sound(request: web.Request) -> web.StreamResponse:
    """The file, or the range of it that was asked for. Rights are looked at each time, so that who
    has lost them hears no more."""
    only(request, "ticket")
    who, _, row, place = await _found(request)
    plays = request.app[RECORDINGS].plays
    if not plays.fits(request.query.get("ticket", ""), who.session or "", row.id):
        raise Refused(403, "begin the play again", "ticket")
    kind = _kind(place, row)
    assert kind is not None
    headers = {
        "Content-Type": kind,
        "Cache-Control": "private, no-store",
        "Content-Disposition": "inline",
    }
    if isinstance(place, Path):
        return web.FileResponse(place, headers=headers)
    return await _passed_on(request, place, headers)


async def _passed_on(
    request: web.Request, address: str, headers: dict[str, str]
) -> web.StreamResponse:
    """Of what the site's web server says no more than the sound and where it is in the file."""
    try:
        async with request.app[RECORDINGS].remote.ask(address, request.headers) as theirs:
            told = {name: theirs.headers[name] for name in TOLD if name in theirs.headers}
            if theirs.status == 416:
                del headers["Content-Type"]
                told.pop("Content-Length", None)
            ours = web.StreamResponse(
                status=theirs.status, headers={**headers, **told, "Accept-Ranges": "bytes"}
            )
            await ours.prepare(request)
            if theirs.status != 416 and request.method != "HEAD":
                await _poured(theirs, ours, request)
            await ours.write_eof()
            return ours
    except GoneError:
        raise Refused(404, WHY["no file"], "n") from None
    except UnreachableError as error:
        structlog.get_logger("recordings").warning("recording_not_fetched", why=str(error))
        raise Refused(503, "the site's store of recordings does not answer", "n") from None


async def _poured(theirs: ClientResponse, ours: web.StreamResponse, request: web.Request) -> None:
    left = BYTES_MOST
    try:
        async for chunk in theirs.content.iter_chunked(CHUNK):
            left -= len(chunk)
            if left < 0:
                break
            await ours.write(chunk)
    except (ClientError, TimeoutError):
        left = -1
    if left < 0 and request.transport is not None:
        request.transport.abort()  # so that the player does not take a part for the whole


async def finish(app: web.Application) -> None:
    await app[RECORDINGS].remote.close()


def _kind(place: Path | str, row: RecordingRecord) -> str | None:
    """The content type, by the file's ending and never by what another server says."""
    if isinstance(place, Path):
        return kind_of(place.name)
    return kind_of(name_of(place)) or kind_of(row.file or "")


async def _found(request: web.Request) -> tuple[Who, CallRecord, RecordingRecord, Path | str]:
    who = needs(request, "recording.play")
    found = await request.app[HISTORY].call(request.match_info["id"])
    if found is None or found.agent_id not in who.rights.on("recording.play"):
        raise Refused(404, "there is no such call", "id")
    rows = await request.app[RECORDINGS].store.of_call(found.id)
    n = int(request.match_info["n"])
    if not 1 <= n <= len(rows):
        raise Refused(404, "the call has no such recording", "n")
    hindrance, place = await _look(request, who, found, rows[n - 1])
    if hindrance is not None or place is None:
        status = 409 if hindrance in ("kind", "runs") else 404
        raise Refused(status, WHY[hindrance or "no file"], "n")
    return who, found, rows[n - 1], place


async def _look(
    request: web.Request, who: Who, call: CallRecord, row: RecordingRecord
) -> tuple[wire.Hindrance | None, Path | str | None]:
    """What hinders, or the file, or its address."""
    here = request.app[RECORDINGS]
    if call.agent_id not in who.rights.on("recording.play"):
        return "not allowed", None
    if row.ended is None and call.ended is None:
        return "runs", None  # its file says nothing of its length before it is closed
    if here.template is not None:
        return _address(here, here.template, call, row)
    if here.folder is None:
        return "not set", None
    if not row.file:
        return "no name", None
    parts = parts_within(row.file, here.pbx_folder)
    if parts is None:
        return "elsewhere", None
    if kind_of(parts[-1]) is None:
        return "kind", None
    path = await asyncio.to_thread(find, here.folder, parts)
    # A link may lead to a file of another kind.
    if path is None or kind_of(path.name) is None:
        return "no file", None
    return None, path


def _address(
    here: Recordings, template: Template, call: CallRecord, row: RecordingRecord
) -> tuple[wire.Hindrance | None, str | None]:
    values = {
        "uniqueid": row.channel,
        "linkedid": call.call_id,
        "call": call.id,
        "date": day_of(row.started),
    }
    if template.of_file:
        if not row.file:
            return "no name", None
        parts = parts_within(row.file, here.pbx_folder)
        if parts is None:
            return "elsewhere", None
        values |= {"file": parts[-1], "path": "/".join(parts)}
    address = template.fill(values)
    return ("kind", None) if _kind(address, row) is None else (None, address)
