"""Supervisors: by the shipped feature codes, by a site's own, and as other programs start them."""

from __future__ import annotations

from tests.lab.stage import Stage

MONITOR, COACH, BARGE = "*221", "*222", "*223"


class Supervisors(Stage):
    """Those who listen, and what they press."""

    async def supervisor_dials(self, supervisor: str, code: str, agent: str) -> str:
        """Returns the spyer's uniqueid when it has begun to spy."""
        since = self.ami.mark()
        spyer = await self._dial_code(supervisor, code, agent)
        await self.ami.wait_event("ChanSpyStart", since, SpyerUniqueid=spyer)
        return spyer

    async def supervisor_is_refused(self, supervisor: str, code: str, agent: str) -> str:
        """Dials a code that must not work; returns the cause with which it was hung up."""
        spyer = await self._dial_code(supervisor, code, agent)
        return (await self.ami.wait_event("Hangup", Uniqueid=spyer))["Cause"]

    async def _dial_code(self, supervisor: str, code: str, agent: str) -> str:
        return await self._originate(
            f"PJSIP/{supervisor}", "monitord-supervisor", f"{code}{agent}", supervisor, []
        )

    async def originate_spy(self, supervisor: str, agent_channel: str, options: str) -> str:
        """As other programs start a spy: no dialplan, so no Newexten tells the options."""
        since = self.ami.mark()
        spy = await self._originated(
            Channel=f"PJSIP/{supervisor}", Application="ChanSpy", Data=f"{agent_channel},{options}"
        )
        await self.ami.wait_event("ChanSpyStart", since, SpyerUniqueid=spy["Uniqueid"])
        return spy["Uniqueid"]
