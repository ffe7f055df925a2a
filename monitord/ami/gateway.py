"""The only way to act on a PBX, and all that can be done by it: hang up a supervisor's channel.

No caller chooses an action or a channel name. What is sent is a uniqueid of a supervision that is
known to run, after Status has said once more that this very channel is in a spy (ami-facts 0.6,
3.2): a name could be a pattern, and after a restart the same name is another channel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from monitord.ami.link import Link
from monitord.ami.protocol import AmiError
from monitord.domain.spy import SPY_APPLICATIONS

NORMAL_CLEARING = "16"
"""Q.850 cause of an ordinary end."""

_UNIQUEID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,148}")
"""As Asterisk makes them; a leading slash would make Hangup take it for a pattern."""


class NotDoneError(Exception):
    """The PBX was not told to do it, or would not. The text is for a person."""


class Gateway:
    def __init__(self, links: Mapping[str, Link]) -> None:
        self._links = links

    async def check_spyer(self, pbx: str, uniqueid: str) -> None:
        """Ask the PBX whether this channel is a supervisor's, now.

        Raises:
            NotDoneError: it is not, or nobody can say.
        """
        link = self._links.get(pbx)
        if link is None:
            raise NotDoneError("That PBX is not configured any more.")
        if not _UNIQUEID.fullmatch(uniqueid):
            raise NotDoneError("The channel's id is not one that Asterisk makes.")
        try:
            answer = await link.ask("Status", {"Channel": uniqueid}, deadline=3.0)
        except AmiError as error:
            raise NotDoneError(f"The PBX could not be asked: {error}.") from None
        items = [m for m in answer if m.event == "Status" and m.uniqueid == uniqueid]
        if not items:
            raise NotDoneError("The supervisor's channel is gone already.")
        spying = items[0].application in SPY_APPLICATIONS or items[0].channel.startswith("Snoop/")
        if not spying:
            raise NotDoneError(
                "The supervisor's channel is no longer listening; hanging it up could end a call."
            )

    async def hang_up_spyer(self, pbx: str, uniqueid: str) -> None:
        """Hang up a channel that :meth:`check_spyer` has just confirmed.

        Success means that Asterisk accepted it, not that it is done: a spy on a leg without
        audio frames stays (ami-facts 0.5).

        Raises:
            NotDoneError: refused, or not known to be sent.
        """
        await self.check_spyer(pbx, uniqueid)
        link = self._links[pbx]
        try:
            answer = await link.ask(
                "Hangup", {"Channel": uniqueid, "Cause": NORMAL_CLEARING}, deadline=3.0
            )
        except AmiError as error:
            raise NotDoneError(f"It is not known whether the PBX did it: {error}.") from None
        if not answer[0].success:
            why = answer[0].message or "no reason given"
            raise NotDoneError(f"The PBX refused to hang up: {why}.")
