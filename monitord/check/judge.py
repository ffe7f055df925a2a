"""From what a PBX has said and shown to the lines of a report. PURE."""

from __future__ import annotations

from monitord.check.evidence import Evidence
from monitord.check.needs import EVENTS, MAY_WRITE, READ, TOO_MUCH, WRITE
from monitord.check.probe import Found
from monitord.check.report import Line, Section, Verdict

NOT_YET, OK, REFUSED, SEEN = Verdict.NOT_YET, Verdict.OK, Verdict.REFUSED, Verdict.SEEN
WARNING, WRONG = Verdict.WARNING, Verdict.WRONG

_FILES = "See asterisk/README.md; rights and filters count from the next login on."


def sections(name: str, where: str, user: str, found: Found, keypad: bool) -> list[Section]:
    """All of one PBX."""
    way = Section(f"PBX {name}: connection", _way(where, user, found))
    if found.unreachable or found.refused_login or found.commands is None:
        return [way]
    evidence = found.evidence
    return [
        way,
        Section(f"PBX {name}: write rights", [*_write(found), *_too_much(found.commands)]),
        Section(f"PBX {name}: variables and times", _general(evidence)),
        Section(f"PBX {name}: read classes", _read(found, keypad)),
        Section(f"PBX {name}: events", [*_events(evidence, keypad), *_filters(evidence, keypad)]),
    ]


def _way(where: str, user: str, found: Found) -> list[Line]:
    if found.unreachable:
        hint = (
            f"Does Asterisk run, with enabled = yes in manager.conf, and listen at {where}? "
            "Without it nothing of this PBX is seen."
        )
        return [Line("reached", WRONG, f"{where}: {found.unreachable}", hint)]
    lines = [Line("reached", OK, where)]
    if found.refused_login:
        hint = "Check the secret, and permit and deny of the user in manager.conf."
        return [*lines, Line("login", REFUSED, f"as “{user}”: {found.refused_login}", hint)]
    if found.commands is None:
        hint = "Is it Asterisk's manager interface that listens there?"
        return [*lines, Line("login", WRONG, found.lost or "ListCommands was refused", hint)]
    lines.append(Line("login", OK, f"as “{user}”"))
    if found.lost:
        lines.append(Line("connection", WRONG, f"it ended before the check: {found.lost}"))
    if found.asterisk:
        started = f", started {found.started}" if found.started else ""
        version = f"{found.asterisk}, AMI {found.ami or '?'}{started}"
        lines.append(Line("Asterisk", OK, version))
        system = (
            f"“{found.system_name}”" if found.system_name else "none is set, and none is needed"
        )
        lines.append(Line("systemname", OK, system))
    return [*lines, _proof(found)]


def _proof(found: Found) -> Line:
    """How much what follows is worth."""
    evidence = found.evidence
    seconds = round(found.watched_s)
    watched = f"watched for {seconds} s" if seconds else "only looked at, not watched"
    told = sum(n for name, n in evidence.events.items() if name in EVENTS)
    if told:
        at_once = (
            f"up to {evidence.channels} channels at once" if evidence.channels else "no channel"
        )
        return Line("watched", OK, f"{watched}; {told} events of the needed ones came, {at_once}")
    advice = (
        "To prove the rest, run “monitord check --wait 60” and meanwhile make a call through a "
        "queue, supervise it, and end both."
    )
    if evidence.channels:
        state = f"{evidence.channels} channels are there, but nothing happened meanwhile"
    else:
        state = "the PBX is idle, and an idle PBX proves nothing"
    return Line("watched", NOT_YET, f"{watched}: {state}", advice)


# --- rights to act ---------------------------------------------------------------------------


def _write(found: Found) -> list[Line]:
    commands = found.commands or {}
    lines = []
    for action, (classes, without) in WRITE.items():
        about = f"action {action}"
        refusal = found.answers.get(action)
        if action == "QueueStatus" and refusal:
            text = f"{refusal}; has this Asterisk app_queue?"
            lines.append(Line(about, WARNING, text, without))
        elif refusal:
            text = f"{refusal} (needs write = {classes})"
            lines.append(Line(about, REFUSED, text, f"{without} {_FILES}"))
        elif refusal is not None:
            lines.append(Line(about, OK, "was asked and answered"))
        elif action in commands:
            lines.append(Line(about, OK, "is among the actions that the user may send"))
        else:
            text = f"is not among the actions that the user may send (needs write = {classes})"
            lines.append(Line(about, REFUSED, text, f"{without} {_FILES}"))
    return lines


def _too_much(commands: dict[str, frozenset[str]]) -> list[Line]:
    """An action that only one class allows proves that the user has it."""
    proofs: dict[str, str] = {}
    for action, classes in sorted(commands.items()):
        if len(classes) == 1:
            proofs.setdefault(next(iter(classes)), action)
    lines = []
    for held in sorted(proofs.keys() - MAY_WRITE):
        harm = TOO_MUCH.get(held, "monitord has no use for it")
        text = f"the user has it (it may send {proofs[held]}), and should not: {harm}"
        lines.append(Line(f"write = {held}", WARNING, text, f"Take it away. {_FILES}"))
    if not lines:
        lines = [Line("other rights", OK, "none that monitord has no use for")]
    return lines


# --- [general] -------------------------------------------------------------------------------


