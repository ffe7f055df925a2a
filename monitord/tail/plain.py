"""One line of text per happening, for a log or a pipe."""

from __future__ import annotations

from datetime import datetime

from monitord.domain.words import LinkState
from monitord.tail.happenings import ConnectionLine, Line, PbxLine, StartOver, SupervisionLine
from monitord.tail.safe import safe
from monitord.tail.table import clock_length

_WIDTH = len("disconnect changed")


def plain(line: Line) -> str:
    """Printable, whatever the telephone network sent."""
    at = datetime.fromtimestamp(line.at / 1000).astimezone().strftime("%H:%M:%S")
    return f"{at}  {line.happening.replace('_', ' '):<{_WIDTH}}  {_words(line)}"


def _words(line: Line) -> str:
    match line:
        case StartOver():
            return "what is shown from here on is the whole present"
        case ConnectionLine():
            return line.state + (f": {safe(line.why, 200)}" if line.why else "")
        case PbxLine():
            since = "" if line.link is LinkState.LIVE else " (what it does is not seen)"
            detail = f": {safe(line.detail, 200)}" if line.detail else ""
            return f"{safe(line.name)} {line.link}{since}{detail}"
        case SupervisionLine():
            return _supervision(line)


def _supervision(line: SupervisionLine) -> str:
    kind = f"at least {line.type}" if line.at_least else str(line.type)
    agent = safe(line.agent) if line.agent is not None else "agent not known"
    parts = [f"{kind}  {safe(line.supervisor)} -> {agent}"]
    if line.agent_status is not None:
        reason = f", {safe(line.agent_reason)}" if line.agent_reason else ""
        parts.append(f"({line.agent_status}{reason})")
    parts.append(clock_length(line.length_ms))
    if line.call_id is not None:
        parts.append(f"call {safe(line.call_id)}")
    told = (("number", line.number), ("campaign", line.campaign), ("list", line.list))
    parts += [f"{name} {safe(value)}" for name, value in (*told, ("result", line.result)) if value]
    if line.payment:
        parts.append("payment in progress")
    if line.disconnect_by is not None:
        parts.append(f"disconnect requested by {safe(line.disconnect_by)}")
    return "  ".join(parts)
