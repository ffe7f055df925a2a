"""What real Asterisk sent in the lab (22.10.1; 16.28.0 differs in no header of these), with the
numbers replaced, and a short byte stream of it."""

from __future__ import annotations


def block(prefix: str, name: str, uniqueid: str, **other: str) -> str:
    """The headers of one channel, in Asterisk's order."""
    headers = {
        "Channel": name,
        "ChannelState": "6",
        "ChannelStateDesc": "Up",
        "CallerIDNum": "<unknown>",
        "CallerIDName": "<unknown>",
        "ConnectedLineNum": "<unknown>",
        "ConnectedLineName": "<unknown>",
        "Language": "en",
        "AccountCode": "",
        "Context": "inbound",
        "Exten": "s",
        "Priority": "1",
        "Uniqueid": uniqueid,
        "Linkedid": uniqueid,
        **other,
    }
    return lines(**{prefix + key: value for key, value in headers.items()})


def lines(**headers: str) -> str:
    """``Cause_txt`` stands for ``Cause-txt``."""
    return "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in headers.items())


def variables(prefix: str = "", campaign: str = "", result: str = "") -> str:
    key = f"{prefix}ChanVariable"
    return f"{key}: CAMPAIGN={campaign}\r\n{key}: LIST=\r\n{key}: RESULT={result}\r\n"


def event(name: str, *parts: str, privilege: str = "call,all", system: str = "lab22") -> str:
    """Without the empty line that ends it, and without the last CRLF: as a message's text."""
    head = f"Event: {name}\r\nPrivilege: {privilege}\r\nTimestamp: 1795321451.880576\r\n"
    return (head + f"SystemName: {system}\r\n" + "".join(parts))[:-2]


NEWCHANNEL = event(
    "Newchannel",
    block("", "PJSIP/trunk-00000003", "lab22-1795321451.3", ChannelStateDesc="Down"),
    variables(),
)

NEWEXTEN = event(
    "Newexten",
    block(
        "",
        "PJSIP/2001-00000005",
        "lab22-1795321451.5",
        CallerIDNum="2001",
        Context="monitord-supervisor",
        Exten="*2221001",
        Priority="3",
    ),
    variables(),
    lines(Extension="*2221001", Application="ChanSpy", AppData="lab22-1795321451.4,uqESw"),
    privilege="dialplan,all",
)

SPYER = block(
    "Spyer",
    "PJSIP/2001-00000005",
    "lab22-1795321451.5",
    CallerIDNum="2001",
    Context="monitord-supervisor",
    Exten="*2221001",
)
SPYEE = block(
    "Spyee",
    "PJSIP/1001-00000004",
    "lab22-1795321451.4",
    CallerIDNum="1001",
    ConnectedLineNum="5550100",
    Context="agents",
    Exten="support",
    Linkedid="lab22-1795321451.3",
)

CHANSPYSTART = event(
    "ChanSpyStart", SPYER, variables("Spyer"), SPYEE, variables("Spyee", campaign="spring")
)

DEVICE = event("DeviceStateChange", lines(Device="PJSIP/trunk", State="RINGING"))

NAMES = event(
    "NewCallerid",
    block(
        "",
        "PJSIP/trunk-00000003",
        "lab22-1795321451.3",
        CallerIDNum="5550100",
        CallerIDName="José Müller",
    ),
    variables(campaign="Frühjahr"),
)

STREAM = b"".join(
    (
        b"Asterisk Call Manager/11.0.0\r\n",
        b"Response: Success\r\nActionID: lab-1\r\nMessage: Authentication accepted\r\n\r\n",
        b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 0\r\nStatus: Fully Booted\r\n\r\n",
        *(
            text.encode() + b"\r\n\r\n"
            for text in (NEWCHANNEL, NAMES, DEVICE, NEWEXTEN, CHANSPYSTART)
        ),
        NAMES.encode("latin-1") + b"\r\n\r\n",
    )
)
