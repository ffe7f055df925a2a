"""The site's own identity provider, by OpenID Connect: authorisation code flow with PKCE.

After OpenID Connect Core 1.0, RFC 7636 (PKCE), RFC 9207 (issuer in the answer) and RFC 9700 (what
goes wrong). All that comes from the provider has a deadline and a bound, and nothing of it counts
before its signature, issuer, audience, time and nonce were looked at.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import msgspec
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Struct

DEADLINE_S = 10.0
"""For each answer of the provider."""

ANSWER_MOST = 256 << 10
"""Bytes of each."""

CACHED_S = 3600.0
"""How long its addresses and keys are taken to be the same."""

RENEWALS_MOST, RENEWALS_S = 10, 60.0
"""How often its keys are asked for anew in that many seconds because a signature fits none."""

LEEWAY_S = 60
"""By which its clock may differ from ours."""

EXCHANGES_MOST = 50
"""Sign-ins that wait for the provider at a time."""

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
"""Signatures that only the provider can make. ``none`` is not among them, nor is one with a key
that we would have as well."""

T = TypeVar("T")


class ProviderSettings(Struct, frozen=True):
    issuer: str
    client_id: str
    client_secret: str | None
    """None: a public client, which PKCE alone protects."""
    scopes: tuple[str, ...]


class ProviderError(Exception):
    """The provider did not say who it is. ``code`` is for the page, the text for the log."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


UNREACHABLE, REFUSED, INVALID, EXPIRED = "unreachable", "refused", "invalid", "expired"


class Begun(Struct, frozen=True):
    """A sign-in that is under way; only the browser that began it has this."""

    state: str
    nonce: str
    verifier: str
    redirect: str
    """Our address to which the provider sends the browser back."""
    next: str
    """Where the person wanted to go; a path of ours."""
    until: float
    """s UTC since 1970."""


class _Metadata(Struct, frozen=True):
    """What discovery tells, as far as it is used (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class _Keys(Struct, frozen=True):
    keys: list[dict[str, Any]]


class _Tokens(Struct, frozen=True):
    id_token: str


class Provider:
    def __init__(
        self,
        settings: ProviderSettings,
        clock: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` gives s UTC since 1970, ``elapsed`` s that only grow."""
        self._settings = settings
        self._clock = clock
        self._elapsed = elapsed
        self._metadata = _Cached(self._discover, elapsed)
        self._keys = _Cached(self._fetch_keys, elapsed)
        self._renewed: list[float] = []
        self._exchanges = asyncio.Semaphore(EXCHANGES_MOST)

    async def begin(self, redirect: str, next_: str, lasts_s: float) -> tuple[str, Begun]:
        """The provider's address to send the browser to, and what it must come back with.

        Raises:
            ProviderError: it cannot be reached.
        """
        metadata = await self._metadata.get()
        begun = Begun(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            redirect=redirect,
            next=next_,
            until=self._clock() + lasts_s,
        )
        digest = hashlib.sha256(begun.verifier.encode()).digest()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._settings.client_id,
                "redirect_uri": redirect,
                "scope": " ".join(self._settings.scopes),
                "state": begun.state,
                "nonce": begun.nonce,
                "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
                "code_challenge_method": "S256",
            }
        )
        mark = "&" if "?" in metadata.authorization_endpoint else "?"
        return f"{metadata.authorization_endpoint}{mark}{query}", begun

    async def finish(self, begun: Begun | None, query: Mapping[str, str]) -> dict[str, Any]:
        """What the provider claims of who came back with that query; verified.

        Raises:
            ProviderError: with what is wrong.
        """
        if begun is None or begun.until < self._clock():
            raise ProviderError(EXPIRED, "no sign-in was under way in this browser")
        if not hmac.compare_digest(query.get("state", "").encode(), begun.state.encode()):
            raise ProviderError(EXPIRED, "the answer belongs to another sign-in")
        async with self._exchanges:
            metadata = await self._metadata.get()
            issuer = query.get("iss")
            needed = metadata.authorization_response_iss_parameter_supported
            if issuer != self._settings.issuer and (needed or issuer is not None):
                raise ProviderError(INVALID, "the answer is another provider's")
            if "error" in query:
                raise ProviderError(REFUSED, f"it answered {query['error'][:100]!r}")
            code = query.get("code", "")
            if not code:
                raise ProviderError(INVALID, "the answer has no code")
            return await self._verified(await self._exchange(metadata, begun, code), begun.nonce)

    async def _exchange(self, metadata: _Metadata, begun: Begun, code: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.redirect,
            "code_verifier": begun.verifier,
        }
        headers = {"Accept": "application/json"}
        secret, client = self._settings.client_secret, self._settings.client_id
        methods = metadata.token_endpoint_auth_methods_supported
        if secret is not None and "client_secret_basic" in methods:
            pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"  # RFC 6749, 2.3.1
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = client
            if secret is not None:
                form["client_secret"] = secret
        found = await _ask(metadata.token_endpoint, _Tokens, form=form, headers=headers)
        return found.id_token

    async def _verified(self, text: str, nonce: str) -> dict[str, Any]:
        claims = self._signed(text, await self._keys.get())
        if claims is None and self._may_renew():
            # It may have changed its keys since they were asked for.
            self._keys.forget()
            claims = self._signed(text, await self._keys.get())
        if claims is None:
            raise ProviderError(INVALID, "the ID token is not signed with one of its keys")
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client_id},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            registry.validate(claims)
        except (JoseError, TypeError, ValueError) as error:
            raise ProviderError(INVALID, f"the ID token: {error}") from None
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._settings.client_id:
            raise ProviderError(INVALID, "the ID token was given to another client")
        if not isinstance(claims["sub"], str) or not 1 <= len(claims["sub"]) <= 255:
            raise ProviderError(INVALID, "the ID token's sub is none")
        return claims

    def _signed(self, text: str, keys: KeySet) -> dict[str, Any] | None:
        """The claims of a token that one of these keys has signed."""
        metadata = self._metadata.value
        told = metadata.id_token_signing_alg_values_supported if metadata is not None else ()
        algorithms = [a for a in ALGORITHMS if a in told]
        kid = _header(text).get("kid")
        for key in keys:
            # Those without a name may be any.
            if kid is not None and key.kid != kid:
                continue
            try:
                return jwt.decode(text, key, algorithms=algorithms).claims
            except (JoseError, TypeError, ValueError):
                continue
        return None

    def _may_renew(self) -> bool:
        """Bounded, so that made-up tokens do not make us ask the provider all the time."""
        now = self._elapsed()
        self._renewed = [t for t in self._renewed if now - t < RENEWALS_S]
        if len(self._renewed) >= RENEWALS_MOST:
            return False
        self._renewed.append(now)
        return True

    async def _discover(self) -> _Metadata:
        issuer = self._settings.issuer
        found = await _ask(f"{issuer.rstrip('/')}/.well-known/openid-configuration", _Metadata)
        if found.issuer != issuer:
            raise ProviderError(INVALID, f"it calls itself {found.issuer[:200]!r}")
        # What it tells must not lead from TLS to plain text.
        schemes = ("https",) if issuer.startswith("https:") else ("https", "http")
        for address in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            if urlsplit(address).scheme not in schemes:
                raise ProviderError(INVALID, f"it names the address {address[:200]!r}")
        return found

    async def _fetch_keys(self) -> KeySet:
        metadata = await self._metadata.get()
        found = await _ask(metadata.jwks_uri, _Keys)
        usable = [k for k in found.keys[:100] if k.get("use", "sig") == "sig"]
        try:
            return KeySet.import_key_set({"keys": usable})
        except (JoseError, TypeError, ValueError, KeyError) as error:
            raise ProviderError(INVALID, f"its keys cannot be read: {error}") from None


