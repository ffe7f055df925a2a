"""Calls as Asterisk's messages tell them, as many as a measure needs.

Header by header as recorded on a real one (``tests.kit.ami_text``); only of those events of which
state is made, since all others are dropped on sight of their name.
"""

from __future__ import annotations

from tests.kit.ami_text import block, event, lines, variables

Texts = list[tuple[str, str]]
"""Name and headers of each message, in their order."""

FIRST_AGENT = 30_000


def agent_of(n: int) -> str:
    """Each call has an agent of its own among those of the bench."""
    return f"PJSIP/{FIRST_AGENT + n}"


class Calls:
    """Inbound calls through a queue, of which ``agents`` can live at once."""

    def __init__(self, agents: int, prefix: str = "lab22-1795321451") -> None:
        self.agents, self.prefix = agents, prefix

    def _customer(self, n: int, prefix: str = "", **more: str) -> str:
        return block(
            prefix,
            f"PJSIP/trunk-{2 * n:08x}",
            self.customer(n),
            CallerIDNum=f"+4930{n % 10_000_000:07}",
            CallerIDName=f"Customer {n}",
            **more,
        ) + variables(prefix, campaign=f"campaign {n % 20}")

    def _agent(self, n: int, prefix: str = "", **more: str) -> str:
        return block(
            prefix,
            f"{agent_of(n % self.agents)}-{2 * n + 1:08x}",
            self.agent(n),
            CallerIDNum=f"{FIRST_AGENT + n % self.agents}",
            ConnectedLineNum=f"+4930{n % 10_000_000:07}",
            Context="agents",
            Linkedid=self.customer(n),
            **more,
        ) + variables(prefix, campaign=f"campaign {n % 20}")

    def customer(self, n: int) -> str:
        """Uniqueid of the customer's leg, and linkedid of both."""
        return f"{self.prefix}.{2 * n}"

    def agent(self, n: int) -> str:
        return f"{self.prefix}.{2 * n + 1}"

    def _bridge(self, n: int) -> str:
        return f"{n:08x}-1d5e-4c8b-9d0e-{n:012x}"

    def begin(self, n: int) -> Texts:
        """From its arrival to the two talking."""
        customer, agent = self._customer(n), self._agent(n)
        dest = self._agent(n, "Dest")
        queue = lines(Queue="support")
        member = lines(
            Queue="support",
            Interface=agent_of(n % self.agents),
            MemberName=f"Agent {n % self.agents}",
        )
        bridge = lines(BridgeUniqueid=self._bridge(n), BridgeType="basic")
        return [
            ("Newchannel", event("Newchannel", customer)),
            ("QueueCallerJoin", event("QueueCallerJoin", customer, queue)),
            ("Newchannel", event("Newchannel", agent)),
            ("DialBegin", event("DialBegin", customer, dest)),
            ("AgentConnect", event("AgentConnect", customer, dest, member)),
            ("BridgeEnter", event("BridgeEnter", agent, bridge)),
            ("BridgeEnter", event("BridgeEnter", customer, bridge)),
        ]

    def unanswered(self, n: int) -> Texts:
        """A dialler's call that nobody takes, from its beginning to its end: most of them are."""
        customer, agent = self._customer(n), self._agent(n)
        cause = lines(Cause="19", Cause_txt="User alerting, no answer")
        return [
            ("Newchannel", event("Newchannel", customer)),
            ("Newchannel", event("Newchannel", agent)),
            ("DialBegin", event("DialBegin", customer, self._agent(n, "Dest"))),
            ("Hangup", event("Hangup", agent, cause)),
            ("Hangup", event("Hangup", customer, cause)),
        ]

    def label(self, n: int, value: str) -> Texts:
        """The dialler writes a result code: a change that is seen."""
        text = event("VarSet", self._customer(n), lines(Variable="RESULT", Value=value))
        return [("VarSet", text)]

    def noise(self, n: int) -> Texts:
        """An event that is read and leads to nothing new, as most of them."""
        return [("Newstate", event("Newstate", self._agent(n)))]

    def end(self, n: int) -> Texts:
        bridge = lines(BridgeUniqueid=self._bridge(n), BridgeType="basic")
        cause = lines(Cause="16", Cause_txt="Normal Clearing")
        return [
            ("BridgeLeave", event("BridgeLeave", self._agent(n), bridge)),
            ("Hangup", event("Hangup", self._agent(n), cause)),
            ("BridgeLeave", event("BridgeLeave", self._customer(n), bridge)),
            ("Hangup", event("Hangup", self._customer(n), cause)),
        ]
