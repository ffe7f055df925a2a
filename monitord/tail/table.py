"""The live table on a terminal: who supervises whom, with lengths that tick."""

from __future__ import annotations

import time
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitord.api import wire
from monitord.domain.words import LinkState, Provenance, SpyType, SupervisionState
from monitord.tail.happenings import Follower, SupervisionLine
from monitord.tail.safe import safe

WIDE = 132
"""Columns of a terminal from which each value of the call gets a column of its own."""

_STYLE = {
    SpyType.UNKNOWN: "dim",
    SpyType.MONITOR: "cyan",
    SpyType.COACH: "green",
    SpyType.BARGE: "yellow",
    SpyType.BARGE_KICK: "red",
}


class Screen:
    """What is shown, made anew whenever it is asked for."""

    def __init__(self, origin: str, follower: Follower) -> None:
        self._origin = origin
        self._follower = follower
        self._live = False
        self._why = ""
        self._offset_ms = 0.0
        self._trip_ms: float | None = None
        self._lags: dict[str, int | None] = {}
        self._stopped: float | None = None
        """Our clock when the connection was lost: lengths stand still from then on."""

    def connection(self, *, live: bool, why: str) -> None:
        self._live, self._why = live, why
        self._stopped = None if live else (self._stopped or time.time())

    def measured(self, lags: list[wire.Lag], offset_ms: float, trip_ms: float | None) -> None:
        self._lags = {lag.pbx: lag.ms for lag in lags}
        self._offset_ms, self._trip_ms = offset_ms, trip_ms

    @property
    def _now(self) -> float:
        """Of the server, in ms."""
        return (self._stopped or time.time()) * 1000 + self._offset_ms

    def render(self, console: Console) -> RenderableType:
        rows = sorted(self._follower.rows.values(), key=lambda r: (r.supervisor, r.started))
        parts: list[RenderableType] = [*self._head(), Text()]
        if rows:
            parts.append(self._table(rows, wide=console.width >= WIDE))
        elif self._live:
            parts.append(Text("Nobody is coaching or monitoring now.", style="dim"))
        return Group(*parts)

    def _head(self) -> list[Text]:
        if self._live:
            state = Text("● Live", style="green")
        elif self._stopped is None:
            state = Text("○ Connecting", style="yellow")
        else:
            at = datetime.fromtimestamp(self._stopped).astimezone().strftime("%H:%M:%S")
            state = Text("○ Reconnecting", style="yellow")
            state.append(f"  what you see is from {at}; {safe(self._why, 200)}")
        lines = [Text.assemble(("monitord ", "bold"), safe(self._origin, 100), "  ", state)]
        for pbx in self._follower.picture.pbxs.values():
            line = Text("  " + safe(pbx.name))
            if pbx.link is LinkState.LIVE:
                line.append("  live", "green")
                line.append(f"  lag {self._lag(pbx.id)}", "dim")
            else:
                line.append(f"  {pbx.link} since {_clock(pbx.since)}", "red")
            if pbx.detail:
                line.append("  " + safe(pbx.detail, 200))
            lines.append(line)
        return lines

    def _lag(self, pbx: str) -> str:
        ms = self._lags.get(pbx)
        if ms is None or self._trip_ms is None:
            return "unknown"
        return f"{ms + self._trip_ms / 2:.0f} ms"

    def _table(self, rows: list[SupervisionLine], *, wide: bool) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold", expand=wide)
        names = ["Who", "Type", "Since", "Length", "Agent", "Status"]
        names += ["Call ID", "Number", "Campaign", "List", "Result"] if wide else ["Call"]
        for name in names:
            table.add_column(
                name,
                justify="right" if name == "Length" else "left",
                no_wrap=name in ("Since", "Length"),
                overflow="fold",
            )
        for row in rows:
            pbx = self._follower.picture.pbxs.get(row.pbx)
            old = pbx is not None and pbx.link is not LinkState.LIVE
            # Nobody knows how it goes on there.
            now = float(pbx.since) if old and pbx is not None else self._now
            table.add_row(*_cells(row, now, wide=wide), style="dim" if old else "")
        return table


def _cells(row: SupervisionLine, now: float, *, wide: bool) -> list[Text]:
    kind = f"at least {row.type}" if row.at_least else str(row.type)
    if row.state is SupervisionState.WAITING:
        kind += ", waiting"
    if row.payment:
        kind += "\npayment in progress"
    if row.disconnect_by is not None:
        kind += f"\ndisconnect requested by {safe(row.disconnect_by)}"
    length = clock_length(now - row.started)
    agent = _known(row.agent, row.agent_provenance)
    status = str(row.agent_status or "not known")
    if row.agent_reason:
        status += f" ({safe(row.agent_reason)})"
    call = [
        safe(row.call_id or "-"),
        _known(row.number, row.number_provenance),
        *(safe(value or "-") for value in (row.campaign, row.list, row.result)),
    ]
    if not wide:
        told = [f"{call[1]}  {call[0]}", " / ".join(call[2:])]
        call = ["\n".join(told) if row.call_id else "-"]
    return [
        Text(safe(row.supervisor)),
        Text(kind, style=_STYLE[row.type]),
        Text(_clock(row.started)),
        Text(length if row.started_exact else f"≥ {length}"),
        Text(agent),
        Text(status),
        *map(Text, call),
    ]


def _known(value: str | None, provenance: Provenance | None) -> str:
    """With how it is known, where that is less than Asterisk's or a setting's word."""
    if value is None:
        return "-"
    weak = provenance in (Provenance.DERIVED, Provenance.UNVERIFIED)
    return safe(value) + (f" ({provenance})" if weak else "")


def _clock(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%H:%M:%S")


def clock_length(ms: float) -> str:
    minutes, seconds = divmod(max(0, int(ms / 1000)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
