"""A stand-in for the daemon, for looking at the page while building it. Not part of the product.

``python web/dev/server.py [--port 8123]`` serves the built page (``build/page``, else
``monitord/page``) and speaks the wire with example data.  Sign in as anybody; the password
``wrong`` is refused, ``often`` answers 429; the login ``viewer`` may not disconnect.

``POST /dev/<what>`` plays: ``busy`` and ``empty`` change the floor, ``start`` and ``end`` let a
supervision come and go, ``drop`` cuts the stream until ``restore``.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import example
import msgspec
from aiohttp import WSMsgType, web
from example import now, wire

from monitord.domain import views
from monitord.domain.words import EndReason, SpyType, SupervisionState

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = next(p for p in (ROOT / "build" / "page", ROOT / "monitord" / "page") if p.exists())
CSP = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
routes = web.RouteTableDef()


class Floor:
    def __init__(self) -> None:
        self.seq = 1
        self.entities: dict[tuple[str, str], wire.Entity] = {}
        self.sockets: set[web.WebSocketResponse] = set()
        self.dropped = False
        self.ended: dict[str, list[wire.SupervisionRow]] = {}
        self.fill(example.floor())

    def fill(self, entities: list[wire.Entity]) -> None:
        self.entities = {(e.__struct_config__.tag, e.id): e for e in entities}

    def supervisions(self) -> list[views.Supervision]:
        return [e for e in self.entities.values() if isinstance(e, views.Supervision)]

    def snapshot(self) -> wire.Delta:
        return wire.Delta("dev", self.seq, now(), reset=True, add=list(self.entities.values()))

    async def send(self, frame: wire.ServerFrame) -> None:
        for socket in list(self.sockets):
            await socket.send_str(wire.encode(frame).decode())

    async def change(self, **what: object) -> None:
        self.seq += 1
        await self.send(wire.Delta("dev", self.seq, now(), **what))  # type: ignore[arg-type]

    async def end(self, gone: views.Supervision, by: str | None) -> None:
        self.entities.pop(("supervision", gone.id), None)
        row = example.history([gone], gone.supervisor.id, 0)[0]
        reason = EndReason.DISCONNECTED if by else EndReason.HUNG_UP
        done = msgspec.structs.replace(
            row,
            ended=now(),
            ended_exact=True,
            length_ms=now() - row.started,
            end_reason=reason,
            ended_by=by,
        )
        self.ended.setdefault(gone.supervisor.id, []).insert(0, done)
        await self.change(remove=[wire.Ref("supervision", gone.id)])

    def rows(self, who: str) -> list[wire.SupervisionRow]:
        size = 0 if who == "tom" else 60
        live = example.history(self.supervisions(), who, size)
        running = [row for row in live if row.ended is None]
        return running + self.ended.get(who, []) + [row for row in live if row.ended is not None]


FLOOR = Floor()


def body(thing: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(thing), status=status, content_type="application/json"
    )


def problem(status: int, error: str, message: str) -> web.Response:
    return body(wire.ProblemDetail(error, message), status)


@routes.post("/api/v1/session")
async def sign_in(request: web.Request) -> web.Response:
    given = msgspec.json.decode(await request.read(), type=wire.SignIn)
    if given.password == "wrong":  # noqa: S105 - example
        return problem(401, "not_signed_in", "Login and password do not belong together.")
    if given.password == "often":  # noqa: S105 - example
        answer = problem(429, "too_many", "Too many tries.")
        answer.headers["retry-after"] = "30"
        return answer
    answer = await session(request, given.login)
    answer.set_cookie("who", given.login, httponly=True, samesite="Strict")
    return answer


@routes.get("/api/v1/session")
async def whoami(request: web.Request) -> web.Response:
    return await session(request, request.cookies.get("who"))


async def session(_: web.Request, who: str | None) -> web.Response:
    if not who:
        return problem(401, "not_signed_in", "Sign in first.")
    may: list[wire.Permission] = ["history.export", "supervision.see"]
    if who != "viewer":
        may.append("supervision.disconnect")
    return body(wire.Me(id=who, name="Quinn Abara", permissions=may))


@routes.delete("/api/v1/session")
async def sign_out(_: web.Request) -> web.Response:
    answer = web.Response(status=204)
    answer.del_cookie("who")
    return answer


@routes.get("/api/v1/supervisions")
async def history(request: web.Request) -> web.Response:
    rows = FLOOR.rows(request.query.get("supervisor", "anna"))
    start = int(request.query.get("cursor", "0"))
    end = start + int(request.query.get("limit", "25"))
    more = str(end) if end < len(rows) else None
    return body(wire.SupervisionPage(rows=rows[start:end], next=more))


@routes.get("/api/v1/supervisions/count")
async def count(request: web.Request) -> web.Response:
    return body(wire.Count(len(FLOOR.rows(request.query.get("supervisor", "anna"))), exact=True))


@routes.get("/api/v1/gaps")
async def gaps(_: web.Request) -> web.Response:
    return body(wire.GapPage(rows=[], next=None))


@routes.get("/api/v1/history/choices")
async def choices(_: web.Request) -> web.Response:
    return body(wire.Choices([wire.Choice(*one) for one in example.NAMES.items()], more=False))


@routes.get("/api/v1/supervisions/{id}")
async def detail(request: web.Request) -> web.Response:
    for who in example.NAMES:
        for row in FLOOR.rows(who):
            if row.id == request.match_info["id"]:
                return body(wire.SupervisionDetail(row, example.segments(row), []))
    return problem(404, "not_found", "There is no such supervision.")


@routes.get("/api/v1/supervisions/{id}/disconnect/terms")
async def terms(_: web.Request) -> web.Response:
    return body(wire.DisconnectTerms("never"))


@routes.post("/api/v1/supervisions/{id}/disconnect")
async def disconnect(request: web.Request) -> web.Response:
    gone = FLOOR.entities.get(("supervision", request.match_info["id"]))
    if not isinstance(gone, views.Supervision):
        return problem(404, "not_found", "The supervision has ended.")
    await FLOOR.change(
        change=[wire.Patch("supervision", gone.id, {"disconnect_by": "Quinn Abara"})]
    )
    await asyncio.sleep(1.2)
    if gone.supervisor.id == "marco":
        why = "Asterisk answered, but the channel was still there after 5 s."
        return body(wire.DisconnectOutcome("not_confirmed", why))
    await FLOOR.end(gone, "Quinn Abara")
    return body(wire.DisconnectOutcome("confirmed", ""))


@routes.get("/api/v1/stream")
async def stream(request: web.Request) -> web.StreamResponse:
    if not request.cookies.get("who"):
        return problem(401, "not_signed_in", "Sign in first.")
    if FLOOR.dropped:
        return problem(503, "down", "Dropped by /dev/drop.")
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_str(wire.encode(wire.Hello(wire.PROTOCOL, "dev", 10_000)).decode())
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            break
        said = msgspec.json.decode(message.data, type=wire.ClientMessage)
        if isinstance(said, wire.Subscribe):
            await socket.send_str(wire.encode(FLOOR.snapshot()).decode())
            FLOOR.sockets.add(socket)
        else:
            lags = [wire.Lag("north", 11), wire.Lag("south", None)]
            await socket.send_str(wire.encode(wire.Pong(said.n, now(), lags)).decode())
    FLOOR.sockets.discard(socket)
    return socket


@routes.post("/dev/{what}")
async def play(request: web.Request) -> web.Response:
    match request.match_info["what"]:
        case "busy":
            FLOOR.fill(example.floor())
            await FLOOR.change(reset=True, add=list(FLOOR.entities.values()))
        case "empty":
            FLOOR.fill(example.pbxs(example.LinkState.LIVE))
            await FLOOR.change(reset=True, add=list(FLOOR.entities.values()))
        case "start":
            new = example.supervision(FLOOR.seq + 100, "eve", "ben", SpyType.MONITOR, 0)
            FLOOR.entities["supervision", new.id] = new
            await FLOOR.change(add=[new])
        case "end":
            who = request.query.get("who", "eve")
            for gone in FLOOR.supervisions():
                if gone.supervisor.id == who:
                    await FLOOR.end(gone, None)
        case "wait":
            patch = {"state": SupervisionState.WAITING, "call": None}
            await FLOOR.change(change=[wire.Patch("supervision", "s1", patch)])
        case "drop":
            FLOOR.dropped = True
            for socket in list(FLOOR.sockets):
                await socket.send_str(
                    wire.encode(wire.Bye("shutdown", "monitord is being restarted.")).decode()
                )
                await socket.close()
        case "restore":
            FLOOR.dropped = False
        case other:
            return problem(404, "not_found", f"no play called {other}")
    return web.Response(status=204)


@routes.get("/assets/{which}/{file}")
async def asset(request: web.Request) -> web.StreamResponse:
    which, file = request.match_info["which"], request.match_info["file"]
    if which != "sign-in" and not request.cookies.get("who"):
        raise web.HTTPNotFound
    return web.FileResponse(PAGE / "assets" / which / Path(file).name)


@routes.get("/{path:.*}")
async def page(request: web.Request) -> web.StreamResponse:
    if request.path == "/sign-in":
        return web.FileResponse(PAGE / "sign-in.html")
    if not request.cookies.get("who"):
        raise web.HTTPFound("/sign-in")
    return web.FileResponse(PAGE / "index.html")


async def policy(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["content-security-policy"] = CSP
    response.headers["cache-control"] = "no-store"


def main() -> None:
    options = argparse.ArgumentParser(description="Stand-in for the daemon, for building the page.")
    options.add_argument("--port", type=int, default=8123)
    app = web.Application()
    app.add_routes(routes)
    app.on_response_prepare.append(policy)
    web.run_app(app, host="127.0.0.1", port=options.parse_args().port, print=None)


if __name__ == "__main__":
    main()
