"""Calls: customers who ring in, are rung, wait or give up, and agents who dial out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.lab.ami import Message
from tests.lab.stage import Stage


@dataclass(frozen=True)
class Call:
    """A call in which both are talking. `customer` and `agent` are uniqueids.

    The agent is the phone, also where the queue has rung it through a Local channel.
    """

    customer: str
    agent: str
    endpoint: str  # the agent's, for example PJSIP/1001
    customer_channel: str
    agent_channel: str


# what a customer dials: extensions.conf's [from-trunk]
DIDS = {
    "support": "8000",
    "sales": "8001",
    "late": "8002",
    "absent": "8003",
    "local": "8004",
    "local-optimised": "8005",
    "empty": "8009",
    "900": "8900",
}


class Calls(Stage):
    """The customers and the agents."""

    async def customer_calls(
        self,
        number: str,
        *,
        campaign: str | None = None,
        list_: str | None = None,
        queue: str = "support",
        context: str = "inbound",
    ) -> Call:
        """A customer rings in and a queue's agent answers."""
        since = self.ami.mark()
        customer = await self.customer_waits(
            number, campaign=campaign, list_=list_, queue=queue, context=context
        )
        got = await self.ami.wait_event("AgentConnect", since, Uniqueid=customer)
        agent = await self._phone_behind(since, got)
        return await self._talking(since, customer, agent)

    async def customer_waits(
        self,
        number: str,
        *,
        campaign: str | None = None,
        list_: str | None = None,
        queue: str = "empty",
        context: str = "inbound",
    ) -> str:
        """A customer rings in and waits in the queue; returns the uniqueid."""
        since = self.ami.mark()
        customer = await self._originate(
            f"PJSIP/{number}@trunk", context, queue, number, _labels(campaign, list_)
        )
        await self.ami.wait_event("QueueCallerJoin", since, Uniqueid=customer)
        return customer

    async def customer_calls_in(
        self,
        number: str,
        *,
        campaign: str | None = None,
        list_: str | None = None,
        queue: str = "support",
    ) -> Call:
        """As `customer_calls`, but the customer's own phone rings in through the trunk.

        So the first channel is an incoming one (state Ring), as on a real PBX. In
        `customer_calls` it is one that Asterisk has originated.
        """
        since = self.ami.mark()
        customer = await self.customer_waits_in(number, campaign=campaign, list_=list_, queue=queue)
        got = await self.ami.wait_event("AgentConnect", since, Uniqueid=customer)
        agent = await self._phone_behind(since, got)
        return await self._talking(since, customer, agent)

    async def customer_waits_in(
        self,
        number: str,
        *,
        campaign: str | None = None,
        list_: str | None = None,
        queue: str = "empty",
    ) -> str:
        """As `customer_waits`, but the customer's own phone rings in through the trunk."""
        since = self.ami.mark()
        customer = await self._rings_in(number, DIDS[queue], campaign, list_)
        await self.ami.wait_event("QueueCallerJoin", since, Uniqueid=customer)
        return customer

    async def _rings_in(
        self, number: str, did: str, campaign: str | None, list_: str | None
    ) -> str:
        since = self.ami.mark()
        given = {"X-Campaign": campaign, "X-List": list_}
        headers = {name: value for name, value in given.items() if value is not None}
        self.server.call_in(number, did, headers)
        trunk = re.compile(r"^PJSIP/trunk-")
        new = await self.ami.wait_event("Newchannel", since, Channel=trunk, CallerIDNum=number)
        return new["Uniqueid"]

    async def customer_calls_agent(
        self,
        number: str,
        agent: str,
        *,
        campaign: str | None = None,
        list_: str | None = None,
        silent: bool = False,
        pays: str | None = None,
    ) -> Call:
        """Without a queue, as from a dialler that has the customer first. `pays`: the dialplan says
        so by a UserEvent, `on` or `off`, before it rings the agent.

        Silent, with agent 1009, neither side sends any RTP.
        """
        since = self.ami.mark()
        trunk = "trunk-silent" if silent else "trunk"
        customer = await self._originate(
            f"PJSIP/{number}@{trunk}", "direct", agent, number, _labels(campaign, list_, pays)
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

    # ---- payments, as a program beside Asterisk says that somebody pays

    async def says_paying(self, uniqueid: str, *, on: bool, name: str = "MonitordPayment") -> None:
        """By a UserEvent that also holds what nobody must keep."""
        since = self.ami.mark()
        state = {"State": "on" if on else "off", "Card": "4111111111111111"}
        await self.ami.action("UserEvent", UserEvent=name, Uniqueid=uniqueid, **state)
        await self.ami.wait_event("UserEvent", since, UserEvent=name)

    async def record(self, channel: str) -> None:
        since = self.ami.mark()
        await self.ami.action("MixMonitor", Channel=channel, File="lab-recording.wav")
        await self.ami.wait_event("MixMonitorStart", since, Channel=channel)

    async def mute_recording(self, channel: str, *, on: bool, side: str = "both") -> None:
        since = self.ami.mark()
        state = "1" if on else "0"
        await self.ami.action("MixMonitorMute", Channel=channel, Direction=side, State=state)
        await self.ami.wait_event("MixMonitorMute", since, Channel=channel, Direction=side)

    async def _phone_behind(self, since: int, connect: Message) -> str:
        """Of an AgentConnect: the phone, also if it was rung through a Local channel."""
        channel = connect["DestChannel"]
        if not channel.startswith("Local/"):
            return connect["DestUniqueid"]
        far_end = channel.removesuffix(";1") + ";2"
        dial = await self.ami.wait_event("DialBegin", since, Channel=far_end)
        if not connect["Interface"].endswith("/n"):  # it goes as soon as there is sound
            await self.ami.wait_event("LocalOptimizationEnd", since, LocalOneChannel=channel)
        return dial["DestUniqueid"]

    async def _talking(self, since: int, customer: str, agent: str) -> Call:
        side = await self.ami.wait_event("BridgeEnter", since, Uniqueid=customer)
        other = await self.ami.wait_event("BridgeEnter", since, Uniqueid=agent)
        endpoint = other["Channel"].rpartition("-")[0]
        return Call(customer, agent, endpoint, side["Channel"], other["Channel"])


def _labels(campaign: str | None, list_: str | None, pays: str | None = None) -> list[str]:
    given = {"LAB_CAMPAIGN": campaign, "LAB_LIST": list_, "LAB_PAYS": pays}
    return [f"{name}={value}" for name, value in given.items() if value is not None]
