"""Between the live picture and the rules: whom a supervision hears, and an alert as it is shown."""

from __future__ import annotations

from monitord.alerts.rules import SILENCE, Heard
from monitord.domain.calls import guests
from monitord.domain.ledger import AlertRecord
from monitord.domain.state import Shard
from monitord.domain.views import Alert, Party, Supervision


def heard_by(shard: Shard, view: Supervision) -> Heard:
    call = shard.calls.get(view.call or "")
    if call is None:
        return SILENCE
    legs = [shard.channels[u] for u in call.legs]
    talking = [c for c in (*legs, *guests(shard, call, legs)) if c.bridge is not None]
    return Heard(
        number=call.number.value if call.number is not None else None,
        people=frozenset(
            shard.directory.party(shard.agent_of(c) or c.endpoint).id for c in talking
        ),
    )


def alert_view(row: AlertRecord) -> Alert:
    agent = None
    if row.agent_id is not None and row.agent_endpoint is not None:
        agent = Party(row.agent_id, row.agent_name or row.agent_endpoint, row.agent_endpoint)
    return Alert(
        id=row.id,
        pbx=row.pbx,
        supervision=row.supervision,
        about=row.kind,
        supervisor=Party(row.supervisor_id, row.supervisor_name, row.supervisor_endpoint),
        agent=agent,
        type=row.type,
        at_least=row.at_least,
        certain=row.certain,
        why=row.why,
        raised=row.raised,
        done=row.done,
        done_why=row.done_why,
        acknowledged=row.acknowledged,
        acknowledged_by=row.acknowledged_by_name,
    )
