"""A site with two teams on the scene's PBX: Sue supervises sales, where Ann is; Bob is in care. Tom
coaches by telephone and may only listen; Lee supervises everybody and is in no team."""

from __future__ import annotations

from tests.kit.daemon import Site, password_hash
from tests.lab.scene import Scene


def _person(person: str, name: str, *lines: str, signs_in: bool = False) -> str:
    given = [f'id = "{person}"', f'name = "{name}"', *lines]
    if signs_in:
        given += [f'login = "{person}"', f'password_hash = "{password_hash()}"']
    return "\n[[people]]\n" + "\n".join(given) + "\n"


def people() -> str:
    return "".join(
        [
            _person(
                *("sue", "Sue Supervisor", 'role = "supervisor"', 'scope = "all"'),
                *('team = "sales"', 'endpoints = ["PJSIP/2001"]'),
                signs_in=True,
            ),
            _person("cas", "Cas Leader", 'role = "supervisor"', 'team = "care"', signs_in=True),
            _person("ina", "Ina Viewer", 'role = "QA manager"', signs_in=True),
            _person("max", "Max Auditor", 'role = "auditor"', signs_in=True),
            _person("tom", "Tom Trainer", 'role = "QA manager"', 'endpoints = ["PJSIP/2002"]'),
            _person("lee", "Lee Lead", 'role = "supervisor"', 'scope = "all"',
                    'endpoints = ["PJSIP/2009"]'),
            _person("ann", "Ann Agent", 'team = "sales"', 'endpoints = ["PJSIP/1001"]',
                    "agent = true"),
            _person("bob", "Bob Agent", 'team = "care"', 'endpoints = ["PJSIP/1003"]',
                    "agent = true"),
            _person("cat", "Cat Agent", 'team = "care"', 'endpoints = ["PJSIP/1004"]',
                    "agent = true"),
        ]
    )  # fmt: skip


def site_with_teams(scene: Scene, **more: str) -> Site:
    server = scene.server
    return Site(
        ami_port=server.ports.ami, secret=server.secrets["monitord"], people=people(), **more
    )