def _general(evidence: Evidence) -> list[Line]:
    lines = [_variable(name, evidence) for name in sorted(evidence.variables)]
    if not lines:
        text = "none is configured under [variables]"
        lines = [Line("variables", OK, f"{text}; campaign, list and result stay empty")]
    without = "Without timestampevents = yes events carry no time of Asterisk's own."
    if evidence.unstamped:
        lines.append(Line("timestampevents", WARNING, "events come without a time", without))
    elif evidence.stamped:
        lines.append(Line("timestampevents", SEEN, "events carry Asterisk's time"))
    else:
        lines.append(Line("timestampevents", NOT_YET, "no event came that would show it", without))
    return lines


def _variable(name: str, evidence: Evidence) -> Line:
    about = f"variable {name}"
    if evidence.untold(name):
        text = f"its value changed {evidence.changed[name]}×, and not one VarSet told it"
        hint = "Changes of a running call are missed: the VarSet filter must name it, and the user "
        return Line(about, REFUSED, text, f"{hint}needs read = dialplan. {_FILES}")
    if times := evidence.named[name]:
        return Line(about, SEEN, "channels are told with it", times=times)
    without = "Without it its value is not shown: channelvars in manager.conf must name it."
    if evidence.named or evidence.channels:
        return Line(about, REFUSED, "channels are told without it", without)
    return Line(about, NOT_YET, "no channel was there", without)


# --- what is sent ----------------------------------------------------------------------------


def _read(found: Found, keypad: bool) -> list[Line]:
    evidence = found.evidence
    lines = []
    for name, without in READ.items():
        times = evidence.classes[name]
        about = f"read = {name}"
        events = [e for e, need in EVENTS.items() if need.read == name]
        if name == "dtmf" and not keypad and not times:
            continue
        if times:
            lines.append(Line(about, SEEN, "events of it came", times=times))
        elif name == "system" and not found.booted:
            text = (
                "FullyBooted did not come: the user lacks this class, or the PBX is still starting"
            )
            lines.append(Line(about, REFUSED, text, f"{without} {_FILES}"))
        elif proof := [e for e in events if evidence.refused(e)]:
            text = f"what {' and '.join(proof[:3])} should have told happened, and nothing came"
            lines.append(Line(about, REFUSED, text, f"{without} {_FILES}"))
        elif name == "dialplan" and (gone := _untold(evidence)):
            text = f"{' and '.join(gone[:3])} changed, and nothing told it"
            lines.append(Line(about, REFUSED, text, f"{without} {_FILES}"))
        else:
            optional = " (optional)" if name == "user" else ""
            lines.append(Line(about, NOT_YET, f"no event of it came{optional}", without))
    return lines


def _untold(evidence: Evidence) -> list[str]:
    return [v for v in sorted(evidence.variables) if evidence.untold(v)]


def _events(evidence: Evidence, keypad: bool) -> list[Line]:
    lines = []
    for name, need in EVENTS.items():
        if name == "DTMFEnd" and not keypad:
            continue
        if times := evidence.events[name]:
            lines.append(Line(name, SEEN, "came", times=times))
        elif evidence.refused(name) or (name == "VarSet" and _untold(evidence)):
            text = f"what it tells happened, and it did not come (read = {need.read}, the filter)"
            lines.append(Line(name, REFUSED, text, f"Without it: {need.without}"))
        else:
            text = f"to see it, {need.show}"
            lines.append(Line(name, NOT_YET, text, f"Without it: {need.without}"))
    return lines


def _filters(evidence: Evidence, keypad: bool) -> list[Line]:
    """What came although nobody needs it, and what came but says too little."""
    lines = []
    unread = sum(not known for known in evidence.spyers.values())
    if unread:
        text = f"of {unread} of {len(evidence.spyers)} the type could not be read"
        hint = "They are shown as of unknown type: neither Newexten nor Status tells what runs."
        lines.append(Line("supervisions", WARNING, text, hint))
    elif evidence.spyers:
        lines.append(
            Line("supervisions", SEEN, "their type could be read", times=len(evidence.spyers))
        )
    old = (
        "An Asterisk before 18.26, 20.11, 21.6 and 22.1 takes the filters of monitord-22.conf for "
        "none at all: it needs monitord-16.conf."
    )
    if evidence.foreign_events:
        text = f"no filter is at work: {_few(evidence.foreign_events)} came, which nobody needs"
        lines.append(Line("filters", WARNING, text, old))
    if evidence.foreign_variables:
        text = f"VarSet of {_few(evidence.foreign_variables)} came, which [variables] does not name"
        hint = "Whatever a site keeps in variables, card numbers too, would reach monitord."
        lines.append(Line("filters", WARNING, text, hint))
    if evidence.foreign_newexten:
        text = f"{evidence.foreign_newexten} Newexten of other channels than supervisors' came"
        hint = "They are most of a PBX's traffic and show each call's whole way. "
        lines.append(Line("filters", WARNING, text, hint + old))
    if evidence.foreign_keys:
        text = f"{evidence.foreign_keys} keys came that are no supervisor's 4, 5 or 6"
        hint = "They may be digits of card numbers. monitord drops them unread; filter DTMFEnd."
        lines.append(Line("filters", WARNING, text, hint))
    elif not keypad and evidence.classes["dtmf"]:
        text = "keys come, but keypad is not set for this PBX"
        lines.append(Line("keypad", WARNING, text, "Set keypad = true, or take it away."))
    return lines


def _few(names: set[str]) -> str:
    shown = sorted(names)[:4]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
