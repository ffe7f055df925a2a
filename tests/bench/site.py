"""The site of the benches: 50 teams of 24 agents, each with two people who look on.

One of the two sees numbers whole and one masked, so that no two of the hundred get the same frames.
"""

from __future__ import annotations

from pathlib import Path

from tests.kit.daemon import Site, password_hash

TEAMS = 50
AGENTS = 1200
PROBED = 100
"""The last of the agents take no calls: their status says what a bench wants to see again."""
SECRET = "a secret only for benches"
VIEWERS = [f"{who}-{team}" for team in range(TEAMS) for who in ("sees", "masked")]
"""Logins; each with the password of the tests."""


def agent_number(agent: int) -> str:
    return str(10_000 + agent)


def supervisor_number(team: int) -> str:
    return str(20_000 + team)


def people(viewers: int = len(VIEWERS)) -> str:
    """For the settings' file. Agents are of the teams in turn."""
    lines: list[str] = []
    for agent in range(AGENTS):
        lines += [
            *("[[people]]", f'id = "agent-{agent}"', f'name = "Agent {agent}"'),
            *(f'team = "team-{agent % TEAMS}"', "agent = true"),
            f'endpoints = ["PJSIP/{agent_number(agent)}"]',
        ]
    for login in VIEWERS[:viewers]:
        who, team = login.split("-")
        lines += [
            *("[[people]]", f'id = "{login}"', f'name = "Viewer {login}"', f'login = "{login}"'),
            *(f'team = "team-{team}"', f'password_hash = "{password_hash()}"'),
        ]
        if who == "sees":
            number = supervisor_number(int(team))
            lines += ['role = "supervisor"', f'endpoints = ["PJSIP/{number}"]']
        else:
            lines += ['role = "administrator"', 'scope = "own team"']
    lines += [
        *("[[people]]", 'id = "all"', 'name = "Who sees all"', 'login = "all"'),
        *('role = "QA manager"', f'password_hash = "{password_hash()}"'),
    ]
    return "\n".join(lines)


def settings(folder: Path, ami_port: int) -> Path:
    """The settings' file. Everything else is as a site has it that sets nothing: SQLite, WAL,
    FULL, the audit chain."""
    site = Site(
        ami_port=ami_port,
        secret=SECRET,
        pbx="bench",
        variables='CAMPAIGN = "campaign"\nLIST = "list"\nRESULT = "result"',
        people=people(),
    )
    return site.write(folder)
