"""A real OpenID Connect provider: Django OAuth Toolkit, which demands PKCE and names itself in its
answers (RFC 9207), as a program of its own. What an attacker would make of its ID tokens can be
asked of it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import sys
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

DEADLINE = 60.0
CLIENT, SECRET = "monitord", "a client's secret: only/for tests%"
PASSWORD = "a provider's password only for tests"
CALLBACK = "/sign-in/callback"


@dataclass
class Provider:
    """A running one. Its people are made by ``set_user``."""

    issuer: str

    def settings(self, more: str = "") -> str:
        """The lines of monitord's settings."""
        return f"""
[oidc]
issuer = "{self.issuer}"
client_id = "{CLIENT}"
client_secret_env = "OIDC"
{more}
"""

    async def tell(self, **what: Any) -> None:
        """See ``control`` below."""
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.issuer}/test/", json=what) as response,
        ):
            assert response.status == 200, await response.text()

    async def set_user(self, user: str, /, **claims: Any) -> None:
        await self.tell(user=user, claims=claims)

    async def expect_client(self, url: str) -> None:
        """Register monitord at this address."""
        await self.tell(redirect=url + CALLBACK)

    async def authorise(self, address: str, user: str) -> str:
        """What a browser does there: signs in as the user. Gives the address it is sent back to."""
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            async with http.get(address) as response:
                text = await response.text()
                assert response.status == 200, text
                form = str(response.url)
            token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', text)
            assert token is not None, text
            fields = {
                "csrfmiddlewaretoken": token[1],
                "username": user,
                "password": PASSWORD,
            }
            async with http.post(form, data=fields, allow_redirects=False) as response:
                assert response.status == 302, await response.text()
                on = response.headers["Location"]
            async with http.get(f"{self.issuer}{on}", allow_redirects=False) as response:
                assert response.status == 302, await response.text()
                return response.headers["Location"]


@asynccontextmanager
async def provider(folder: Path) -> AsyncIterator[Provider]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.kit.provider", str(folder)),
        stdin=asyncio.subprocess.PIPE,  # which closes when this process ends, however that is
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OAUTHLIB_INSECURE_TRANSPORT": "1"},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE):
            port = (await process.stdout.readline()).decode().strip()
        assert port, "the provider did not start; what it said is above"
        yield Provider(f"http://127.0.0.1:{port}")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


# --- the program -------------------------------------------------------------------------


def main(folder: Path) -> None:
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    class Handler(WSGIRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = make_server("127.0.0.1", 0, lambda e, s: [], Server, Handler)
    form = (
        "<!doctype html><html lang=en><title>Provider</title><form method=post>{% csrf_token %}"
        "{{ form.as_p }}<button>Log in</button></form>"
    )
    settings.configure(
        SECRET_KEY="only for tests",
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "provider.sqlite3",
                "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE"},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        # Its usual one takes a second, which is not what is tested here.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        INSTALLED_APPS=[
            *("django.contrib.contenttypes", "django.contrib.auth"),
            *("django.contrib.sessions", "oauth2_provider"),
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "tests.kit.provider.tampered",
        ],
        ROOT_URLCONF="tests.kit.provider_urls",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        (
                            "django.template.loaders.locmem.Loader",
                            {"registration/login.html": form},
                        )
                    ]
                },
            }
        ],
        LOGIN_URL="/login/",
        SESSION_COOKIE_NAME="provider_session",
        USE_TZ=True,
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "OIDC_RSA_PRIVATE_KEY": _key(),
            "PKCE_REQUIRED": True,
            "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
            "SCOPES": {"openid": "", "profile": "", "email": ""},
            "OAUTH2_VALIDATOR_CLASS": "tests.kit.provider_urls.Validator",
        },
    )
    django.setup()
    call_command("migrate", verbosity=0)
    server.set_app(get_wsgi_application())
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


def _key() -> str:
    from jwcrypto import jwk

    return jwk.JWK.generate(kty="RSA", size=2048).export_to_pem(True, None).decode()


TAMPER: dict[str, Any] = {}
"""``claims``: replace those of each ID token; None takes one away. ``sign``: ``none``, ``other``
(another key with the right one's name) or ``hmac`` (with the public key as the secret).
``down``: answer everything with 503. ``body``: answer the token request with this."""


def tampered(get_response: Any) -> Any:
    """As Django calls its middleware."""
    from django.http import HttpResponse

    def middleware(request: Any) -> Any:
        if request.path == "/test/":
            return get_response(request)
        if TAMPER.get("down"):
            return HttpResponse("down", status=503)
        response = get_response(request)
        if request.path == "/o/token/" and response.status_code == 200:
            if "body" in TAMPER:
                response.content = TAMPER["body"].encode()
            elif TAMPER:
                answer = json.loads(response.content)
                answer["id_token"] = _forged(answer["id_token"])
                response.content = json.dumps(answer).encode()
        return response

    return middleware


def _forged(token: str) -> str:
    from jwcrypto import jwk, jwt
    from oauth2_provider.settings import oauth2_settings

    header, claims = (json.loads(_decoded(part)) for part in token.split(".")[:2])
    claims.update(TAMPER.get("claims", {}))
    claims = {k: v for k, v in claims.items() if v is not None}
    own = jwk.JWK.from_pem(oauth2_settings.OIDC_RSA_PRIVATE_KEY.encode())
    how = TAMPER.get("sign")
    if how in ("none", "hmac"):
        header["alg"] = {"none": "none", "hmac": "HS256"}[how]
        text = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        secret = own.export_to_pem(False, None)
        mac = hmac.new(secret, text.encode(), hashlib.sha256).digest() if how == "hmac" else b""
        return f"{text}.{_encoded(mac)}"
    made = jwt.JWT(header=json.dumps(header), claims=json.dumps(claims))
    made.make_signed_token(jwk.JWK.from_pem(_key().encode()) if how == "other" else own)
    return str(made.serialize())


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def control(what: dict[str, Any]) -> None:
    """What a test asks of it."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from oauth2_provider.models import Application
    from oauth2_provider.settings import oauth2_settings

    if "tamper" in what:
        TAMPER.clear()
        TAMPER.update(what["tamper"])
    if "user" in what:
        user, _ = User.objects.get_or_create(username=what["user"])
        user.set_password(PASSWORD)
        # A field of Django's own, long enough for what a test wants to have claimed.
        user.first_name = json.dumps(what["claims"])
        user.save()
    if "redirect" in what:
        Application.objects.update_or_create(
            client_id=CLIENT,
            defaults={
                "client_secret": SECRET,
                "client_type": Application.CLIENT_CONFIDENTIAL,
                "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
                "redirect_uris": what["redirect"],
                "skip_authorization": True,
                "algorithm": Application.RS256_ALGORITHM,
            },
        )
    if "new_key" in what:
        settings.OAUTH2_PROVIDER["OIDC_RSA_PRIVATE_KEY"] = _key()
        oauth2_settings.reload()


def sign_in_address(next_: str = "") -> str:
    return "/sign-in/provider" + (f"?{urlencode({'next': next_})}" if next_ else "")


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.argv.append(tempfile.mkdtemp())
    sys.modules["tests.kit.provider"] = sys.modules["__main__"]
    main(Path(sys.argv[1]))
