"""The table ``[mail]`` of the settings, and people's addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitord.config import ConfigError, Loaded, load
from monitord.people.rules import is_email
from tests.test_told_rules import PBX

MAIL = '[mail]\nhost = "mail.example.org"\nsender = "monitord@example.org"\n'
PAGE = 'page = "https://monitord.example.org/coach/"\n'
USER = 'user = "monitord"\npassword_file = "key"\n'


def loaded(folder: Path, text: str) -> Loaded:
    path = folder / "monitord.toml"
    path.write_text(PBX + text)
    return load(path, {"AMI": "x" * 20})


@pytest.fixture(autouse=True)
def key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_text("a password\n")


def test_what_is_not_said_is_the_safe_way(tmp_path: Path) -> None:
    mail = loaded(tmp_path, MAIL + PAGE + USER).mail
    assert mail is not None
    assert (mail.port, mail.security, mail.password) == (587, "starttls", "a password")
    assert mail.page == "https://monitord.example.org/coach"
    for security, port in (("tls", 465), ("none", 25)):
        found = loaded(tmp_path, f'{MAIL}{PAGE}security = "{security}"\n').mail
        assert found is not None and found.port == port
    first = loaded(tmp_path, MAIL + '[server]\norigins = ["https://m.example"]\n').mail
    assert first is not None and first.page == "https://m.example"
    assert loaded(tmp_path, "").mail is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (MAIL, r"mail\.page: must be given where there is no server\.origins"),
        (MAIL + 'page = "javascript:alert(1)"\n', r"mail\.page: must be an address"),
        (MAIL.replace("monitord@", "Jo <jo@") + PAGE, r"mail\.sender: must be an address such"),
        (MAIL + PAGE + "port = 0\n", r"mail\.port"),
        (MAIL + PAGE + 'security = "ssl"\n', r"mail\.security"),
        (MAIL + PAGE + 'user = "monitord"\n', r"mail\.user: .*belong together"),
        (MAIL + PAGE + 'password_file = "key"\n', r"mail\.user: .*belong together"),
        (MAIL + PAGE + USER + 'password_env = "X"\n', r"mail: only one of password_file"),
        (MAIL + PAGE + USER + 'security = "none"\n', r"mail\.security: .*in the clear"),
        (MAIL.replace('"mail.example.org"', '""') + PAGE, r"mail\.host"),
        (PAGE.join(("[mail]\n", "")), r"mail.*host"),
    ],
)
def test_wrong_ones_are_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        loaded(tmp_path, text)


@pytest.mark.parametrize(("calls", "flags", "kept"), [(90, None, 90), (90, 7, 7), (None, 7, 7)])
def test_flags_are_kept_as_long_as_calls_unless_said(
    tmp_path: Path, calls: int | None, flags: int | None, kept: int
) -> None:
    given = {"calls": calls, "flags": flags}
    lines = [f"{name} = {days}\n" for name, days in given.items() if days is not None]
    assert loaded(tmp_path, "[retention]\n" + "".join(lines)).keep.flags == kept


@pytest.mark.parametrize("text", ["jo@example.org", "j.o+x@a-b.example", "jo@localhost"])
def test_addresses(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "jo", "@example.org", "jo@", "jo@a@b", "Jo <jo@example.org>", "jo@-a.example"),
        *("jo@example.org\n", "jo@example.org\r\nBcc: x@y.z", "jo@exa mple.org", "jo@é.example"),
        *(".jo@a.example", "j..o@a.example", "a" * 65 + "@a.example", "a@" + "b." * 130 + "org"),
        *("jo@a.example,x@y.z", "jo\x00@a.example"),
    ],
)
def test_no_addresses(text: str) -> None:
    assert not is_email(text)
