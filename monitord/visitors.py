"""Who may sign in where the page is only shown for a while: in a demo or a replay."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable, Mapping

import click

from monitord.people.permissions import Role

ROLES = {"viewer": Role.QA_MANAGER, "supervisor": Role.SUPERVISOR}
"""By login."""


def new_passwords(logins: Iterable[str] = ROLES) -> dict[str, str]:
    """By login: new at each start, unless MONITORD_DEMO_PASSWORD gives one for all."""
    given = os.environ.get("MONITORD_DEMO_PASSWORD", "")
    return {login: given or secrets.token_urlsafe(9) for login in logins}


def invite(url: str, passwords: Mapping[str, str], may: Mapping[str, str], *more: str) -> None:
    """Print where the page is and how to sign in, and ``more`` lines. ``may``: what each login may,
    in words."""
    click.echo(f"\nThe page:  {url}\nSign in as")
    for login, password in passwords.items():
        click.echo(f"  {login:<11} {password}   {may[login]}")
    for line in more:
        click.echo(line)
    sys.stdout.flush()  # a program that started this one waits for it
