"""The routes of signing in, sessions and tokens, for the one table."""

from __future__ import annotations

from monitord.api import account, links, provider, tokens, wire
from monitord.api.route import Route

_SESSION, _TOKEN = "{id:[0-9a-f]{20}}", "{id:[0-9a-f]{16}}"

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route("GET", "/sign-in/provider", "open", provider.start, "on to the site's own provider", status=303, head=False),
    Route("GET", provider.CALLBACK, "open", provider.callback, "back from the provider", content={"text/html": {"type": "string"}}, head=False),
    Route("GET", "/api/v1/sign-in/ways", "open", provider.ways, "in which ways one can sign in", gives=wire.Ways),
    Route("POST", "/api/v1/links/look", "open", links.look, "what a one-time link is for", body=wire.LinkToken, gives=wire.LinkPurpose),
    Route("POST", "/api/v1/links/use", "open", links.use, "use a one-time link", body=wire.LinkUse, gives=wire.Me),
    Route("POST", "/api/v1/people/{id}/link", "rights.edit", links.make, "a one-time link by which somebody sets their password", body=wire.NewLink, gives=wire.MadeLink, status=201),
    Route("GET", "/api/v1/account", "person", account.account, "how one signs in oneself", gives=wire.Account),
    Route("PUT", "/api/v1/account/password", "person", account.change_password, "change one's own password", body=wire.PasswordChange, gives=wire.Ended),
    Route("GET", "/api/v1/sessions", "person", account.sessions, "one's own sessions", gives=wire.SignInSessions),
    Route("DELETE", "/api/v1/sessions", "person", account.end_other_sessions, "end one's own other sessions", gives=wire.Ended),
    Route("GET", "/api/v1/sessions/all", "session.end", account.all_sessions, "everybody's sessions", gives=wire.SignInSessions),
    Route("DELETE", f"/api/v1/sessions/{_SESSION}", "person", account.end_session, "end a session: one's own, or with session.end another's", status=204),
    Route("GET", "/api/v1/tokens", "person", tokens.tokens, "one's own API tokens", gives=wire.ApiTokens),
    Route("POST", "/api/v1/tokens", "token.make", tokens.make, "make an API token, shown once", body=wire.NewToken, gives=wire.MadeToken, status=201),
    Route("GET", "/api/v1/tokens/all", "session.end", tokens.all_tokens, "everybody's API tokens", gives=wire.ApiTokens),
    Route("DELETE", f"/api/v1/tokens/{_TOKEN}", "person", tokens.revoke, "revoke an API token: one's own, or with session.end another's", status=204),
)
# fmt: on
