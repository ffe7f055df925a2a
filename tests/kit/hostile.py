"""What the telephone network can put into names, numbers and variables, as a centre's own."""

from __future__ import annotations

import json
import random
import re

import pytest

from monitord.simulator.campaigns import Campaign
from monitord.simulator.pbx import Party
from tests.kit.daemon import password_hash

IMAGE = "<img src=x onerror=window.owned=1>"
SCRIPT = '"><script>window.owned=1</script>'
ANCHOR = "<a href=javascript:window.owned=1>help</a>"
TEMPLATE = "{{constructor.constructor('window.owned=1')()}}${window.owned=1}"
FORMULA = "=cmd|' /C calc'!A0"
SPLIT = "lead;=HYPERLINK(A1)\t+1"
TURNED = "\u202egnp.exe"
STEERING = "\x1b[31mred\x07\x9b2J\x7f"
LONG = "W" * 300
STACKED = "Z" + "\u0300\u0489\u035c" * 40
"""Marks above and below each other, far out of their line."""

AGENTS = (
    *(IMAGE, SCRIPT, ANCHOR, TEMPLATE, FORMULA, SPLIT),
    *(f"{TURNED} Agent", f"{STEERING} Agent", LONG, STACKED),
)
SUPERVISORS = (IMAGE.replace("x ", "y "), "' onmouseover='window.owned=1", "＝1+1", "Sue")
CAMPAIGNS = (
    Campaign(
        f"{IMAGE} {TURNED}",
        (FORMULA, SCRIPT),
        (f"{STEERING}", SPLIT),
        ("inbound", "outbound"),
        "1",
        "sales",
    ),
    Campaign(LONG, (TURNED, STACKED), (ANCHOR, "＝1"), ("inbound", "outbound"), "2", "support"),
)
NUMBERS = ("<svg onload=window.owned=1>", "=1+1", "+441134960123", "\u202e321", "9" * 80)

UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What no page may hold."""


def people() -> str:
    """For the settings' file: the supervisors; the agents have the names that the queues tell."""
    lines: list[str] = []
    for login, role in (("ina", "QA manager"), ("sue", "supervisor")):
        lines += ["[[people]]", f'id = "{login}"', f'name = "{login}"', f'login = "{login}"']
        lines += [f'role = "{role}"', f'password_hash = "{password_hash()}"']
    for n, name in enumerate(SUPERVISORS, 1):
        lines += ["[[people]]", f'id = "boss-{n}"', f"name = {json.dumps(name)}"]
        lines += [f'endpoints = ["PJSIP/200{n}"]']
    return "\n".join(lines)


def take_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated centres that begin from now on are like that."""

    def customer(rng: random.Random) -> Party:
        return Party(rng.choice(NUMBERS), rng.choice((IMAGE, SCRIPT, TURNED)))

    centre = "monitord.simulator.centre"
    monkeypatch.setattr(f"{centre}.AGENT_NAMES", AGENTS)
    monkeypatch.setattr(f"{centre}.SUPERVISOR_NAMES", SUPERVISORS)
    monkeypatch.setattr(f"{centre}.INBOUND", CAMPAIGNS)
    monkeypatch.setattr(f"{centre}.OUTBOUND", CAMPAIGNS)
    monkeypatch.setattr(f"{centre}.customer", customer)
