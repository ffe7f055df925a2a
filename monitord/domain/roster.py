"""The people of the site change while calls run."""

from __future__ import annotations

import msgspec

from monitord.domain import agents, calls, supervisions
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.site import Directory
from monitord.domain.state import Shard


def on_changed(shard: Shard, event: ev.RosterChanged, at: At) -> None:
    """Whatever is live is shown, and kept, under the names that hold from now on. A row that was
    closed before is not touched: it says who it was then."""
    if event.people == shard.site.people:
        return
    shard.site = msgspec.structs.replace(shard.site, people=event.people)
    shard.directory = Directory(shard.pbx, shard.site)
    for call in list(shard.calls.values()):
        calls.update(shard, call, at)
    for supervision in shard.supervisions.values():
        supervisions.touch(shard, supervision)
    agents.renamed(shard, at)
