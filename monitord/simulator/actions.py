"""The AMI actions that look at the centre or hang up a channel, with the rights they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from monitord.simulator.centre import Centre
from monitord.simulator.framing import Request
from monitord.simulator.messages import Headers, channel_block, encode
from monitord.simulator.pbx import Channel
from monitord.simulator.session import Session
from monitord.simulator.settings import Settings

Handler = Callable[[Session, Request], None]


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    synopsis: str
    classes: tuple[str, ...]  # any of these in the user's write rights; none: open to all
    handler: Handler | None = None  # None: the session itself runs it


class Actions:
    def __init__(self, settings: Settings, centre: Centre) -> None:
        self._settings = settings
        self._centre = centre
        self._pbx = centre.pbx
        table = (
            Action("Challenge", "Generate Challenge for MD5 Auth.", ()),
            Action(
                "CoreSettings",
                "Show PBX core settings (version etc).",
                ("system", "reporting"),
                self._core_settings,
            ),
            Action(
                "CoreShowChannels",
                "List currently active channels.",
                ("system", "reporting"),
                self._core_show_channels,
            ),
            Action(
                "CoreStatus",
                "Show PBX core status variables.",
                ("system", "reporting"),
                self._core_status,
            ),
            Action(
                "DeviceStateList",
                "List the current known device states.",
                ("call", "reporting"),
                self._device_state_list,
            ),
            Action("Events", "Control Event Flow.", ()),
            Action("Hangup", "Hangup channel.", ("system", "call"), self._hangup),
            Action("ListCommands", "List available manager commands.", (), self._list_commands),
            Action("Login", "Login Manager.", ()),
            Action("Logoff", "Logoff Manager.", ()),
            Action("Ping", "Keepalive command.", (), self._ping),
            Action("QueueStatus", "Show queue status.", (), self._queue_status),
            Action("Status", "List channel status.", ("system", "call", "reporting"), self._status),
        )
        self._table = {action.name.lower(): action for action in table}

    def run(self, session: Session, request: Request) -> None:
        self._pbx.clock.catch_up()
        action = self._table.get(request.action.lower())
        if action is None:
            session.error(
                request,
                f"Invalid/unknown command: {request.action}. "
                "Use Action: ListCommands to show available commands.",
            )
        elif not self._allowed(session, action):
            session.error(request, "Permission denied")
        elif action.handler is not None:
            action.handler(session, request)

    def fully_booted(self) -> bytes:
        uptime = str(int(self._pbx.clock.wall - self._pbx.started))
        return encode(
            (
                ("Event", "FullyBooted"),
                ("Privilege", "system,all"),
                ("Uptime", uptime),
                ("LastReload", uptime),
                ("Status", "Fully Booted"),
            )
        )

    @staticmethod
    def _allowed(session: Session, action: Action) -> bool:
        write = session.user.write
        return not action.classes or "all" in write or bool(write & set(action.classes))

    # -- answers in one message -------------------------------------------------

    @staticmethod
    def _succeed(session: Session, request: Request, *headers: tuple[str, str]) -> None:
        session.send(encode((("Response", "Success"), *session.action_id(request), *headers)))

    def _ping(self, session: Session, request: Request) -> None:
        stamp = f"{self._pbx.clock.wall:.6f}"
        self._succeed(session, request, ("Ping", "Pong"), ("Timestamp", stamp))

    def _list_commands(self, session: Session, request: Request) -> None:
        lines = []
        for action in self._table.values():
            if self._allowed(session, action):
                classes = ",".join((*action.classes, "all")) if action.classes else "<none>"
                # Two blanks, as the synopsis carries one at its end.
                lines.append((action.name, f"{action.synopsis}  (Priv: {classes})"))
        self._succeed(session, request, *lines)

    def _core_status(self, session: Session, request: Request) -> None:
        started = datetime.fromtimestamp(self._pbx.started, UTC).astimezone()
        date, time = started.strftime("%Y-%m-%d"), started.strftime("%H:%M:%S")
        headers = [
            ("CoreStartupDate", date),
            ("CoreStartupTime", time),
            ("CoreReloadDate", date),
            ("CoreReloadTime", time),
            ("CoreCurrentCalls", str(len(self._pbx.channels))),
        ]
        if self._settings.version > 16:
            headers.append(("CoreProcessedCalls", str(self._pbx.processed_calls)))
        self._succeed(session, request, *headers)

    def _core_settings(self, session: Session, request: Request) -> None:
        headers = [
            ("AMIversion", self._settings.ami_version),
            ("AsteriskVersion", self._settings.asterisk_version),
            ("SystemName", self._settings.system_name),
            ("CoreMaxCalls", "0"),
            ("CoreMaxLoadAvg", "0.000000"),
            ("CoreRunUser", ""),
            ("CoreRunGroup", ""),
            ("CoreMaxFilehandles", "0"),
            ("CoreRealTimeEnabled", "No"),
            ("CoreCDRenabled", "No"),
            ("CoreHTTPenabled", "No"),
        ]
        if self._settings.version > 16:
            headers.append(("SoundsSearchCustomDir", "No"))
        self._succeed(session, request, *headers)

    def _hangup(self, session: Session, request: Request) -> None:
        """Asterisk takes a /regex/ as well; here only one exact channel can be hung up."""
        name = request.get("Channel")
        if not name:
            session.error(request, "No channel specified")
            return
        channel = self._pbx.find(name)
        if channel is None:
            session.error(request, "No such channel")
            return
        cause = request.get("Cause")
        number = int(cause) if cause.isascii() and cause.isdigit() else 0
        session.respond(request, "Success", "Channel Hungup")
        self._pbx.request_hangup(channel, number if number <= 127 else 0)

    # -- lists ------------------------------------------------------------------

    @staticmethod
    def _begin(session: Session, request: Request, message: str) -> None:
        session.respond(request, "Success", message, listing="start")

    @staticmethod
    def _complete(
        session: Session, request: Request, event: str, count: int, *more: tuple[str, str]
    ) -> None:
        session.send(
            encode(
                (
                    ("Event", event),
                    *session.action_id(request),
                    ("EventList", "Complete"),
                    ("ListItems", str(count)),
                    *more,
                )
            )
        )

    def _block(self, channel: Channel) -> Headers:
        return channel_block(channel, channelvars=self._settings.channelvars)

    def _core_show_channels(self, session: Session, request: Request) -> None:
        self._begin(session, request, "Channels will follow")
        channels = list(self._pbx.channels.values())
        for channel in channels:
            seconds = int(self._pbx.clock.wall - channel.created)
            duration = f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
            session.send(
                encode(
                    (
                        ("Event", "CoreShowChannel"),
                        *session.action_id(request),
                        *self._block(channel),
                        ("Application", channel.application),
                        ("ApplicationData", channel.data),
                        ("Duration", duration),
                        ("BridgeId", channel.bridge.uniqueid if channel.bridge else ""),
                    )
                )
            )
        self._complete(session, request, "CoreShowChannelsComplete", len(channels))

    def _status(self, session: Session, request: Request) -> None:
        name = request.get("Channel")
        channels = list(self._pbx.channels.values())
        if name:
            channel = self._pbx.find(name)
            if channel is None:
                session.error(request, "No such channel")
                return
            channels = [channel]
        variables = [v for v in request.get("Variables").split(",") if v]
        self._begin(session, request, "Channel status will follow")
        for channel in channels:
            self._one_status(session, request, channel, variables)
        count = len(channels)
        self._complete(session, request, "StatusComplete", count, ("Items", str(count)))

    def _one_status(
        self, session: Session, request: Request, channel: Channel, variables: list[str]
    ) -> None:
        spying = channel.spying
        # What runs nothing, as after AMI Bridge, has no name for it.
        running = (channel.application, channel.data) if channel.application else ("(null)",) * 2
        # Values as they are, unescaped; an unset one reads "(null)" (manager.c:3706).
        asked = []
        for name in variables:
            value = channel.variable(name)
            asked.append(("Variable", f"{name}={'(null)' if value is None else value}"))
        session.send(
            encode(
                (
                    ("Event", "Status"),
                    ("Privilege", "Call"),
                    *self._block(channel),
                    ("Type", "PJSIP"),
                    ("DNID", ""),
                    ("EffectiveConnectedLineNum", channel.connected.number or "<unknown>"),
                    ("EffectiveConnectedLineName", channel.connected.name or "<unknown>"),
                    ("TimeToHangup", "0"),
                    ("BridgeID", channel.bridge.uniqueid if channel.bridge else ""),
                    ("Application", running[0]),
                    ("Data", running[1]),
                    ("Nativeformats", "(ulaw)"),
                    ("Readformat", "ulaw"),
                    ("Readtrans", ""),
                    ("Writeformat", "slin" if spying else "ulaw"),
                    ("Writetrans", "(slin@8000)->(ulaw@8000)" if spying else ""),
                    ("Callgroup", "0"),
                    ("Pickupgroup", "0"),
                    ("Seconds", str(int(self._pbx.clock.wall - channel.created))),
                    *asked,
                    *session.action_id(request),
                )
            )
        )

    def _device_state_list(self, session: Session, request: Request) -> None:
        self._begin(session, request, "Device State Changes will follow")
        for device, state in self._pbx.devices.items():
            session.send(
                encode(
                    (
                        ("Event", "DeviceStateChange"),
                        *session.action_id(request),
                        ("Device", device),
                        ("State", state),
                    )
                )
            )
        self._complete(session, request, "DeviceStateListComplete", len(self._pbx.devices))

    def _queue_status(self, session: Session, request: Request) -> None:
        self._begin(session, request, "Queue status will follow")
        messages = self._centre.queues.status(request.get("Queue"), request.get("Member"))
        for headers in messages:
            session.send(encode((*headers, *session.action_id(request))))
        self._complete(session, request, "QueueStatusComplete", len(messages))
