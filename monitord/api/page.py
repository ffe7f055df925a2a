"""The built page: the sign-in page for everybody, all else only for those who are signed in."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from monitord.api.keys import WHO
from monitord.api.route import Handler
from monitord.people.links import PATH

FOLDER = Path(__file__).parent.parent / "page"
HOME = "/quality/quality-assurance/coach-manager"
MY_CALLS = "/my-calls"
APP_PATHS = (
    *(HOME, "/quality/quality-assurance/history", "/live-calls", "/team", MY_CALLS, "/audit"),
    *("/settings/people", "/settings/never-monitor", "/settings/privacy", "/settings/sign-in"),
    *("/flags", "/flags/balance", "/flags/review", "/settings/flags", "/settings/scores"),
)

_FOREVER = "public, max-age=31536000, immutable"
"""Assets carry a digest of their content in their name."""


def missing(folder: Path = FOLDER) -> str | None:
    """What of the built page is missing, None where it is whole."""
    for name in ("index.html", "sign-in.html", "link.html"):
        if not (folder / name).is_file():
            return f"the page is not built ({folder / name} is missing); run “make page”"
    return None


def routes(folder: Path = FOLDER) -> list[tuple[str, Handler]]:
    """Handler by path, as the router takes them."""
    root = folder.resolve()

    async def app(_request: web.Request) -> web.StreamResponse:
        return _html(folder / "index.html")

    async def home(request: web.Request) -> web.StreamResponse:
        raise web.HTTPSeeOther(_home(request))

    async def sign_in(request: web.Request) -> web.StreamResponse:
        if WHO in request:
            raise web.HTTPSeeOther(_home(request))
        return _html(folder / "sign-in.html")

    async def link(_request: web.Request) -> web.StreamResponse:
        # Also for somebody who is signed in: it may be another person's, at the same browser.
        return _html(folder / "link.html")

    async def nothing(request: web.Request) -> web.StreamResponse:
        # The page itself says that there is nothing, and shows the way on.
        if "text/html" not in request.headers.get("Accept", ""):
            raise web.HTTPNotFound
        response = _html(folder / "index.html")
        response.set_status(404)
        return response

    async def asset(request: web.Request) -> web.StreamResponse:
        # Only names, no paths: the router's pattern lets no slash and no leading dot in.
        path = folder / "assets" / request.match_info["part"] / request.match_info["name"]
        # A link in the folder must not lead out of it.
        if not path.is_file() or not path.resolve().is_relative_to(root):
            raise web.HTTPNotFound
        # What only the signed-in may have must not stay in a shared cache.
        scope = _FOREVER if request.match_info["part"] == "sign-in" else "private, no-cache"
        return web.FileResponse(path, headers={"Cache-Control": scope})

    return [
        ("/", home),
        ("/sign-in", sign_in),
        (PATH, link),
        *((path, app) for path in APP_PATHS),
        (r"/{path:(?!api/|assets/).+}", nothing),
        (r"/assets/{part:app|sign-in}/{name:[A-Za-z0-9_\-][A-Za-z0-9_.\-]{0,199}}", asset),
    ]


def _home(request: web.Request) -> str:
    """Of the one who asks: an agent's own page, where they may see no other."""
    rights = request[WHO].rights
    only_told = rights.may("notice.see") and not rights.may("supervision.see")
    return MY_CALLS if only_told else HOME


def _html(path: Path) -> web.StreamResponse:
    return web.FileResponse(path, headers={"Cache-Control": "no-store"})
