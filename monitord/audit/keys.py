"""The keys of the audit log, in a file of their own beside the database.

What a row says of somebody is sealed with a key of that person's own. To erase somebody is to
destroy that key: the row stays as it is, and with it the chain. So the keys must not stand in the
database, where each old copy would still hold them.

Sealing is AES-256-GCM with a new nonce for each; heads of the chain are signed with Ed25519.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

T = TypeVar("T")

KEYS_FILE = "audit.sqlite3"

_NONCE = 12
_MAGIC = "monitord keys 1"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS person (
    id TEXT PRIMARY KEY, pseudonym TEXT NOT NULL UNIQUE, key BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS number (pseudonym TEXT PRIMARY KEY, key BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS erased (pseudonym TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
"""


class KeysError(OSError):
    """The keys cannot be used. The text says what to do."""


class Keys:
    """Not for two daemons at a time. Every method that waits raises ``KeysError`` where the file
    does not give or take it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        self._lock = threading.Lock()
        meta = dict(connection.execute("SELECT name, value FROM meta"))
        self.id: str = bytes(meta["id"]).decode()
        """Of this set of keys."""
        self._pepper = bytes(meta["pepper"])
        self._signing = Ed25519PrivateKey.from_private_bytes(bytes(meta["signing"]))
        self.public = public_text(self._signing.public_key())
        """Verifies what was signed: base64 of its 32 bytes."""
        self._people: dict[str, tuple[str, bytes]] = {}
        self._person_of: dict[str, str] = {}
        self._read_people(connection)

    def close(self) -> None:
        self._db.close()

    # --- names -------------------------------------------------------------------------------

    def pseudonym_of(self, person: str) -> str | None:
        """Under which name the log knows somebody; None where it does not, or no longer."""
        found = self._people.get(person)
        return found[0] if found is not None else None

    def person_of(self, pseudonym: str) -> str | None:
        """Whose it is; None where it was erased."""
        return self._person_of.get(pseudonym)

    def number(self, number: str) -> str:
        """The name of a customer's number: always the same one for the same digits, so that rows
        can be found by a number that stands in none of them. It stays after the number was
        erased, for whoever comes with the number in their hand."""
        digest = hmac.new(self._pepper, digits(number).encode(), hashlib.sha256)
        return "n" + digest.hexdigest()[:24]

    # --- keys --------------------------------------------------------------------------------

    async def of(
        self, people: Iterable[str], numbers: Iterable[str] = ()
    ) -> tuple[dict[str, tuple[str, bytes]], dict[str, tuple[str, bytes]]]:
        """Pseudonym and key of each person and of each number; made, and on disk, where there was
        none."""
        wanted = set(people)
        named = {number: self.number(number) for number in set(numbers)}
        new = [one for one in wanted if one not in self._people]
        # As they are now: what is destroyed while the file is written is somebody else's then.
        known = {one: self._people[one] for one in wanted if one in self._people}
        if not new and not named:
            return known, {}
        made, held = await self._in_thread(lambda db: self._make(db, new, set(named.values())))
        return (
            {**known, **made},
            {number: (name, held[name]) for number, name in named.items()},
        )

    def _make(
        self, db: sqlite3.Connection, people: list[str], numbers: set[str]
    ) -> tuple[dict[str, tuple[str, bytes]], dict[str, bytes]]:
        held = _number_keys(db, numbers)
        fresh = {name: secrets.token_bytes(32) for name in numbers if name not in held}
        made = {
            one: ("p" + secrets.token_hex(12), secrets.token_bytes(32))
            for one in people
            if one not in self._people
        }
        others = {one: self._people[one] for one in people if one in self._people}
        if fresh or made:
            with db:
                db.executemany("INSERT INTO number VALUES (?, ?)", fresh.items())
                db.executemany(
                    "INSERT INTO person VALUES (?, ?, ?)", [(k, *v) for k, v in made.items()]
                )
        self._people.update(made)
        self._person_of.update({pseudonym: one for one, (pseudonym, _) in made.items()})
        return {**others, **made}, held | fresh

    async def keys_of(self, pseudonyms: Iterable[str]) -> dict[str, bytes]:
        """Those that have a key; the others were erased."""
        wanted = set(pseudonyms)
        people = {one: self._person_of[one] for one in wanted if one in self._person_of}
        found = {one: self._people[person][1] for one, person in people.items()}
        rest = {one for one in wanted - found.keys() if one.startswith("n")}
        if rest:
            found |= await self._in_thread(lambda db: _number_keys(db, rest))
        return found

    async def numbers(self) -> set[str]:
        """Pseudonyms of all numbers that have a key."""
        some = "SELECT pseudonym FROM number"
        return await self._in_thread(lambda db: {row[0] for row in db.execute(some)})

    async def read_anew(self) -> None:
        """For whoever stands beside a daemon, which makes and destroys keys meanwhile."""
        await self._in_thread(self._read_people)

    def _read_people(self, db: sqlite3.Connection) -> None:
        rows = db.execute("SELECT id, pseudonym, key FROM person")
        self._people = {row[0]: (row[1], bytes(row[2])) for row in rows}
        self._person_of = {pseudonym: person for person, (pseudonym, _) in self._people.items()}

    async def destroy(self, pseudonyms: Iterable[str]) -> None:
        """For ever: nothing that was sealed with their keys can be read again."""
        gone = set(pseudonyms)
        now = time.time_ns() // 1_000_000

        def destroy(db: sqlite3.Connection) -> None:
            with db:
                for one in gone:
                    db.execute("DELETE FROM person WHERE pseudonym = ?", (one,))
                    db.execute("DELETE FROM number WHERE pseudonym = ?", (one,))
                    db.execute("INSERT OR REPLACE INTO erased VALUES (?, ?)", (one, now))

        await self._in_thread(destroy)
        for one in gone:
            person = self._person_of.pop(one, None)
            if person is not None:
                self._people.pop(person, None)

    async def erased(self) -> dict[str, int]:
        """All that were erased, and when (ms UTC)."""
        some = "SELECT pseudonym, at FROM erased"
        return await self._in_thread(lambda db: dict(db.execute(some)))

    def sign(self, data: bytes) -> str:
        """Base64."""
        return base64.b64encode(self._signing.sign(data)).decode()

    async def _in_thread(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def do() -> T:
            with self._lock:
                return work(self._db)

        try:
            return await asyncio.to_thread(do)
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from None


def _unusable(path: Path, error: sqlite3.Error) -> KeysError:
    return KeysError(f"the audit log's keys in {path} cannot be used: {error}")


def open_keys(path: Path, *, make: bool) -> Keys:
    """``make``: where there are none yet.

    Raises:
        KeysError: with what to do.
    """
    try:
        if not path.exists():
            if not make:
                raise KeysError(
                    f"the audit log's keys are not at {path}; put them back from their backup"
                )
            path.touch(mode=0o600)
        db = sqlite3.connect(path, timeout=5.0, check_same_thread=False)
    except KeysError:
        raise
    except sqlite3.Error as error:
        raise _unusable(path, error) from None
    except OSError as error:
        raise KeysError(
            f"the audit log's keys at {path} cannot be used: {error.strerror}"
        ) from None
    try:
        _set_up(path, db, make=make)
        return Keys(path, db)
    except sqlite3.Error as error:
        db.close()
        raise _unusable(path, error) from None
    except BaseException:
        db.close()
        raise


def _set_up(path: Path, db: sqlite3.Connection, *, make: bool) -> None:
    # The rollback journal, not WAL: what was deleted must not live on in a log. TRUNCATE and
    # secure_delete overwrite it in both files.
    db.execute("PRAGMA journal_mode = TRUNCATE").fetchone()
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA secure_delete = ON").fetchone()
    db.executescript(_SCHEMA)
    if db.execute("SELECT count(*) FROM meta").fetchone()[0] == 0:
        if not make:
            raise KeysError(
                f"the audit log's keys at {path} are empty; put them back from their backup"
            )
        with db:
            db.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [
                    ("what", _MAGIC.encode()),
                    ("id", secrets.token_hex(8).encode()),
                    ("pepper", secrets.token_bytes(32)),
                    ("signing", Ed25519PrivateKey.generate().private_bytes_raw()),
                ],
            )
    what = db.execute("SELECT value FROM meta WHERE name = 'what'").fetchone()
    if what is None or bytes(what[0]).decode() != _MAGIC:
        raise KeysError(f"{path} does not hold the audit log's keys of this version")


def _number_keys(db: sqlite3.Connection, names: set[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in names:
        row = db.execute("SELECT key FROM number WHERE pseudonym = ?", (name,)).fetchone()
        if row is not None:
            found[name] = bytes(row[0])
    return found


def digits(number: str) -> str:
    """What of a number counts when two are compared: its digits; where it has none, all of it."""
    return re.sub(r"\D", "", number, flags=re.ASCII) or number.strip().casefold()


def seal(pseudonym: str, key: bytes, values: Mapping[str, Any]) -> str:
    """Values that only the key's holder can read; base64."""
    nonce = secrets.token_bytes(_NONCE)
    text = msgspec.json.encode(values)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, text, pseudonym.encode())).decode()


def unseal(pseudonym: str, key: bytes | None, sealed: str) -> dict[str, Any] | None:
    """None where it cannot be read: it was erased, or another key has come since."""
    if key is None:
        return None
    try:
        data = base64.b64decode(sealed, validate=True)
        text = AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], pseudonym.encode())
        return msgspec.json.decode(text, type=dict[str, Any])
    except (InvalidTag, ValueError, msgspec.MsgspecError):
        return None


def public_text(key: Ed25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def is_signed(public: str, data: bytes, signature: str) -> bool:
    """Whether it is that key's signature of that data."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(signature, validate=True), data)
    except (InvalidSignature, ValueError):
        return False
    return True
