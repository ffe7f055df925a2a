"""What AMI sends of as many calls as one likes, made of the few that were recorded.

Every call gets its own uniqueids, channels, bridges and number, and agents who are free; the calls
overlap as they would, some hundreds at once. With ``filtered``, only what the shipped event filter
lets through.
"""

from __future__ import annotations

import gzip
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.bench.record import FILE, Recorded
from tests.bench.site import AGENTS, PROBED, TEAMS, agent_number, supervisor_number

MANAGER = Path(__file__).parents[2] / "asterisk" / "manager.d" / "monitord-22.conf"
END = "\r\n\r\n"

KINDS = ("plain",) * 13 + ("held",) * 4 + ("late",) * 2 + ("supervised",)
"""One of twenty calls is supervised, and so on; in an order that repeats."""

_SLOTS = re.compile(
    r"""(?P<uniqueid>lab22-\d+\.\d+)
      | (?P<serial>(?<=-)[0-9a-f]{8}(?![0-9a-f-]))
      | (?P<bridge>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})
      | (?P<number>491701234567)
      | (?P<phone>(?:(?<=\*221)|(?<![\d.]))(?:1001|1003|1004|1008|2001)(?!\d))""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Message:
    ms: int
    parts: tuple[str, ...]
    """Text and slot in turn; a slot is the number of one of its call's values."""
    slots: tuple[int, ...]


@dataclass(frozen=True)
class Template:
    """A recorded call with its own names taken out."""

    messages: tuple[Message, ...]
    names: tuple[tuple[str, str], ...]
    """(kind, what stood there) of each value."""
    lasts: int


def template(recorded: Recorded, texts: list[tuple[int, str]]) -> Template:
    names: dict[tuple[str, str], int] = {}
    messages = []
    for ms, text in texts:
        parts, slots, at = [], [], 0
        for found in _SLOTS.finditer(text):
            name = (str(found.lastgroup), found[0])
            parts.append(text[at : found.start()])
            slots.append(names.setdefault(name, len(names)))
            at = found.end()
        messages.append(Message(ms, (*parts, text[at:] + END), tuple(slots)))
    return Template(tuple(messages), tuple(names), recorded.messages[-1][0])


def templates(*, filtered: bool) -> dict[str, Template]:
    passes = shipped_filter() if filtered else lambda text: True
    recorded = msgspec.json.decode(gzip.decompress(FILE.read_bytes()), type=list[Recorded])
    return {
        r.kind: template(r, [(ms, text) for ms, text in r.messages if passes(text)])
        for r in recorded
    }


class _Names:
    """What nobody else has, and who is free."""

    def __init__(self) -> None:
        self.serial = 0
        self.free = deque(range(AGENTS - PROBED))

    def agents(self, count: int) -> list[int]:
        if len(self.free) < count:
            raise ValueError("there are more calls at once than agents")
        return [self.free.popleft() for _ in range(count)]

    def values(self, kind: Template, call: int, agent: int, other: int) -> list[str]:
        found = []
        for what, name in kind.names:
            self.serial += 1
            match what:
                case "uniqueid":
                    value = f"lab22-{1795360000 + self.serial // 100}.{self.serial}"
                case "serial":
                    value = f"{self.serial:08x}"
                case "bridge":
                    value = f"{self.serial:08x}-7c1b-4f3a-9d2e-{call:012x}"
                case "number":
                    value = f"4917{call:08d}"
                case _ if name == "2001":
                    value = supervisor_number(agent % TEAMS)
                case _:
                    value = agent_number(other if name == "1008" else agent)
            found.append(value)
        return found


def messages(calls: int, *, running: int = 300, filtered: bool = False) -> Iterator[str]:
    """Each with its end. ``running``: calls at once, when all have begun."""
    kinds = templates(filtered=filtered)
    lasting = sum(kinds[k].lasts for k in KINDS) / len(KINDS)
    between = lasting / running
    names = _Names()
    order: list[tuple[float, int, int]] = []
    for call in range(calls):
        messages_ = kinds[_kind(call)].messages
        order += [(call * between + m.ms, call, n) for n, m in enumerate(messages_)]
    order.sort()
    live: dict[int, tuple[Template, list[str], list[int]]] = {}
    for _, call, n in order:
        if call not in live:
            kind = kinds[_kind(call)]
            agents = names.agents(2 if _kind(call) == "late" else 1)
            live[call] = (kind, names.values(kind, call, agents[0], agents[-1]), agents)
        kind, values, agents = live[call]
        message = kind.messages[n]
        text = message.parts[0]
        for slot, part in zip(message.slots, message.parts[1:], strict=True):
            text += values[slot] + part
        if n + 1 == len(kind.messages):
            names.free.extend(agents)
            del live[call]
        yield text


def _kind(call: int) -> str:
    return KINDS[call * 7 % len(KINDS)]


def stream(calls: int, *, running: int = 300, filtered: bool = False) -> tuple[bytes, int]:
    """All of it, and how many events it has."""
    texts = list(messages(calls, running=running, filtered=filtered))
    return "".join(texts).encode(), len(texts)


# --- the shipped filter ------------------------------------------------------------------

_RULE = re.compile(r"^eventfilter\((.*)\) = ?(.*)$", re.MULTILINE)
_PART = re.compile(r"(name|header|method|action)\((.*?)\)")


def shipped_filter() -> Callable[[str], bool]:
    """Whether Asterisk would send a message to monitord's user, by the file that a site copies."""
    text = MANAGER.read_text()
    classes = re.search(r"(?m)^read = (.*)$", text)
    assert classes is not None
    read = {*classes[1].split(",")}
    rules = [(dict(_PART.findall(r[1])), r[2]) for r in _RULE.finditer(text)]
    if not rules:
        raise ValueError(f"{MANAGER.name} has no event filter any more")

    def matches(rule: tuple[dict[str, str], str], name: str, headers: str) -> bool:
        where, what = rule
        if where["name"] != name:
            return False
        if "header" not in where:
            return True
        values = re.findall(rf"(?m)^{re.escape(where['header'])}: (.*?)\r?$", headers)
        if where["method"] == "exact":
            return what in values
        return any(re.search(what, value) for value in values)

    def passes(text: str) -> bool:
        name = text.partition("\r\n")[0].removeprefix("Event: ")
        privilege = re.search(r"(?m)^Privilege: (\w+)", text)
        if privilege is None or privilege[1] not in read:
            return False
        taken = [r for r in rules if matches(r, name, text)]
        return bool(taken) and not any(r[0].get("action") == "exclude" for r in taken)

    return passes
