"""The only way to act on a PBX, and all that can be done by it: hang up a supervisor's channel.

No caller chooses an action or a channel name. What is sent is a uniqueid of a supervision that is
known to run, after Status has said once more that this very channel is in a spy (ami-facts 0.6,
3.2): a name could be a pattern, and after a restart the same name is another channel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from panoramisk.message import Message

from monitord.ami.actions import NO_SUCH_CHANNEL, AmiError, NotSentError
from monitord.ami.link import AnyLink
from monitord.domain.spy import SPY_APPLICATIONS

NORMAL_CLEARING = "16"
"""Q.850 cause of an ordinary end."""

DEADLINE_S = 3.0
"""A person waits for it."""

_UNIQUEID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,148}")
"""As Asterisk makes them; a leading slash would make Hangup take it for a pattern."""


_GONE = "The supervisor's channel is gone already."


class NotDoneError(Exception):
    """The PBX was not told to do it, or would not. The text is for a person."""


class NotKnownError(NotDoneError):
    """The PBX was told, but whether it did it is not known."""


class Gateway:
    def __init__(self, links: Mapping[str, AnyLink], *, deadline: float = DEADLINE_S) -> None:
        """``deadline`` in seconds, for each of the two questions to the PBX."""
        self._links = links
        self._deadline = deadline

    async def _check_spyer(self, pbx: str, uniqueid: str, bridge: str | None) -> AnyLink:
        """Ask the PBX whether this channel is a supervisor's, now: in a spy, or after a take-over
        in the very ``bridge`` that it shares with the customer.

        Raises:
            NotDoneError: it is not, or nobody can say.
        """
        link = self._links.get(pbx)
        if link is None:
            raise NotDoneError("That PBX is not configured any more.")
        if not _UNIQUEID.fullmatch(uniqueid):
            raise NotDoneError("The channel's id is not one that Asterisk makes.")
        try:
            answer = await link.ask("Status", {"Channel": uniqueid}, deadline=self._deadline)
        except AmiError as error:
            raise NotDoneError(f"The PBX could not be asked: {error}.") from None
        if not answer[0].success and answer[0].message != NO_SUCH_CHANNEL:
            raise NotDoneError(f"The PBX refused to say whose channel it is: {_why(answer[0])}.")
        items = [m for m in answer if m.event == "Status" and m.uniqueid == uniqueid]
        if not items:
            raise NotDoneError(_GONE)
        if bridge is not None:
            if items[0].bridgeid != bridge:
                raise NotDoneError(
                    "The supervisor's channel is no longer with that customer; hanging it up "
                    "could end another call."
                )
            return link
        spying = items[0].application in SPY_APPLICATIONS or items[0].channel.startswith("Snoop/")
        if not spying:
            raise NotDoneError(
                "The supervisor's channel is no longer listening; hanging it up could end a call."
            )
        return link

    async def hang_up_spyer(self, pbx: str, uniqueid: str, bridge: str | None = None) -> None:
        """Hang up a supervisor's channel, if Status still says that it is one. ``bridge``: the one
        in which it took a call over, which drops the customer.

        Success means that Asterisk accepted it, not that it is done: a spy on a leg without
        audio frames stays (ami-facts 0.5).

        Raises:
            NotDoneError: refused.
            NotKnownError: sent, and no answer.
        """
        link = await self._check_spyer(pbx, uniqueid, bridge)
        fields = {"Channel": uniqueid, "Cause": NORMAL_CLEARING}
        try:
            answer = await link.ask("Hangup", fields, deadline=self._deadline)
        except NotSentError as error:
            raise NotDoneError(f"The PBX was not told: {error}.") from None
        except AmiError as error:
            raise NotKnownError(f"It is not known whether the PBX did it: {error}.") from None
        if not answer[0].success:
            if answer[0].message == NO_SUCH_CHANNEL:
                raise NotDoneError(_GONE)
            raise NotDoneError(f"The PBX refused to hang up: {_why(answer[0])}.")


def _why(answer: Message) -> str:
    return (answer.message or "no reason given").rstrip(".")