class _Cached(Generic[T]):
    """A value of the provider's that is asked for once, however many want it at a time."""

    def __init__(self, load: Callable[[], Awaitable[T]], elapsed: Callable[[], float]) -> None:
        self._load = load
        self._elapsed = elapsed
        self._loading: asyncio.Task[T] | None = None
        self._at = 0.0
        self._fresh = False
        self.value: T | None = None

    def forget(self) -> None:
        self._fresh = False

    async def get(self) -> T:
        if self.value is not None and self._fresh and self._elapsed() - self._at < CACHED_S:
            return self.value
        if self._loading is None:
            self._loading = asyncio.create_task(self._renew())
        # One who gives up must not take it from the others.
        return await asyncio.shield(self._loading)

    async def _renew(self) -> T:
        try:
            self.value = await self._load()
            self._at, self._fresh = self._elapsed(), True
        except ProviderError as error:
            if self.value is None:
                raise
            structlog.get_logger("sign-in").warning("provider_not_asked_anew", why=str(error))
        finally:
            self._loading = None
        return self.value


async def _ask(
    address: str,
    kind: type[T],
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> T:
    """One answer of the provider as a typed struct; a form is posted.

    Raises:
        ProviderError: no answer, or none that could be right.
    """
    timeout = aiohttp.ClientTimeout(total=DEADLINE_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http,
            http.request(
                "GET" if form is None else "POST",
                address,
                data=form,
                headers=headers,
                allow_redirects=False,
            ) as response,
        ):
            raw = b""
            async for chunk in response.content.iter_any():
                raw += chunk
                if len(raw) > ANSWER_MOST:
                    raise ProviderError(INVALID, f"{address}: more than {ANSWER_MOST} bytes")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        why = str(error) or type(error).__name__
        raise ProviderError(UNREACHABLE, f"{address}: {why[:300]}") from None
    if response.status >= 500:
        raise ProviderError(UNREACHABLE, f"{address} answered {response.status}")
    if response.status != 200:
        # Its words, such as invalid_grant, tell an administrator what to mend.
        said = raw[:200].decode(errors="replace")
        raise ProviderError(REFUSED, f"{address} answered {response.status}: {said!r}")
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ProviderError(INVALID, f"{address}: {error}") from None


def _header(token: str) -> dict[str, Any]:
    """Not yet verified; only by which key it says that it is signed."""
    part = token.partition(".")[0]
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (ValueError, UnicodeError, RecursionError, msgspec.MsgspecError):
        return {}


# --- what the browser keeps meanwhile ----------------------------------------------------


def seal(begun: Begun, key: bytes) -> str:
    """For the browser's cookie. Nothing in it is secret from that browser; the signature keeps
    it from being another one's making."""
    body = base64.urlsafe_b64encode(msgspec.json.encode(begun)).rstrip(b"=").decode()
    return f"{body}.{_signature(body, key)}"


def unseal(text: str, key: bytes) -> Begun | None:
    """None where we did not make it."""
    body, _, signature = text.partition(".")
    if not hmac.compare_digest(signature.encode(errors="replace"), _signature(body, key).encode()):
        return None
    raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    return msgspec.json.decode(raw, type=Begun)


def _signature(body: str, key: bytes) -> str:
    text = b"provider\x1f" + body.encode(errors="replace")
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def values_of(claims: Mapping[str, Any], path: str) -> Iterable[str]:
    """Texts of a claim, also one inside others such as ``realm_access.roles``."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return (found,)
    return tuple(v for v in found if isinstance(v, str)) if isinstance(found, list) else ()
