"""Supervisors: by the shipped feature codes, by a site's own, and as other programs start them."""

from __future__ import annotations

from tests.lab.ami import Message
from tests.lab.stage import Stage

MONITOR, COACH, BARGE = "*221", "*222", "*223"
SWITCH = "*224"  # Monitor, and by the keypad 4 Monitor, 5 Coach, 6 Barge
TAKEOVER = "*225"  # Barge, and 0 takes the call over


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

    async def supervisor_spies(
        self, supervisor: str, who: str, options: str = "q", *, waits: bool = False
    ) -> str:
        """By a site's own code: ChanSpy(who,options), where `who` begins channels' names.

        Returns when it has begun, or if it `waits` (nobody there to spy on) when ChanSpy runs.
        """
        since = self.ami.mark()
        given = [f"LAB_SPY={who}", f"LAB_OPTIONS={options}"]  # a comma would end a variable
        spyer = await self._originate(f"PJSIP/{supervisor}", "site-spy", "s", supervisor, given)
        await self.ami.wait_event("Newexten", since, Uniqueid=spyer, Application="ChanSpy")
        if not waits:
            await self.ami.wait_event("ChanSpyStart", since, SpyerUniqueid=spyer)
        return spyer

    async def supervisor_presses(self, spyer: str, digit: str) -> Message:
        """A key on the supervisor's (or any) phone; returns the DTMFEnd event."""
        since = self.ami.mark()
        channel = (await self.status(spyer))["Channel"]
        # a digit without a length is emulated by Asterisk, and the end comes late
        await self.ami.action(
            "PlayDTMF", Channel=channel, Digit=digit, Duration="100", Receive="true"
        )
        return await self.ami.wait_event("DTMFEnd", since, Uniqueid=spyer, Digit=digit)
