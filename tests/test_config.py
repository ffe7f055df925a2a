"""Settings: a wrong one is refused with its file, its key and the rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitord.alerts.rules import Policy
from monitord.config import ConfigError, Loaded, load
from monitord.people.permissions import OF_TYPE
from monitord.store.engine import name_of, sqlite_url
from tests.kit.daemon import dear_password_hash

PBX = '[[pbx]]\nid = "lab"\nsecret_env = "AMI"\n'
SECRET = "a secret that no message holds"
URL = "postgresql://monitord@db.example:5433/calls?sslmode=verify-full"


def loaded(folder: Path, text: str, **environment: str) -> Loaded:
    path = folder / "monitord.toml"
    path.write_text(text)
    return load(path, {"AMI": SECRET, **environment})


def person(**fields: str) -> str:
    given = {"id": '"a"', "name": '"Ann"', **fields}
    return PBX + "[[people]]\n" + "".join(f"{k} = {v}\n" for k, v in given.items())


def signing_in(text: str) -> str:
    return person(login='"ann"', role='"auditor"', password_hash=f'"{text}"')


WRONG = {
    "not-toml": ("[[pbx", "not TOML"),
    "nested-deep": ("a = " + "[" * 5000, "not TOML"),
    "nothing": ("", "pbx: is missing"),
    "no-pbx": ("pbx = []", "pbx: at least one"),
    "unknown-table": (PBX + "[nonsense]\n", "nonsense: there is no such key"),
    "unknown-key": (PBX + "[server]\nprot = 1\n", "server.prot: there is no such key"),
    "unknown-key-of-a-pbx": (PBX + "prot = 1\n", r"pbx\[0\].prot: there is no such key"),
    "type": (PBX + '[server]\nport = "80"\n', "server.port: Expected `int`"),
    "port-too-large": (PBX + "port = 65536\n", r"pbx\[0\].port: "),
    "port-zero": (PBX + "port = 0\n", r"pbx\[0\].port: "),
    "pbx-id": (PBX.replace('"lab"', '"a b"'), r"pbx\[0\].id: "),
    "pbx-id-with-line-break": (PBX.replace('"lab"', '"lab\\n"'), r"pbx\[0\].id: "),
    "pbx-twice": (PBX * 2, "pbx.id: 'lab' stands 2 times"),
    "pbx-host": (PBX + 'host = "a..b"\n', r"pbx\[0\].host: 'a..b'"),
    "server-host": (PBX + '[server]\nhost = "a..b"\n', "server.host: 'a..b'"),
    "username-forged": (PBX + 'username = "x\\r\\nAction: y"\n', r"pbx\[0\].username: "),
    "no-secret": ('[[pbx]]\nid = "lab"\n', "exactly one of secret_file and secret_env"),
    "both-secrets": (PBX + 'secret_file = "s"\n', "exactly one of secret_file and secret_env"),
    "secret-not-set": (PBX.replace("AMI", "NONE"), "secret_env: the variable NONE is not set"),
    "variable-name": (PBX + '[variables]\n"A B" = "list"\n', "variables.A B: is no channel"),
    "variable-label": (PBX + '[variables]\nA = "x"\n', "variables"),
    "label-twice": (PBX + '[variables]\nA = "list"\nB = "list"\n', "variables: only one"),
    "wrap-up": (PBX + "[agents.wrap_up_s]\nq = 3601\n", "agents.wrap_up_s"),
    "origin-with-path": (PBX + '[server]\norigins = ["https://a/b"]\n', r"server.origins\[0\]"),
    "origin-capital": (PBX + '[server]\norigins = ["https://A"]\n', r"server.origins\[0\]"),
    "origin-port": (PBX + '[server]\norigins = ["https://a:443"]\n', r"server.origins\[0\]"),
    "store-both": (
        PBX + f'[store]\nfolder = "data"\nurl = "{URL}"\n',
        "store: only one of folder and url",
    ),
    "store-url": (PBX + '[store]\nurl = "mysql://a@b/c"\n', "store.url: must begin with"),
    "store-url-too-long": (PBX + f'[store]\nurl = "{"x" * 1001}"\n', "store.url: "),
    "store-url-with-password": (
        PBX + '[store]\nurl = "postgresql://a:pw@b/c"\n',
        "store.url: must hold no password",
    ),
    "store-password-of-a-file": (
        PBX + '[store]\npassword_file = "x"\n',
        "store.password_file: there is no store.url",
    ),
    "store-both-passwords": (
        PBX + f'[store]\nurl = "{URL}"\npassword_file = "x"\npassword_env = "X"\n',
        "store: only one of password_file and password_env",
    ),
    "store-password-not-set": (
        PBX + f'[store]\nurl = "{URL}"\npassword_env = "NONE"\n',
        "store.password_env: the variable NONE is not set",
    ),
    "log-level": (PBX + '[log]\nlevel = "loud"\n', "log.level: "),
    "login-without-role": (person(login='"ann"'), r"people\[0\].role"),
    "login-without-hash": (person(login='"a"', role='"auditor"'), r"people\[0\].password_hash"),
    "policy": ('[policy]\nunauthorised = "kill"', "policy.unauthorised: "),
    "policy-of-no-type": (
        '[policy]\nunauthorised = { Unknown = "end" }',
        r"policy\.unauthorised: .*Unknown",
    ),
    "policy-of-a-type": ('[policy]\nunauthorised = { Coach = "yes" }', "policy.unauthorised"),
    "policy-never-monitor": ('[policy]\nnever_monitor = "warn"', "policy.never_monitor: "),
    "policy-payment": ('[policy]\npayment = "alert"', "policy.payment: "),
    "policy-payment-event": ('[policy]\npayment_event = "a b"', "policy.payment_event: "),
    "score-event": ('[score]\nevent = ""', "score.event: "),
    "score-as-payment": (PBX + '[score]\nevent = "MonitordPayment"', "score.event: must not"),
    "two-payments": (PBX + '[variables]\nA = "payment"\nB = "payment"', "variables: only one"),
    "role": (person(login='"a"', role='"god"'), r"people\[0\].role: "),
    "endpoint": (person(endpoints='["1001"]'), r"people\[0\].endpoints\[0\]: "),
    "account-code-twice": (person(account_codes='["7", "7"]'), "people.account_codes: '7' stands"),
    "login-too-long": (person(login=f'"{"x" * 129}"'), r"people\[0\].login: "),
    "hash-is-plain": (signing_in("hunter2hunter2"), r"people\[0\].password_hash: must be what"),
    "hash-cut-short": (
        signing_in(dear_password_hash()[:-4]),
        r"people\[0\].password_hash: must be",
    ),
    "hash-too-costly": (
        signing_in(dear_password_hash().replace("m=65536", "m=65536000")),
        r"people\[0\].password_hash: must be",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_refused(name: str, tmp_path: Path) -> None:
    text, words = WRONG[name]
    with pytest.raises(ConfigError, match=words) as refused:
        loaded(tmp_path, text)
    assert str(refused.value).startswith(str(tmp_path / "monitord.toml"))
    assert SECRET not in str(refused.value) and "hunter2" not in str(refused.value)


def test_right_settings(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(mode=0o600)
    (tmp_path / "secret").write_text(f"{SECRET}\na second line\n")
    text = signing_in(dear_password_hash()).replace('secret_env = "AMI"', 'secret_file = "secret"')
    found = loaded(tmp_path, text + '[server]\norigins = ["https://a.example:8443"]\n')
    assert found.links[0].secret == SECRET
    assert SECRET not in repr(found)
    assert [f.login for f in found.first if f.login] == ["ann"]
    assert found.store_url == sqlite_url(tmp_path / "data" / "monitord.sqlite3")
    assert found.folder == tmp_path / "data"


def test_what_is_done_about_what_should_not_be(tmp_path: Path) -> None:
    usual = loaded(tmp_path, PBX)
    assert usual.policy == Policy(dict.fromkeys(OF_TYPE, "alert"))
    assert usual.site.payment_event == "MonitordPayment"
    text = 'never_monitor = "end"\npayment = "end"\npayment_event = "Card.Now"\n'
    found = loaded(tmp_path, f'{PBX}[policy]\n{text}[variables]\nPAYS = "payment"\n')
    assert (found.policy.never_monitor, found.policy.payment) == ("end", "end")
    assert found.site.payment_event == "Card.Now"
    assert found.site.label_of("__PAYS") == "payment"
    assert usual.site.score_event == "MonitordScore"
    asked = loaded(tmp_path, f'{PBX}[score]\nevent = "Asked"\n[variables]\nCSAT = "score"\n')
    assert (asked.site.score_event, asked.site.label_of("CSAT")) == ("Asked", "score")


@pytest.mark.parametrize(
    "spoil, words",
    [
        pytest.param(lambda p: None, "cannot be read: No such file", id="missing"),
        pytest.param(lambda p: p.mkdir(), "cannot be read: Is a directory", id="folder"),
        pytest.param(lambda p: p.write_text("\nx"), "first line", id="first-line-empty"),
        pytest.param(lambda p: p.write_bytes(b"\xff\xfe"), "not text in UTF-8", id="not-text"),
        pytest.param(lambda p: p.write_text("a\x00b"), "control characters", id="control"),
        pytest.param(lambda p: p.write_text("x" * 501), "over 500", id="too-long"),
        pytest.param(
            lambda p: (p.write_text("s3cret-value"), p.chmod(0o644)), "chmod it to 600", id="open"
        ),
    ],
)
def test_secret_file_refused(spoil, words: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "secret"
    spoil(path)
    if path.is_file() and words != "chmod it to 600":
        path.chmod(0o600)
    with pytest.raises(ConfigError, match=words) as refused:
        loaded(tmp_path, '[[pbx]]\nid = "lab"\nsecret_file = "secret"\n')
    assert "secret_file" in str(refused.value) or "pbx[0]" in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("by", ["file", "environment", "nothing"])
def test_postgresql(by: str, tmp_path: Path) -> None:
    password = "pa:ss@wo/rd %41"
    lines = {"file": 'password_file = "db"', "environment": 'password_env = "DB"', "nothing": ""}
    (tmp_path / "db").touch(mode=0o600)
    (tmp_path / "db").write_text(password + "\n")
    found = loaded(tmp_path, f'{PBX}[store]\nurl = "{URL}"\n{lines[by]}\n', DB=password)
    url = found.store_url
    assert found.folder is None
    assert (url.username, url.host, url.port, url.database) == (
        *("monitord", "db.example", 5433, "calls"),
    )
    assert url.password == (None if by == "nothing" else password)
    assert password not in f"{found} {url} {name_of(url)}"
    assert name_of(url) == "postgresql://monitord@db.example:5433/calls"


def test_the_passwords_file_must_not_be_open_to_all(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("s3cret-value")
    (tmp_path / "db").chmod(0o644)
    with pytest.raises(ConfigError, match=r"store.password_file: .*chmod it to 600") as refused:
        loaded(tmp_path, f'{PBX}[store]\nurl = "{URL}"\npassword_file = "db"\n')
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("make", ["missing", "folder", "too-large", "not-utf8"])
def test_file_refused(make: str, tmp_path: Path) -> None:
    path = tmp_path / "monitord.toml"
    if make == "folder":
        path.mkdir()
    elif make == "too-large":
        path.write_bytes(b"#" * ((10 << 20) + 1))
    elif make == "not-utf8":
        path.write_bytes(b'a = "\xff"')
    with pytest.raises(ConfigError, match=r"monitord\.toml: "):
        load(path, {})


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    found = loaded(tmp_path, PBX, MONITORD_HOST="0.0.0.0", MONITORD_PORT="0")
    assert (found.settings.server.host, found.settings.server.port) == ("0.0.0.0", 0)


@pytest.mark.parametrize("port", ["x", "-1", "65536", "9" * 5000, "\u0661", " 80"])
def test_port_of_the_environment_refused(port: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="MONITORD_PORT"):
        loaded(tmp_path, PBX, MONITORD_PORT=port)


def test_what_would_never_be_told_is_refused(tmp_path: Path) -> None:
    """A notice goes with its supervision."""
    told = '[told]\nwhen = "delayed"\ndelay = "3 d"\n[retention]\nsupervisions = '
    text = signing_in(dear_password_hash())
    assert loaded(tmp_path, f"{text}{told}4\n").keep.supervisions == 4
    rule = r"retention\.supervisions: must be longer than each told\.delay"
    with pytest.raises(ConfigError, match=rule):
        loaded(tmp_path, f"{text}{told}3\n")
