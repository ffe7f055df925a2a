"""Writes one server's etc folder from the checkout's asterisk/ files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.lab.install import Installed
from tests.lab.ports import Ports

SOURCE = Path(__file__).resolve().parents[2] / "asterisk"
PLACEHOLDER = "REPLACE-WITH-A-LONG-RANDOM-SECRET"

AGENTS = ("1001", "1002", "1003", "1004", "10011", "1008")  # 1008 never answers
SHARED = ("manager-general.conf", "extensions-monitord.conf", "extensions-monitord-survey.conf")
SILENT_AGENTS = ("1009",)
SUPERVISORS = ("2001", "2002", "2009")


def write_config(installed: Installed, folder: Path, ports: Ports, stagehand: str) -> None:
    """Fills `folder`/etc, but for monitord's own user (`user_file`)."""
    etc = folder / "etc"
    etc.mkdir()
    for name in ("db", "spool", "run", "log", "var", "agi"):
        (folder / name).mkdir()
    (folder / "var" / "keys").mkdir()
    phones = [_phone(name, "agents", ports.phones) for name in AGENTS]
    phones += [_phone(name, "agents", ports.silent) for name in SILENT_AGENTS]
    bosses = [_phone(name, "monitord-supervisor", ports.phones) for name in SUPERVISORS]
    values = {
        "HOME": installed.inside(folder),
        "MODULES": installed.modules,
        "DATA": installed.data,
        "VERSION": str(installed.version),
        "AMI": str(ports.ami),
        "SIP": str(ports.sip),
        "PHONES": str(ports.phones),
        "SILENT": str(ports.silent),
        "RTP_START": str(ports.rtp[0]),
        "RTP_END": str(ports.rtp[1]),
        "STAGEHAND_SECRET": stagehand,
        "AGENTS": "\n".join(phones),
        "SUPERVISORS": "\n".join(bosses),
    }
    for template in sorted((SOURCE / "lab").glob("*.conf")):
        (etc / template.name).write_text(fill(template.read_text(), values))
    for shared in SHARED:
        shutil.copy(SOURCE / shared, etc)


def user_file(
    version: int,
    secret: str,
    *,
    read: str | None = None,
    write: str | None = None,
    dtmf: bool = False,
) -> str:
    """The shipped user with this secret; on demand with other rights, or its optional dtmf."""
    text = (SOURCE / "manager.d" / f"monitord-{version}.conf").read_text()
    if PLACEHOLDER not in text:
        raise ValueError("the shipped manager file has lost its placeholder for the secret")
    text = text.replace(PLACEHOLDER, secret)
    if dtmf:
        text, count = re.subn(r"(?m)^;(?=read = .*dtmf|eventfilter.*DTMFEnd)", "", text)
        if count < 2:
            raise ValueError("the shipped manager file has lost its lines for dtmf")
    for name, value in (("read", read), ("write", write)):
        if value is not None:
            text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    return text


def fill(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _phone(name: str, context: str, port: int) -> str:
    return (
        f"[{name}](phone)\ncontext = {context}\naors = {name}\n"
        f'callerid = "Phone {name}" <{name}>\n'
        f"[{name}](aor)\ncontact = sip:{name}@127.0.0.1:{port}\n"
    )
