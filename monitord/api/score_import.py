"""Scores as a CSV file over HTTP: a preview, the import in the background, and how far it is."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Iterable

import structlog
from aiohttp import web
from msgspec import structs

from monitord.api import wire
from monitord.api.keys import AUDIT, SCORES, WHO, needs, who_now
from monitord.api.problems import Refused, answer, only, text
from monitord.api.scores import BUSY, FULL, MayGive, now_ms, sender_of
from monitord.api.sheet_body import sheet_of
from monitord.api.zone import zone_of
from monitord.audit.entry import Actor, Entry
from monitord.audit.log import AuditError
from monitord.csat.sheet import BYTES_MOST, ScoreLine, read
from monitord.csat.store import FullError, NotWrittenError, Outcome, OutOfReachError
from monitord.domain.words import ScoreSource
from monitord.people.sheet import Fault

FAULTS_MOST = 200
"""That are shown."""

CHUNK = 200
"""Lines of one transaction: others write in between."""

JOBS_MOST = 20
"""Imports that are remembered after their end."""

_KINDS = ("new", "newer", "waiting", "repeated")


class Imports:
    """One at a time; in memory, since a file that was cut off by a restart can be sent again: what
    was imported is then repeated."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[str, wire.ScoreImport]] = {}
        """Whose it is, and how it stands."""
        self.task: asyncio.Task[None] | None = None

    def put(self, who: str, now: wire.ScoreImport) -> None:
        self.found[now.id] = who, now
        while len(self.found) > JOBS_MOST:
            del self.found[next(iter(self.found))]


_IMPORTS = web.AppKey("score_imports", Imports)


def set_up(app: web.Application) -> None:
    app[_IMPORTS] = imports = Imports()

    async def stop(app: web.Application) -> None:
        if imports.task is not None:
            imports.task.cancel()
            await asyncio.wait([imports.task])

    app.on_shutdown.append(stop)


async def preview(request: web.Request) -> web.Response:
    """The body is the file. Nothing is done."""
    needs(request, "csat.give")
    only(request, "zone")
    data, lines, faults = await _read(request)
    counts = dict.fromkeys(_KINDS, 0)
    for chunk in _chunks(lines):
        outcomes = await _give(request, chunk, faults, dry=True)
        _count(counts, outcomes)
    faults.sort(key=lambda fault: fault.line or 0)
    some = any(counts[kind] for kind in ("new", "newer", "waiting"))
    return answer(
        wire.ScorePreview(
            token=_token(request, data) if some else None,
            **counts,
            faults=[wire.SheetFault(f.line, f.column, f.rule) for f in faults[:FAULTS_MOST]],
            more_faults=len(faults) > FAULTS_MOST,
        )
    )


async def carry_out(request: web.Request) -> web.Response:
    """The same file again, with the token of its preview. Lines with a fault are left out."""
    who = needs(request, "csat.give")
    only(request, "zone", "token")
    given = text(request, "token", 64)
    if given is None:
        raise Refused(400, "must be given: a file is only taken after its preview", "token")
    data, lines, faults = await _read(request)
    if not hmac.compare_digest(given.encode(), _token(request, data).encode()):
        raise Refused(412, "this is not the file, or not the scale, of the preview", "token")
    imports = request.app[_IMPORTS]
    if imports.task is not None and not imports.task.done():
        raise Refused(409, "an import runs; wait for its end")
    job = wire.ScoreImport(
        id=secrets.token_hex(10),
        lines=len(lines),
        done=0,
        **dict.fromkeys(_KINDS, 0),
        state="running",
        why="",
    )
    imports.put(who.id, job)
    imports.task = asyncio.create_task(_run(request, job, data, lines, faults), name="import")
    return answer(job, 202)


async def progress(request: web.Request) -> web.Response:
    who = needs(request, "csat.give")
    only(request)
    owner, job = request.app[_IMPORTS].found.get(request.match_info["id"], ("", None))
    if job is None or owner != who.id:
        raise Refused(404, "there is no such import, or monitord was started since", "id")
    return answer(job)


