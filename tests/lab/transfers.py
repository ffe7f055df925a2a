"""Transfers and take-overs: who a customer talks to changes while he is on the line."""

from __future__ import annotations

from tests.lab.ami import Message
from tests.lab.calls import DIDS, Call, Calls
from tests.lab.ports import HOST


class Transfers(Calls):
    """What agents do with their phones, and what stands for Barge-Kick."""

    # ---- by the agent's phone (REFER)

    async def blind_transfer(self, call: Call, to_agent: str) -> Call:
        """The agent's phone sends the customer to another agent; returns the new call."""
        since = self.ami.mark()
        await self._tell_phone(call.agent, f"REFER <sip:{to_agent}@{HOST}>")
        await self.ami.wait_event("BlindTransfer", since, TransfererUniqueid=call.agent)
        await self.ami.wait_event("Hangup", since, Uniqueid=call.agent)
        dial = await self.ami.wait_event("DialBegin", since, Uniqueid=call.customer)
        return await self._talking(since, call.customer, dial["DestUniqueid"])

    async def consult(self, call: Call, to_agent: str) -> Call:
        """The agent puts the customer on hold and calls another agent on a second line.

        Returns that call: its `customer` is the first agent's second line.
        """
        await self.hold(call.agent)
        since = self.ami.mark()
        me = call.endpoint.rpartition("/")[2]
        line = await self._originate(call.endpoint, "agents", to_agent, me, [])
        dial = await self.ami.wait_event("DialBegin", since, Uniqueid=line)
        return await self._talking(since, line, dial["DestUniqueid"])

    async def attended_transfer(self, call: Call, to_agent: str) -> Call:
        """`consult`, then the agent's phone connects the two and is out; returns the new call."""
        second = await self.consult(call, to_agent)
        since = self.ami.mark()
        dialog = {
            name: await self._getvar(second.customer_channel, f"CHANNEL(pjsip,{what})")
            for name, what in (("id", "call-id"), ("to", "local_tag"), ("from", "remote_tag"))
        }
        replaces = f"{dialog['id']}%3Bto-tag%3D{dialog['to']}%3Bfrom-tag%3D{dialog['from']}"
        await self._tell_phone(call.agent, f"REFER <sip:{to_agent}@{HOST}?Replaces={replaces}>")
        await self.ami.wait_event("AttendedTransfer", since, OrigTransfererUniqueid=call.agent)
        for leg in (call.agent, second.customer):
            await self.ami.wait_event("Hangup", since, Uniqueid=leg)
        return Call(
            call.customer,
            second.agent,
            second.endpoint,
            call.customer_channel,
            second.agent_channel,
        )

    async def _getvar(self, channel: str, name: str) -> str:
        return (await self.ami.action("Getvar", Channel=channel, Variable=name))[0]["Value"]

    # ---- take-overs, by AMI

    async def bridge(self, one: str, other: str) -> Message:
        """Takes both out of what they are in, and together; returns the first's BridgeEnter."""
        since = self.ami.mark()
        channels = [(await self.status(uniqueid))["Channel"] for uniqueid in (one, other)]
        await self.ami.action("Bridge", Channel1=channels[0], Channel2=channels[1])
        await self.ami.wait_event("BridgeEnter", since, Uniqueid=other)
        return await self.ami.wait_event("BridgeEnter", since, Uniqueid=one)

    async def redirect_both(self, one: str, other: str, room: str = "900") -> Message:
        """Sends both into a conference; returns the first's ConfbridgeJoin."""
        since = self.ami.mark()
        channels = [(await self.status(uniqueid))["Channel"] for uniqueid in (one, other)]
        where = {"Context": "room", "Exten": room, "Priority": "1"}
        extra = {f"Extra{name}": value for name, value in where.items()}
        await self.ami.action(
            "Redirect", Channel=channels[0], ExtraChannel=channels[1], **where, **extra
        )
        await self.ami.wait_event("ConfbridgeJoin", since, Uniqueid=other)
        return await self.ami.wait_event("ConfbridgeJoin", since, Uniqueid=one)

    # ---- calls that live in a conference

    async def conference(
        self, number: str, agent: str, *, campaign: str | None = None, list_: str | None = None
    ) -> Call:
        """The customer's phone rings into room 900, where the agent's phone is rung."""
        since = self.ami.mark()
        customer = await self._rings_in(number, DIDS["900"], campaign, list_)
        await self.ami.wait_event("ConfbridgeJoin", since, Uniqueid=customer)
        phone = await self.joins(f"PJSIP/{agent}")
        return await self._talking(since, customer, phone)

    async def joins(self, endpoint: str, room: str = "900") -> str:
        """This phone is rung and is then in the room; returns its uniqueid."""
        since = self.ami.mark()
        who = endpoint.rpartition("/")[2]
        uniqueid = await self._originate(endpoint, "room", room, who, [])
        await self.ami.wait_event("ConfbridgeJoin", since, Uniqueid=uniqueid)
        return uniqueid

    async def kick(self, uniqueid: str) -> Message:
        """Out of its bridge, by BridgeKick; returns its BridgeLeave."""
        since = self.ami.mark()
        status = await self.status(uniqueid)
        await self.ami.action(
            "BridgeKick", BridgeUniqueid=status["BridgeID"], Channel=status["Channel"]
        )
        return await self.ami.wait_event("BridgeLeave", since, Uniqueid=uniqueid)
