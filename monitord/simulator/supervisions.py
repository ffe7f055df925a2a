"""A supervisor on an agent's call: ChanSpy by feature code or by Originate, and its end.

In one thing it is kinder than Asterisk: a spy on a prefix holds no reference to the other channels
that the prefix fits, so that their Hangup is not withheld (ami-facts 0.4).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from monitord.simulator.agents import Agent, Supervisor
from monitord.simulator.calls import Call, World
from monitord.simulator.clock import Timer
from monitord.simulator.inbound import InboundCall
from monitord.simulator.pbx import Channel, Party, State
from monitord.simulator.plans import BARGE_KICK, BY_KEY, Plan
from monitord.simulator.takeovers import CONTEXT as TAKEOVER_CONTEXT
from monitord.simulator.takeovers import Takeover, can_be_taken
from monitord.simulator.transfers import can_be_transferred, transfer

CONTEXT = "monitord-supervisor"
SITE_CONTEXT = "site-spy"  # a site's own code for a spy on a prefix

# How often a spy with nothing to hear looks for a matching channel.
LOOK_AGAIN = 0.5
KEY = 0.1  # how long a key is pressed


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
        self.agent = agent  # changes where the supervisor moves on
        self.plan = plan
        self.spyer: Channel | None = None
        self.spyee: Channel | None = None
        self.attached = False  # at least once
        self.over = False
        self._first_call = call
        self._call: Call | None = None  # the one that is listened to
        self._type = plan.kind.name
        self._shown: Agent | None = None  # of the supervision that is open in the truth
        self._count = 0
        self._segments = 0
        self._segment_open = False
        self._takeover: Takeover | None = None
        self._ended = ended
        self._asked: tuple[str, int] | None = None  # a hang-up that cannot take effect yet
        self._timers: list[Timer] = []

    @property
    def data(self) -> str:
        """ChanSpy's arguments."""
        options, call = self.plan.kind.options, self._first_call
        if self.plan.of == "anyone":
            return f"PJSIP/1,q{options}"
        leg = call.customer if self.plan.of == "customer" else call.agent_leg
        if self.plan.exits and leg is not None:
            return f"{leg.uniqueid},uqES{options}"
        return f"{self.agent.device}-,q{options}"

    def start(self) -> None:
        self.supervisor.busy = True
        pbx = self.world.pbx
        if not self.plan.exits:
            pbx.on_new_channel[self._new_channel] = None
        if self.plan.of == "customer":
            self._first_call.on_agent[self._another_agent] = None
        if self.plan.originate:
            self._originate()
        else:
            self._dial()

    # -- how it begins ------------------------------------------------------------------

    def _dial(self) -> None:
        shipped = self.plan.exits
        pbx = self.world.pbx
        code = self.plan.kind.code if shipped else "*81"
        spyer = self.spyer = pbx.new_channel(
            self.supervisor.endpoint,
            state=State.RING,
            context=CONTEXT if shipped else SITE_CONTEXT,
            exten=code + ("" if self.plan.of == "anyone" else self.agent.endpoint),
            caller=Party(self.supervisor.endpoint, self.supervisor.name),
            owner=self,
        )
        if not shipped:
            pbx.execute(spyer, "Answer", priority=1)
            self._after(0.1, partial(self._answered, 2))
        else:
            # What monitord-find does stands in a context of its own, of which only the return
            # shows; ChanSpy itself answers.
            target = self.data.partition(",")[0]
            pbx.execute(spyer, "Set", f"MONITORD_AGENT={self.agent.endpoint}", priority=1)
            pbx.execute(spyer, "Gosub", "monitord-find,s,1", priority=2)
            pbx.execute(spyer, "Return", target, returned=True)
            priority = 3
            if self.plan.takeover == "conference":
                exit_ = f"SPY_EXIT_CONTEXT={TAKEOVER_CONTEXT}"
                pbx.execute(spyer, "Set", exit_, priority=priority)
                priority += 1
            self._answered(priority)
        self._after(self.plan.length, lambda: self.hang_up("hung_up"))

    def _answered(self, priority: int) -> None:
        pbx, spyer = self.world.pbx, self._channel()
        spyer.spying = True
        if self.plan.exits:
            pbx.execute(spyer, "ChanSpy", self.data, priority=priority)
            pbx.set_state(spyer, State.UP)
        else:
            pbx.set_state(spyer, State.UP)
            pbx.execute(spyer, "ChanSpy", self.data, priority=priority)
        self._after(0.1, self._attach)

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
            self._after(0.1, self._attach)

        self._after(0.1, ringing)
        self._after(1.5, answered)
        self._after(self.plan.length, lambda: self.hang_up("hung_up"))

    # -- attaching ----------------------------------------------------------------------

    def _attach(self) -> None:
        if self.spyee is not None or not self._channel().spying:
            return
        target = self._target()
        if target is not None:
            self._listen(target)
        elif self.plan.exits:
            # The call ended first. With option S the spy ends too, and no event says so.
            self._leave_chanspy()

    def _listen(self, target: Channel) -> None:
        first = not self.attached
        self.spyee, self.attached = target, True
        target.before_hangup[self._before_hangup] = None
        target.after_hangup[self._after_hangup] = None
        self._call = target.owner if isinstance(target.owner, Call) else None
        self.world.pbx.emit("ChanSpyStart", spyer=self.spyer, spyee=target)
        if self.plan.of == "anyone":
            self.agent = next(a for a in self.world.floor.agents if a.device == target.device)
        self._show()
        self._begin_segment()
        if first:
            for delay, key in self.plan.keys:
                self._after(delay, partial(self._press, key))
            if self.plan.transfer_after:
                self._after(self.plan.transfer_after, self._hand_over)

    def _fits(self, channel: Channel) -> bool:
        if self.plan.of == "anyone":
            return channel.name.startswith("PJSIP/1")
        return channel.device == self.agent.device

    def _target(self) -> Channel | None:
        if self.plan.exits:
            call = self._first_call
            leg = call.customer if self.plan.of == "customer" else call.agent_leg
            return leg if leg is not None and not leg.gone else None
        if self.plan.of == "agent":
            legs = self.world.pbx.legs(self.agent.device)
        else:
            legs = [c for c in self.world.pbx.channels.values() if self._fits(c)]
        return next((c for c in legs if not c.spying), None)

    def _new_channel(self, channel: Channel) -> None:
        if self.spyee is None and self._fits(channel):
            self._after(LOOK_AGAIN, self._attach)

    # -- what happens meanwhile ---------------------------------------------------------

    def _press(self, key: str) -> None:
        """A key of the supervisor's phone; none where another program does it by AMI."""
        if self.spyee is None:
            return
        if not key:
            self._take_over()
            return
        pbx, spyer = self.world.pbx, self._channel()
        pbx.emit("DTMFBegin", spyer, Digit=key, Direction="Received")

        def released() -> None:
            length = int(KEY * 1000)
            pbx.emit("DTMFEnd", spyer, Digit=key, DurationMs=length, Direction="Received")
            if self.spyee is None:
                return
            if key == "0":
                self._take_over()
            elif key == "*":
                self._move_on(self.spyee)
            elif BY_KEY[key] != self._type:
                self._end_segment()
                self._type = BY_KEY[key]
                self._begin_segment()

        self._after(KEY, released)

    def _move_on(self, from_: Channel) -> None:
        """To the next channel that fits, in the order in which the PBX keeps them."""
        fitting = [c for c in self.world.pbx.channels.values() if self._fits(c) and not c.spying]
        place = fitting.index(from_)
        others = fitting[place + 1 :] + fitting[:place]
        if others and not from_.silent:
            self._detach()
            self._listen(others[0])

    def _take_over(self) -> None:
        call, spyer = self._call, self._channel()
        if not isinstance(call, InboundCall) or not can_be_taken(call, spyer):
            return
        if self.plan.takeover == "conference":
            data = spyer.data
            self.world.pbx.execute(
                spyer, "ChanSpy", data, context=TAKEOVER_CONTEXT, exten="0", priority=0
            )
            self._detach()
        else:
            self._end_segment()
        self.spyee = None
        for timer in self._timers:
            timer.cancel()
        self._takeover = Takeover(self, call, spyer)
        # The truth has it before the events, whose handlers may end other supervisions.
        self._type = BARGE_KICK
        self._begin_segment(call.customer)
        self._takeover.begin(self.plan.takeover)

    def _hand_over(self) -> None:
        """The agent gives the call to the colleague who has been free for longest."""
        call = self._call
        free = self.world.floor.free()
        if self.spyee is None or not isinstance(call, InboundCall) or not free:
            return
        if can_be_transferred(call):
            transfer(call, free[0])

    def _another_agent(self) -> None:
        """Of the customer who is listened to: for the ledger that is another supervision."""
        if self.spyee is not None and self._call is not None and self._call.agent is not None:
            self._end_segment()
            self.agent = self._call.agent
            self._show()
            self._begin_segment()

    # -- how it ends --------------------------------------------------------------------

    def _before_hangup(self, channel: Channel) -> None:
        if channel is self.spyee:
            self._detach()

    def _after_hangup(self, channel: Channel) -> None:
        """The spied leg is gone: a spy with `E` goes too, one without it looks for another."""
        if self.over or self._takeover is not None or not self.attached:
            return
        if self.spyee is not None or channel.owner is not self._call:
            return
        if self._asked is not None:
            reason, cause = self._asked
            self.gone("call_ended" if self.plan.exits else reason, cause)
        elif self.plan.exits:
            self._leave_chanspy()
        else:
            self._after(LOOK_AGAIN, self._attach)

    def _leave_chanspy(self) -> None:
        """ChanSpy returned: the dialplan goes on to Hangup; an originated one has nothing left."""
        spyer = self._channel()
        if not spyer.spying:
            return
        spyer.spying = False
        if self.plan.originate:
            self.gone("call_ended", 16)
            return
        self._hide("call_ended")
        self.world.pbx.execute(spyer, "Hangup", "16", priority=spyer.priority + 1)
        self._after(0.02, lambda: self.gone("call_ended", 16))

    def hangup_requested(self, channel: Channel, cause: int) -> None:
        self.hang_up("disconnected", cause)

    def hang_up(self, reason: str, cause: int = 16) -> None:
        """`reason`: hung_up (the supervisor did) or disconnected (by AMI)."""
        if self.over or self.spyer is None:
            return
        if self._takeover is not None:
            self._takeover.end("supervisor" if reason == "hung_up" else reason, cause)
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
        self.gone(reason, cause)

    def _detach(self) -> None:
        spyee, self.spyee = self.spyee, None
        self.world.pbx.emit("ChanSpyStop", spyer=self.spyer, spyee=spyee)
        self._end_segment()

    def gone(self, reason: str, cause: int) -> None:
        """`reason`: hung_up, disconnected, call_ended or pbx_restarted."""
        if self.over or self.spyer is None:
            return
        self.over = True
        for timer in self._timers:
            timer.cancel()
        pbx = self.world.pbx
        pbx.on_new_channel.pop(self._new_channel, None)
        self._first_call.on_agent.pop(self._another_agent, None)
        pbx.hang_up(self.spyer, cause)
        self.supervisor.busy = False
        self._end_segment()
        self._hide(reason)
        self._ended(self)

    # -- the truth of it ----------------------------------------------------------------

    def _show(self) -> None:
        """One supervisor on one agent is one supervision, however many calls it has."""
        if self._shown is self.agent:
            return
        self._hide("moved")
        self._shown = self.agent
        self._count += 1
        self._segments = 0
        self._tell(
            "supervision_started",
            since=round(self._channel().created, 6),
            supervisor=self.supervisor.device,
            agent=self.agent.device,
            way="originate" if self.plan.originate else "feature_code",
            of=self.plan.of,
            exits=self.plan.exits,
            keypad="d" in self.plan.kind.options,
        )

    def _hide(self, reason: str) -> None:
        if self._shown is not None:
            self._shown = None
            self._tell("supervision_ended", reason=reason)

    def _begin_segment(self, with_: Channel | None = None) -> None:
        heard = with_ or self.spyee
        if heard is None:
            return
        self._segments += 1
        self._segment_open = True
        self._tell("segment_started", n=self._segments, type=self._type, spyee=heard.uniqueid)

    def _end_segment(self) -> None:
        if not self._segment_open:
            return
        self._segment_open = False
        call = self._call
        facts = {**call.facts(), "result": call.result} if call is not None else {}
        self._tell("segment_ended", n=self._segments, **facts)

    def _tell(self, what: str, **facts: object) -> None:
        """A supervision's name is the uniqueid of its supervisor's channel and a count."""
        spyer = self._channel().uniqueid
        self.world.truth.write(what, supervision=f"{spyer}/{self._count}", spyer=spyer, **facts)

    # -- helpers ------------------------------------------------------------------------

    def _channel(self) -> Channel:
        if self.spyer is None:
            raise RuntimeError("the supervisor has not begun")
        return self.spyer

    def _after(self, delay: float, callback: Callable[[], None]) -> None:
        def unless_over() -> None:
            if not self.over:
                callback()

        self._timers = [t for t in self._timers if t.callback is not None]
        self._timers.append(self.world.clock.after(delay, unless_over))
