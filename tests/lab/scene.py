"""What tests do on the stage: calls, supervisors, labels. Each waits for Asterisk's own word."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self

from tests.lab.ami import DEADLINE, Ami, Message, Refused
from tests.lab.server import AsteriskServer

MONITOR, COACH, BARGE = "*221", "*222", "*223"


@dataclass(frozen=True)
class Call:
    """A call in which both are talking. `customer` and `agent` are uniqueids."""

    customer: str
    agent: str
    endpoint: str  # the agent's, for example PJSIP/1001
    customer_channel: str
    agent_channel: str


@dataclass
class Scene:
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

    # ---- calls

    async def customer_calls(
        self,
        number: str,
        *,
        campaign: str | None = None,
        list_: str | None = None,
        queue: str = "support",
    ) -> Call:
        """A customer rings in and a queue's agent answers."""
        since = self.ami.mark()
        customer = await self.customer_waits(number, campaign=campaign, list_=list_, queue=queue)
        got = await self.ami.wait_event("AgentConnect", since, Uniqueid=customer)
        return await self._talking(since, customer, got["DestUniqueid"])

    async def customer_waits(
        self,
        number: str,
        *,
        campaign: str | None = None,
        list_: str | None = None,
        queue: str = "empty",
    ) -> str:
        """A customer rings in and waits in the queue; returns the uniqueid."""
        since = self.ami.mark()
        customer = await self._originate(
            f"PJSIP/{number}@trunk", "inbound", queue, number, _labels(campaign, list_)
        )
        await self.ami.wait_event("QueueCallerJoin", since, Uniqueid=customer)
        return customer

    async def customer_calls_agent(
        self,
        number: str,
        agent: str,
        *,
        campaign: str | None = None,
        list_: str | None = None,
        silent: bool = False,
    ) -> Call:
        """Without a queue, as from a dialler that has the customer first.

        Silent, with agent 1009, neither side sends any RTP.
        """
        since = self.ami.mark()
        trunk = "trunk-silent" if silent else "trunk"
        customer = await self._originate(
            f"PJSIP/{number}@{trunk}", "direct", agent, number, _labels(campaign, list_)
        )
        dial = await self.ami.wait_event("DialBegin", since, Uniqueid=customer)
        return await self._talking(since, customer, dial["DestUniqueid"])

    async def agent_dials(
        self, agent: str, number: str, *, campaign: str | None = None, list_: str | None = None
    ) -> Call:
        """An agent dials out: the agent's leg is the caller, and the first."""
        since = self.ami.mark()
        caller = await self._originate(
            f"PJSIP/{agent}", "outbound", number, agent, _labels(campaign, list_)
        )
        dial = await self.ami.wait_event("DialBegin", since, Uniqueid=caller)
        return await self._talking(since, dial["DestUniqueid"], caller)

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

    async def _talking(self, since: int, customer: str, agent: str) -> Call:
        side = await self.ami.wait_event("BridgeEnter", since, Uniqueid=customer)
        other = await self.ami.wait_event("BridgeEnter", since, Uniqueid=agent)
        endpoint = other["Channel"].rpartition("-")[0]
        return Call(customer, agent, endpoint, side["Channel"], other["Channel"])

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

    # ---- supervisors

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
        for member in await self.ami.action("QueueStatus"):
            if member["Event"] == "QueueMember" and member["Paused"] == "1":
                await self.pause_agent(member["Name"].rpartition("/")[2], paused=False)
        await self.ami.action("QueueReset")  # forgets the last call and with it the wrap-up


def _labels(campaign: str | None, list_: str | None) -> list[str]:
    given = {"LAB_CAMPAIGN": campaign, "LAB_LIST": list_}
    return [f"{name}={value}" for name, value in given.items() if value is not None]
