"""Saved views: names for filters of a page."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

ViewPage = Literal["coach-manager", "history", "live-calls", "team"]

ViewName = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
FilterName = Annotated[str, Meta(pattern=r"^[a-z_]{1,40}\Z")]
FilterValue = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class View(Struct, frozen=True):
    """A name for some filters of a page."""

    id: str
    page: str
    name: str
    filters: dict[str, str]
    """As the page's address has them."""
    shared: bool
    by: str
    """Name of whose it is."""
    own: bool


class Views(Struct, frozen=True):
    mine: list[str]
    """Ids of those whom the view "mine" is about: oneself, the own team, direct reports."""
    views: list[View]
    chosen: dict[str, str]
    """By page: the id of the view that was chosen last, or the name of a built-in one (Coach
    Manager and Live calls have "mine" and "all")."""


class PutView(Struct, frozen=True, forbid_unknown_fields=True):
    page: ViewPage
    name: ViewName
    filters: Annotated[dict[FilterName, FilterValue], Meta(max_length=20)]
    shared: bool = False
    id: Annotated[str, Meta(max_length=40)] | None = None
    """Of one's own that it replaces; else it is a new one."""


class PutViews(Struct, frozen=True, forbid_unknown_fields=True):
    """What is null stays as it is."""

    views: Annotated[list[PutView], Meta(max_length=50)] | None = None
    """All of one's own."""
    chosen: dict[ViewPage, Annotated[str, Meta(max_length=40)]] | None = None
    """Only the pages of which it is to become another one."""
