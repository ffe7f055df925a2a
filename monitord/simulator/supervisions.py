"""A supervisor on an agent's call: ChanSpy by feature code or by Originate, and its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitord.simulator.agents import Agent, Supervisor
from monitord.simulator.calls import Call, World
from monitord.simulator.clock import Timer
from monitord.simulator.pbx import Channel, Party, State

CONTEXT = "monitord-supervisor"


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    code: str  # dialled before the agent's extension
    options: str


MONITOR = Kind("Monitor", "*221", "q")
COACH = Kind("Coach", "*222", "qw")
BARGE = Kind("Barge", "*223", "qB")
KINDS = (MONITOR, COACH, BARGE)

# How often a spy with nothing to hear looks for a matching channel.
LOOK_AGAIN = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """How a supervisor goes about it. Without `exits` the spec is the endpoint's prefix,
    and the spy waits for the agent's next call when this one ends (ChanSpy without `E`)."""

    kind: Kind
    originate: bool
    exits: bool
    length: float  # seconds until the supervisor hangs up


class Supervision:
    def __init__(
        self,
        world: World,
        supervisor: Supervisor,
        agent: Agent,
        call: Call,
        plan: Plan,
        ended: Callable[[Supervision], None],
    ) -> None:
        self.world = world
        self.supervisor = supervisor
        self.agent = agent
        self.plan = plan
        self.spyer: Channel | None = None
        self.spyee: Channel | None = None
        self.attached = False  # at least once
        self.over = False
        self._first_call = call
        self._ended = ended
        self._asked: tuple[str, int] | None = None  # a hang-up that cannot take effect yet
        self._timers: list[Timer] = []

    @property
    def data(self) -> str:
        """ChanSpy's arguments."""
        leg = self._first_call.agent_leg
        options = self.plan.kind.options
        if self.plan.exits and leg is not None:
            return f"{leg.uniqueid},u{options}E"
        return f"{self.agent.device},{options}"

    def start(self) -> None:
        self.supervisor.busy = True
        pbx = self.world.pbx
        pbx.before_hangup.append(self._before_hangup)
        pbx.after_hangup.append(self._after_hangup)
        if not self.plan.exits:
            pbx.on_new_channel.append(self._new_channel)
        if self.plan.originate:
            self._originate()
        else:
            self._dial()

    def _dial(self) -> None:
        pbx = self.world.pbx
        spyer = self.spyer = pbx.new_channel(
            self.supervisor.endpoint,
            state=State.RING,
            context=CONTEXT,
            exten=self.plan.kind.code + self.agent.endpoint,
            caller=Party(self.supervisor.endpoint, self.supervisor.name),
            owner=self,
        )
        pbx.execute(spyer, "Answer", priority=1)

        def answered() -> None:
            pbx.set_state(spyer, State.UP)
            spyer.spying = True
            pbx.execute(spyer, "ChanSpy", self.data, priority=2)
            self._after(0.05, self._attach)

        self._after(0.1, answered)
        self._after(self.plan.length, lambda: self.hang_up("hung_up"))

    def _originate(self) -> None:
        """Originate Application: ChanSpy; no caller in the Dial events, no Newexten of ChanSpy."""
        pbx = self.world.pbx
        me = Party(self.supervisor.endpoint, self.supervisor.name)
        spyer = self.spyer = pbx.new_channel(
            self.supervisor.endpoint,
            state=State.DOWN,
            context=CONTEXT,
            exten="s",
            caller=me,
            owner=self,
        )
        pbx.execute(spyer, "AppDial2", "(Outgoing Line)")
        pbx.emit("DialBegin", dest=spyer, DialString=self.supervisor.endpoint)

        def ringing() -> None:
            pbx.set_state(spyer, State.RINGING)
            pbx.emit("DialState", dest=spyer, DialStatus="RINGING")

        def answered() -> None:
            pbx.set_state(spyer, State.UP)
            pbx.emit("DialEnd", dest=spyer, DialStatus="ANSWER")
            spyer.spying = True
            pbx.execute(spyer, "ChanSpy", self.data)
            pbx.emit(
                "OriginateResponse",
                spyer,
                Response="Success",
                Channel=spyer.name,
                Application="ChanSpy",
                Data=self.data,
                Reason=4,
                Uniqueid=spyer.uniqueid,
                CallerIDNum="<unknown>",
                CallerIDName="<unknown>",
            )
            self._after(0.05, self._attach)

        self._after(0.1, ringing)
        self._after(1.5, answered)
        self._after(self.plan.length, lambda: self.hang_up("hung_up"))

    def _attach(self) -> None:
        if self.spyee is not None or self.spyer is None or not self.spyer.spying:
            return
        target = self._target()
        if target is None:
            if self.plan.exits:
                # The call ended first: nothing to hear, and no event says so.
                self._after(3.0, lambda: self.hang_up("hung_up"))
            return
        self.spyee = target
        self.world.pbx.emit("ChanSpyStart", spyer=self.spyer, spyee=target)
        if not self.attached:
            self.attached = True
            self._tell(
                "supervision_started",
                type=self.plan.kind.name,
                way="originate" if self.plan.originate else "feature_code",
                exits=self.plan.exits,
                call=target.linkedid,
            )
        else:
            self._tell("supervision_resumed", call=target.linkedid)

    def _target(self) -> Channel | None:
        if self.plan.exits:
            leg = self._first_call.agent_leg
            return leg if leg is not None and not leg.gone else None
        prefix = self.agent.device
        for channel in self.world.pbx.channels.values():
            # A prefix, so PJSIP/1001 finds PJSIP/10011-... too, as in reality.
            if channel.name.startswith(prefix) and not channel.spying:
                return channel
        return None

    def _new_channel(self, channel: Channel) -> None:
        if self.spyee is None and channel.name.startswith(self.agent.device):
            self._after(LOOK_AGAIN, self._attach)

    def _before_hangup(self, channel: Channel) -> None:
        if channel is self.spyee:
            self._detach()
            if not self.plan.exits:
                self._tell("supervision_waiting")

    def _after_hangup(self, channel: Channel) -> None:
        """The spied leg is gone: a spy with `E` goes too, one without it looks for another."""
        if self.over or self.spyer is None or self.spyee is not None or not self.attached:
            return
        if channel.device != self.agent.device:
            return
        if self._asked is not None:
            self._gone(*self._asked)
        elif self.plan.exits:
            self._leave_chanspy()
        else:
            self._after(LOOK_AGAIN, self._attach)

    def _leave_chanspy(self) -> None:
        """ChanSpy returned: the dialplan goes on to Hangup; an originated one has nothing left."""
        if self.spyer is None or not self.spyer.spying:
            return
        self.spyer.spying = False
        if not self.plan.originate:
            self.world.pbx.execute(self.spyer, "Hangup", "16", priority=3)
        self._after(0.02, lambda: self._gone("call_ended", 16))

    def hangup_requested(self, channel: Channel, cause: int) -> None:
        self.hang_up("disconnected", cause)

    def hang_up(self, reason: str, cause: int = 16) -> None:
        """`reason`: hung_up (the supervisor did), disconnected (by AMI) or call_ended."""
        if self.over or self.spyer is None:
            return
        if reason == "hung_up" and self._asked is None:
            self.world.pbx.emit("HangupRequest", self.spyer, Cause=cause)
        if self.spyee is not None and self.spyee.silent:
            # Stuck in ast_audiohook_detach until the spied leg ends (audiohook.c:587).
            if self._asked is None:
                self._asked = (reason, cause)
                if reason == "disconnected":
                    self.world.pbx.soft_hangup(self.spyer, cause)
            return
        if self.spyee is not None:
            self._detach()
        if reason == "disconnected":
            self.world.pbx.soft_hangup(self.spyer, cause)
        self._gone(reason, cause)

    def _detach(self) -> None:
        spyee, self.spyee = self.spyee, None
        self.world.pbx.emit("ChanSpyStop", spyer=self.spyer, spyee=spyee)

    def _gone(self, reason: str, cause: int) -> None:
        if self.spyer is None:
            return
        self.over = True
        for timer in self._timers:
            timer.cancel()
        pbx = self.world.pbx
        pbx.before_hangup.remove(self._before_hangup)
        pbx.after_hangup.remove(self._after_hangup)
        if not self.plan.exits:
            pbx.on_new_channel.remove(self._new_channel)
        pbx.hang_up(self.spyer, cause)
        self.supervisor.busy = False
        if self.attached:
            self._tell("supervision_ended", reason=reason)
        self._ended(self)

    def _tell(self, what: str, **facts: object) -> None:
        self.world.truth.write(
            what,
            supervision=self.spyer.uniqueid if self.spyer else None,
            supervisor=self.supervisor.device,
            agent=self.agent.device,
            **facts,
        )

    def _after(self, delay: float, callback: Callable[[], None]) -> None:
        def unless_over() -> None:
            if not self.over:
                callback()

        self._timers = [t for t in self._timers if t.callback is not None]
        self._timers.append(self.world.clock.after(delay, unless_over))
