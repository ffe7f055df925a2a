"""Writes one server's etc folder from the checkout's asterisk/ files."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab.install import Installed
from tests.lab.ports import Ports

SOURCE = Path(__file__).resolve().parents[2] / "asterisk"
PLACEHOLDER = "REPLACE-WITH-A-LONG-RANDOM-SECRET"

AGENTS = ("1001", "1002", "1003", "1004", "10011", "1008")  # 1008 never answers
SILENT_AGENTS = ("1009",)
SUPERVISORS = ("2001", "2002", "2009")


def write_config(installed: Installed, folder: Path, ports: Ports, secrets: dict[str, str]) -> None:
    """Fills `folder`/etc. `secrets` has one for each of the users monitord and stagehand."""
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
        "STAGEHAND_SECRET": secrets["stagehand"],
        "AGENTS": "\n".join(phones),
        "SUPERVISORS": "\n".join(bosses),
    }
    for template in sorted((SOURCE / "lab").glob("*.conf")):
        (etc / template.name).write_text(fill(template.read_text(), values))
    for shared in ("manager-general.conf", "extensions-monitord.conf"):
        shutil.copy(SOURCE / shared, etc)
    user = (SOURCE / "manager.d" / f"monitord-{installed.version}.conf").read_text()
    if PLACEHOLDER not in user:
        raise ValueError("the shipped manager file has lost its placeholder for the secret")
    (etc / "manager-monitord.conf").write_text(user.replace(PLACEHOLDER, secrets["monitord"]))


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
