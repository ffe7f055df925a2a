"""The ground under every scene: one connection, and what can be done to any channel."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self

from tests.lab.ami import DEADLINE, Ami, Message, Refused
from tests.lab.server import AsteriskServer


@dataclass
class Stage:
    """One test's hands on one server."""

    server: AsteriskServer
    ami: Ami

    @classmethod
    async def on(cls, server: AsteriskServer) -> Self:
        secret = server.secrets["stagehand"]
        return cls(server, await Ami.connect(server.ports.ami, "stagehand", secret))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ami.close()

    async def monitord_user(self) -> Ami:
        """A connection as the daemon makes it: with the shipped user's rights and filters."""
        return await Ami.connect(self.server.ports.ami, "monitord", self.server.secrets["monitord"])

    # ---- any channel

    async def _originate(
        self, channel: str, context: str, exten: str, caller: str, variables: list[str]
    ) -> str:
        """Rings a phone, and when it answers it goes into the dialplan; returns its uniqueid."""
        response = await self._originated(
            Channel=channel,
            Context=context,
            Exten=exten,
            Priority="1",
            CallerID=f'"Caller {caller}" <{caller}>',
            Variable=variables,
        )
        return response["Uniqueid"]

    async def _originated(self, **headers: str | list[str]) -> Message:
        reply = await self.ami.action("Originate", Async="true", **headers)
        response = await self.ami.wait_event("OriginateResponse", ActionID=reply[0]["ActionID"])
        if response["Response"] != "Success":
            raise Refused(f"Originate {headers}: {response}")
        return response

    async def set_var(self, uniqueid: str, name: str, value: str) -> None:
        """As a dialler sets a result on a running call."""
        since = self.ami.mark()
        channel = (await self.status(uniqueid))["Channel"]
        await self.ami.action("Setvar", Channel=channel, Variable=name, Value=value)
        await self.ami.wait_event("VarSet", since, Uniqueid=uniqueid, Variable=name)

    async def hangup(self, uniqueid: str) -> Message:
        """Returns the Hangup event. Not for a spyer whose call is silent: that one sticks."""
        await self.ami.action("Hangup", Channel=uniqueid, Cause="16")
        return await self.ami.wait_event("Hangup", Uniqueid=uniqueid)

    async def hold(self, uniqueid: str, *, on: bool = True) -> None:
        """The phone of this channel puts the other side on hold, or takes it back."""
        since = self.ami.mark()
        await self._tell_phone(uniqueid, "HOLD" if on else "RESUME")
        await self.ami.wait_event("Hold" if on else "Unhold", since, Uniqueid=uniqueid)

    async def phone_hangs_up(self, uniqueid: str) -> Message:
        """The phone itself ends the call, as people do; `hangup` is Asterisk's doing."""
        await self._tell_phone(uniqueid, "BYE")
        return await self.ami.wait_event("Hangup", Uniqueid=uniqueid)

    async def _tell_phone(self, uniqueid: str, what: str) -> None:
        channel = (await self.status(uniqueid))["Channel"]
        await self.ami.action("SendText", Channel=channel, Message=what)

    async def status(self, uniqueid: str) -> Message:
        """One channel's Status; raises Refused when it is gone."""
        return (await self.ami.action("Status", Channel=uniqueid))[1]

    async def redirect(self, uniqueid: str, context: str, exten: str) -> None:
        channel = (await self.status(uniqueid))["Channel"]
        await self.ami.action(
            "Redirect", Channel=channel, Context=context, Exten=exten, Priority="1"
        )

    # ---- queues and order

    async def pause_agent(self, agent: str, reason: str = "", *, paused: bool = True) -> None:
        since = self.ami.mark()
        interface = f"PJSIP/{agent}"
        await self.ami.action(
            "QueuePause", Interface=interface, Paused=str(paused).lower(), Reason=reason
        )
        await self.ami.wait_event("QueueMemberPause", since, Interface=interface)

    async def channels(self) -> list[Message]:
        """What lives: Status, because CoreShowChannels shows the dead while a spy runs."""
        return [line for line in await self.ami.action("Status") if line["Event"] == "Status"]

    async def all_quiet(self) -> None:
        """Waits until there are no channels and no phone is in use."""
        async with asyncio.timeout(DEADLINE):
            while True:
                since = self.ami.mark()
                busy = len(await self.channels()) + await self._phones_in_use()
                if not busy:
                    return
                await self._anything_after(since)

    async def _phones_in_use(self) -> int:
        states = await self.ami.action("DeviceStateList")
        return sum(
            line["Device"].startswith("PJSIP/") and line["State"] not in ("NOT_INUSE", "UNKNOWN")
            for line in states
        )

    async def _anything_after(self, since: int) -> None:
        """Until the next change of a phone, which follows the end of its channel."""
        try:
            await self.ami.wait_event("DeviceStateChange", since, deadline=0.25)
        except TimeoutError:
            return  # it had come before we asked: look again

    async def reset(self) -> None:
        """Hangs everything up, and makes every queue member ready at once."""
        for channel in await self.channels():
            await self.ami.reply("Hangup", Channel=channel["Uniqueid"])
        await self.all_quiet()
        self.server.phones.end_callers()
        for member in await self.ami.action("QueueStatus"):
            if member["Event"] == "QueueMember" and member["Paused"] == "1":
                await self.pause_agent(member["Name"].rpartition("/")[2], paused=False)
        await self.ami.action("QueueReset")  # forgets the last call and with it the wrap-up
