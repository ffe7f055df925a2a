"""What a site tells us beforehand: its people, its variable names, which endpoints are agents."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from msgspec import Struct, field

from monitord.domain.views import Party

LABELS = (*("campaign", "list", "result", "number", "direction", "payment", "score", "recording"),)
"""What a channel variable can say of a call."""

PAYMENT_EVENT = "MonitordPayment"
SCORE_EVENT = "MonitordScore"

FITTING_MOST = 20_000
"""Endpoints of which is remembered whether a pattern fits: each of a call's events asks."""


class Person(Struct, frozen=True):
    """Somebody of the site, with what tells their telephone apart."""

    id: str
    name: str
    endpoints: tuple[str, ...] = ()
    """Such as ``PJSIP/1001``."""
    account_codes: tuple[str, ...] = ()
    agent: bool = False
    """Takes customers' calls, so may be supervised even before any queue names them."""


class Site(Struct, frozen=True):
    """Rules of one site, the same for all its PBXs."""

    variables: Mapping[str, str] = field(default_factory=dict)
    """Channel variable name to one of ``LABELS``."""
    people: tuple[Person, ...] = ()
    agent_patterns: tuple[str, ...] = ()
    """Shell-style patterns of endpoints that are agents, for sites without queues."""
    wrap_up_reasons: frozenset[str] = frozenset()
    """Reasons of a pause that mean wrap-up."""
    payment_event: str = PAYMENT_EVENT
    """Name of the UserEvent that says when a payment begins and ends."""
    score_event: str = SCORE_EVENT
    """Name of the UserEvent that says how satisfied a customer was."""

    keypads: frozenset[str] = frozenset()
    """Ids of the PBXs that let us see supervisors' digits."""
    wrap_up_s: Mapping[str, int] = field(default_factory=dict)
    """Seconds of wrap-up by queue, ``*`` for all others. Asterisk tells only a member's own
    wrapuptime and never the queue's (measured on 16 and 22)."""

    def wrap_up_of(self, queue: str, own: int) -> int:
        """``own`` is the member's own wrapuptime, 0 where it has none."""
        return own or self.wrap_up_s.get(queue, self.wrap_up_s.get("*", 0))

    def label_of(self, variable: str) -> str | None:
        """The label that a channel variable carries; inheritance marks (``__X``) do not count."""
        return self.variables.get(variable.lstrip("_"))


class Directory:
    """Look-ups into the people of a site, for one PBX."""

    def __init__(self, pbx: str, site: Site) -> None:
        self._pbx = pbx
        self._by_endpoint = {e: p for p in site.people for e in p.endpoints}
        self._patterns = site.agent_patterns
        self._fitting: dict[str, bool] = {}
        self.by_account = {
            code: p.endpoints[0]
            for p in site.people
            if p.agent and p.endpoints
            for code in p.account_codes
        }
        """Account code to the agent's endpoint."""

    def party(self, endpoint: str, name: str = "") -> Party:
        """``name`` is what a queue calls the endpoint; a person's own name goes before it."""
        person = self._by_endpoint.get(endpoint)
        if person is not None:
            return Party(person.id, person.name, endpoint)
        return Party(f"{self._pbx}/{endpoint}", name or endpoint, endpoint)

    def is_ours(self, endpoint: str) -> bool:
        """Whether it is the telephone of somebody of the site, so of no customer."""
        return endpoint in self._by_endpoint

    def is_agent(self, endpoint: str) -> bool:
        person = self._by_endpoint.get(endpoint)
        if person is not None:
            return person.agent
        if not self._patterns:
            return False
        fits = self._fitting.get(endpoint)
        if fits is None:
            fits = any(fnmatchcase(endpoint, p) for p in self._patterns)
            if len(self._fitting) >= FITTING_MOST:
                self._fitting.clear()
            self._fitting[endpoint] = fits
        return fits
