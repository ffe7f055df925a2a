"""What somebody may read of the past: whose rows, and what of them.

The live counterpart is :mod:`monitord.people.audience`; both say the same of the same call.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from monitord.domain.ledger import CallRecord, SegmentRecord, SupervisionRecord
from monitord.people.audience import concerns, mask
from monitord.people.erased import TEXT, is_pseudonym
from monitord.people.permissions import Permission
from monitord.people.roster import Reach, Rights


class Sight(Struct, frozen=True):
    reach: Reach
    numbers: bool
    """Whole, not masked."""

    def sees(self, row: SupervisionRecord) -> bool:
        return concerns(self.reach, row.agent_id, row.supervisor_id)

    def call(self, row: CallRecord) -> CallRecord:
        return msgspec.structs.replace(row, number=self._number(row.number))

    def _number(self, number: str | None) -> str | None:
        if is_pseudonym(number):
            return TEXT
        return number if self.numbers else mask(number)

    def supervision(self, row: SupervisionRecord) -> SupervisionRecord:
        """Without its call, where that is another team's: it is seen then for its supervisor."""
        if row.agent_id in self.reach:
            return row
        return msgspec.structs.replace(row, campaign=None, call=None, call_id=None)

    def segment(self, owner: SupervisionRecord, row: SegmentRecord) -> SegmentRecord:
        if owner.agent_id not in self.reach:
            return msgspec.structs.replace(
                row,
                spyee=None,
                call=None,
                call_id=None,
                number=None,
                campaign=None,
                list=None,
                result=None,
            )
        return msgspec.structs.replace(row, number=self._number(row.number))


def sight_of(rights: Rights, *also: Permission) -> Sight:
    """``also``: permissions that are needed besides, as for an export."""
    reach = rights.on("history.see")
    for permission in also:
        reach &= rights.on(permission)
    return Sight(reach, rights.may("number.see"))