async def _run(
    request: web.Request,
    job: wire.ScoreImport,
    data: bytes,
    lines: list[ScoreLine],
    faults: list[Fault],
) -> None:
    who, imports, audit = request[WHO], request.app[_IMPORTS], request.app[AUDIT]
    actor = Actor(who.id, who.name)
    counts, why = dict.fromkeys(_KINDS, 0), ""
    digest = hashlib.sha256(data).hexdigest()
    try:
        plain = {"sha256": digest, "lines": len(lines)}
        begun = await audit.write(
            Entry(action="import scores", actor=actor, target=job.id, plain=plain)
        )
        for chunk in _chunks(lines):
            now = who_now(request)
            if now is None or not now.rights.may("csat.give"):
                why = "whoever began it is signed out, or may no longer do it"
                break
            _count(counts, await _give(request, chunk, faults, dry=False))
            job = structs.replace(job, done=job.done + len(chunk), **counts)
            imports.put(who.id, job)
            await asyncio.sleep(0)
        outcome = {**counts, "faults": len(faults)}
        await audit.write(
            Entry(
                action="import scores outcome",
                actor=actor,
                target=job.id,
                plain=outcome,
                about=begun,
            )
        )
    except FullError:
        why = FULL
    except (NotWrittenError, AuditError):
        why = BUSY
    except Exception:
        why = "it stopped by a fault of monitord, which is in its log"
        structlog.get_logger("csat").exception("import_failed")
    finally:
        state = "failed" if why or job.done < job.lines else "done"
        imports.put(who.id, structs.replace(job, state=state, why=why))


async def _read(request: web.Request) -> tuple[bytes, list[ScoreLine], list[Fault]]:
    data = await sheet_of(request, BYTES_MOST)
    scale, zone = request.app[SCORES].scale.now, zone_of(request)
    lines, faults = await asyncio.to_thread(read, data, scale, zone, now_ms())
    await request.app[SCORES].caught_up()
    return data, lines, faults


async def _give(
    request: web.Request, lines: list[ScoreLine], faults: list[Fault], *, dry: bool
) -> list[Outcome]:
    """Those out of reach, and those that a reference already has with another value, are faults."""
    scores, reach = request.app[SCORES], request[WHO].rights.on("csat.give")
    may = MayGive(reach)
    sender = sender_of(request, ScoreSource.IMPORT, now_ms())
    while True:
        try:
            outcomes = await scores.store.give(
                [line.given for line in lines], sender, may=may, dry=dry
            )
            break
        except OutOfReachError as error:
            name = str(error)
            faults += [
                Fault(line.line, "call", "there is no such call")
                for line in lines
                if line.given.call == name
            ]
            lines = [line for line in lines if line.given.call != name]
        except NotWrittenError:
            if dry:
                raise Refused(503, BUSY) from None
            raise
    for line, outcome in zip(lines, outcomes, strict=True):
        if outcome.what == "other value":
            column = "at" if line.given.reference is None else "reference"
            rule = "the call has another score under it already"
            faults.append(Fault(line.line, column, rule))
    return outcomes


def _count(counts: dict[str, int], outcomes: Iterable[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.what in counts:
            counts[outcome.what] += 1


def _chunks(lines: list[ScoreLine]) -> Iterable[list[ScoreLine]]:
    for start in range(0, len(lines), CHUNK):
        yield lines[start : start + CHUNK]


def _token(request: web.Request, data: bytes) -> str:
    """Of this file, this zone and this scale; it is no secret."""
    scale = request.app[SCORES].scale.now
    head = f"{scale.low}\x1f{scale.high}\x1f{request.query.get('zone', '')}\x1f"
    return hashlib.sha256(head.encode(errors="surrogatepass") + data).hexdigest()
