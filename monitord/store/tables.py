"""The tables, as SQLAlchemy Core describes them. Migrations make them; a test holds the two
against each other.

Instants are integer ms UTC since 1970, lengths integer ms. A column that is no row's business
(such as an agent that was never known) is NULL, never an empty string.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
)

from monitord.store.text import Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True)


supervision = Table(
    "supervision",
    metadata,
    _id(),
    Column("pbx", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("spyer", Text, nullable=False),
    Column("supervisor_id", Text, nullable=False),
    Column("supervisor_name", Text, nullable=False),
    Column("supervisor_endpoint", Text, nullable=False),
    Column("agent_id", Text),
    Column("agent_name", Text),
    Column("agent_endpoint", Text),
    Column("agent_provenance", Text),
    Column("type", Text, nullable=False),
    Column("at_least", Boolean, nullable=False),
    Column("type_provenance", Text, nullable=False),
    Column("means", Text, nullable=False),
    Column("campaign", Text),
    Column("call", Text),
    Column("call_id", Text),
    Column("started", BigInteger, nullable=False),
    Column("started_exact", Boolean, nullable=False),
    Column("ended", BigInteger),
    Column("ended_exact", Boolean, nullable=False),
    Column("ended_after", BigInteger),
    Column("end_reason", Text),
    Column("ended_by_id", Text),
    Column("ended_by_name", Text),
    Column("length_ms", BigInteger),
    Column("waiting_ms", BigInteger, nullable=False),
    Index(None, "started", "id"),
    Index(None, "supervisor_id", "started", "id"),
    Index(None, "agent_id", "started", "id"),
    Index(None, "campaign", "started", "id"),
    Index(None, "type", "started", "id"),
    Index(None, "call"),
    Index(None, "pbx", "ended"),
    Index(None, "length_ms"),
)

segment = Table(
    "segment",
    metadata,
    _id(),
    Column("supervision", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("at_least", Boolean, nullable=False),
    Column("type_provenance", Text, nullable=False),
    Column("spyee", Text),
    Column("call", Text),
    Column("call_id", Text),
    Column("number", Text),
    Column("campaign", Text),
    Column("list", Text),
    Column("result", Text),
    Column("started", BigInteger, nullable=False),
    Column("started_exact", Boolean, nullable=False),
    Column("ended", BigInteger),
    Column("ended_exact", Boolean, nullable=False),
    Column("length_ms", BigInteger),
    Index(None, "supervision", "n"),
    Index(None, "call"),
    Index(None, "campaign"),
    Index(None, "number"),
)

call = Table(
    "call",
    metadata,
    _id(),
    Column("pbx", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("agent_id", Text),
    Column("agent_name", Text),
    Column("agent_endpoint", Text),
    Column("agent_provenance", Text),
    Column("direction", Text, nullable=False),
    Column("number", Text),
    Column("queue", Text, nullable=False),
    Column("campaign", Text),
    Column("list", Text),
    Column("result", Text),
    Column("started", BigInteger, nullable=False),
    Column("started_exact", Boolean, nullable=False),
    Column("answered", BigInteger),
    Column("ended", BigInteger),
    Column("ended_exact", Boolean, nullable=False),
    Column("ended_after", BigInteger),
    Column("end_reason", Text),
    Column("talk_ms", BigInteger, nullable=False),
    Column("hold_ms", BigInteger, nullable=False),
    Column("wrap_up_ms", BigInteger),
    Column("length_ms", BigInteger),
    Index(None, "started", "id"),
    Index(None, "agent_id", "started", "id"),
    Index(None, "number", "started", "id"),
    Index(None, "queue", "started", "id"),
    Index(None, "campaign", "started", "id"),
    Index(None, "list", "started", "id"),
    Index(None, "result", "started", "id"),
    Index(None, "pbx", "ended"),
    Index(None, "length_ms"),
)

call_part = Table(
    "call_part",
    metadata,
    _id(),
    Column("pbx", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("agent_name", Text, nullable=False),
    Column("agent_endpoint", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=False),
    Column("exact", Boolean, nullable=False, comment="false: nobody saw when it changed hands"),
    Index(None, "call", "ended"),
    Index(None, "agent_id", "started", "id"),
    comment="Agents who had a call before another one took it",
)

recording = Table(
    "recording",
    metadata,
    _id(),
    Column("pbx", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("file", Text),
    Index(None, "call"),
)
"""Of MixMonitor; the sound itself is in the site's own files."""

call_alias = Table(
    "call_alias",
    metadata,
    Column("pbx", Text, primary_key=True),
    Column("boot", Text, primary_key=True),
    Column("alias", Text, primary_key=True),
    Column("call", Text, nullable=False),
    Index(None, "alias"),
    Index(None, "call"),
)

agent_status = Table(
    "agent_status",
    metadata,
    _id(),
    Column("pbx", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("agent_name", Text, nullable=False),
    Column("agent_endpoint", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("started_exact", Boolean, nullable=False),
    Column("ended", BigInteger),
    Column("ended_exact", Boolean, nullable=False),
    Column("ended_after", BigInteger),
    Column("length_ms", BigInteger),
    Index(None, "started", "id"),
    Index(None, "agent_id", "started", "id"),
    Index(None, "pbx", "ended"),
    Index(None, "length_ms"),
)

gap = Table(
    "gap",
    metadata,
    _id(),
    Column("pbx", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("why", Text, nullable=False),
    Index(None, "started", "id"),
)

attachment = Table(
    "attachment",
    metadata,
    Column("pbx", Text, primary_key=True),
    Column("last_seen", BigInteger, nullable=False),
    comment="When the daemon was last known to see a PBX: where a gap begins after a kill",
)

alert = Table(
    "alert",
    metadata,
    _id(),
    Column("pbx", Text, nullable=False),
    Column("supervision", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default="no right"),
    Column("supervisor_id", Text, nullable=False),
    Column("supervisor_name", Text, nullable=False),
    Column("supervisor_endpoint", Text, nullable=False),
    Column("agent_id", Text),
    Column("agent_name", Text),
    Column("agent_endpoint", Text),
    Column("type", Text, nullable=False),
    Column("at_least", Boolean, nullable=False),
    Column("certain", Boolean, nullable=False),
    Column("why", Text, nullable=False),
    Column("raised", BigInteger, nullable=False),
    Column("done", Text, nullable=False),
    Column("done_why", Text, nullable=False),
    Column("acknowledged", BigInteger),
    Column("acknowledged_by_id", Text),
    Column("acknowledged_by_name", Text),
    Index(None, "raised", "id"),
    Index(None, "acknowledged", "raised", "id"),
    Index(None, "supervision"),
)

notice = Table(
    "notice",
    metadata,
    _id(),
    Column("pbx", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("agent_name", Text, nullable=False),
    Column("agent_endpoint", Text, nullable=False),
    Column("supervisor_id", Text, nullable=False),
    Column("supervisor_name", Text, nullable=False),
    Column("supervisor_endpoint", Text, nullable=False),
    Column("call", Text),
    Column("type", Text, nullable=False),
    Column("at_least", Boolean, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("started_exact", Boolean, nullable=False),
    Column("ended", BigInteger),
    Column("ended_exact", Boolean, nullable=False),
    Column("ended_after", BigInteger),
    Column("telling", Text, nullable=False),
    Column("who", Boolean, nullable=False),
    Column("why", Boolean, nullable=False),
    Column("due", BigInteger),
    Column("told_begun", BigInteger),
    Column("told_ended", BigInteger),
    Index(None, "agent_id", "started", "id"),
    Index(None, "supervisor_id"),
    Index(None, "told_ended", "due"),
)

reason_asked = Table(
    "reason_asked",
    metadata,
    _id(),
    Column("asked", BigInteger, nullable=False),
    comment="Supervisions whose supervisor was asked for a reason",
)

reason = Table(
    "reason",
    metadata,
    Column("supervision", Text, primary_key=True),
    Column("act", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("given", BigInteger, nullable=False),
    Column("changed", BigInteger),
)

flag = Table(
    "flag",
    metadata,
    _id(),
    Column("pbx", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("agent_name", Text, nullable=False),
    Column("agent_endpoint", Text, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("polarity", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("wanted", Text, nullable=False, comment="what the agent should do another time"),
    Column("themes", Text, nullable=False, comment="JSON: a list of ids"),
    Column("moment", BigInteger),
    Column("offset_ms", BigInteger),
    Column("state", Text, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("changed", BigInteger),
    Column("settled", BigInteger, comment="when it was reviewed or taken off"),
    Column("settled_by_id", Text),
    Column("settled_by_name", Text),
    Column("settled_why", Text),
    Column("visible", Boolean, nullable=False, comment="to the agent"),
    Column("shared", BigInteger, comment="with the agent's team"),
    Index(None, "made", "id"),
    Index(None, "agent_id", "made", "id"),
    Index(None, "by_id", "made", "id"),
    Index(None, "call"),
    Index(None, "state", "made", "id"),
)

flag_version = Table(
    "flag_version",
    metadata,
    Column("flag", Text, primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False, comment="1, 2, 3"),
    Column("polarity", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("themes", Text, nullable=False),
    Column("until", BigInteger, nullable=False, comment="when it was edited"),
    comment="What a flag said before each edit",
)

flag_answer = Table(
    "flag_answer",
    metadata,
    _id(),
    Column("flag", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "flag", "at"),
)

review = Table(
    "review",
    metadata,
    _id(),
    Column("agent_id", Text, nullable=False),
    Column("agent_name", Text, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("pattern", Text, nullable=False),
    Column("flags", Text, nullable=False, comment="JSON: a list of ids"),
    Column("begun", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Index(None, "agent_id", "begun", "id"),
    comment="Talks about flags",
)

review_pattern = Table(
    "review_pattern",
    metadata,
    Column("agent_id", Text, primary_key=True),
    Column("pattern", Text, nullable=False),
    comment="Chosen for an agent; without a row it goes by how long they are there",
)

commitment = Table(
    "commitment",
    metadata,
    _id(),
    Column("agent_id", Text, nullable=False),
    Column("agent_name", Text, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("review", Text),
    Column("text", Text, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("settled", BigInteger),
    Column("settled_by_id", Text),
    Column("settled_by_name", Text),
    Column("settled_why", Text),
    Index(None, "agent_id", "made", "id"),
)

focus = Table(
    "focus",
    metadata,
    _id(),
    Column("commitment", Text),
    Column("agent_id", Text, nullable=False),
    Column("agent_name", Text, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("rule", Text, nullable=False, comment="JSON"),
    Column("begin", BigInteger, nullable=False),
    Column("end", BigInteger),
    Index(None, "agent_id", "begin", "id"),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("hook", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False, comment="JSON"),
    Column("made", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Index(None, "hook", "due", "id"),
    comment="What webhooks are still to be told",
)

never_monitor = Table(
    "never_monitor",
    metadata,
    _id(),
    Column("person", Text, unique=True, comment="either this one or the number"),
    Column("number", Text, unique=True, comment="its digits"),
    Column("reason", Text, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False, comment="1, 2, 3, without gap"),
    Column("at", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("actor", Text, comment="pseudonym; NULL: monitord itself"),
    Column("subject", Text, comment="pseudonym of whom else it concerns"),
    Column("number", Text, comment="keyed hash of the customer's number that it concerns"),
    Column("target", Text, nullable=False, comment="id of a thing, never of a person"),
    Column("about", BigInteger, comment="n of the row that this one is the outcome of"),
    Column("body", Text, nullable=False, comment="JSON: what is nobody's own, and what is sealed"),
    Column("hash", Text, nullable=False, comment="of this row and the hash of the one before"),
    Index(None, "at"),
    Index(None, "action", "n"),
    Index(None, "actor", "n"),
    Index(None, "subject", "n"),
    Index(None, "number", "n"),
    Index(None, "target", "n"),
    Index(None, "about"),
)
"""Rows are only added; the database itself refuses to change or remove one."""

audit_clock = Table(
    "audit_clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="always 1"),
    Column("back", BigInteger, nullable=False, comment="ms"),
    comment="How far the clock was ever behind an earlier row of the audit log: rows of a time are"
    " found by their numbers with it",
)

audit_before = Table(
    "audit_before",
    metadata,
    Column("n", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("about", BigInteger, comment="n of the row that this one is the outcome of"),
)
"""Rows of versions that did not chain them, until the daemon's next start takes them over."""

# --- people ------------------------------------------------------------------------------

team = Table(
    "team",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("cadence", Text, nullable=False),
)

person = Table(
    "person",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("team", Text),
    Column("leader", Text),
    Column("agent", Boolean, nullable=False),
    Column("account_codes", Text, nullable=False, comment="JSON list"),
    Column("hired", Text, comment="ISO date"),
    Column("cadence", Text),
    Column("active", Boolean, nullable=False),
    Column("email", Text),
)

role = Table(
    "role",
    metadata,
    Column("person", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("scope", Text),
)

ownership = Table(
    "ownership",
    metadata,
    _id(),
    Column("endpoint", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
    Index(None, "endpoint"),
)

credential = Table(
    "credential",
    metadata,
    Column("person", Text, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, comment="NULL: signs in elsewhere only"),
    Column("subject", Text, unique=True, comment="issuer and subject of OpenID Connect"),
)

sign_in_session = Table(
    "sign_in_session",
    metadata,
    Column("key", Text, primary_key=True, comment="digest of the cookie's token"),
    Column("person", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Index(None, "person"),
)

api_token = Table(
    "api_token",
    metadata,
    _id(),
    Column("key", Text, nullable=False, unique=True, comment="digest of the token"),
    Column("person", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("permissions", Text, nullable=False, comment="JSON list"),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("used", BigInteger),
    Index(None, "person"),
)

one_time_link = Table(
    "one_time_link",
    metadata,
    Column("key", Text, primary_key=True, comment="digest of the link's token"),
    Column("person", Text, comment="NULL: makes the first administrator"),
    Column("expires", BigInteger, nullable=False),
)

endpoint_seen = Table(
    "endpoint_seen",
    metadata,
    Column("pbx", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("name", Text, nullable=False, comment="as a queue calls it; may be empty"),
    Column("how", Text, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("dismissed", Boolean, nullable=False),
)

setting = Table(
    "setting",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False, comment="JSON"),
)

saved_view = Table(
    "saved_view",
    metadata,
    _id(),
    Column("person", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("filters", Text, nullable=False, comment="JSON object of texts"),
    Column("shared", Boolean, nullable=False),
    Index(None, "person"),
    Index(None, "shared"),
)

chosen_view = Table(
    "chosen_view",
    metadata,
    Column("person", Text, primary_key=True),
    Column("page", Text, primary_key=True),
    Column("view", Text, nullable=False, comment="id of a saved one, or the name of a built-in"),
)

score = Table(
    "score",
    metadata,
    _id(),
    Column("pbx", Text),
    Column("given", Text, nullable=False, comment="the name of the call that came with it"),
    Column("call", Text, comment="NULL while no call of that name is known"),
    Column("value", BigInteger, nullable=False, comment="in hundredths"),
    Column("low", BigInteger, nullable=False, comment="the scale of then"),
    Column("high", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False, comment="when the customer gave it"),
    Column("received", BigInteger, nullable=False, comment="when it came to monitord"),
    Column("source", Text, nullable=False),
    Column("reference", Text, nullable=False, comment="another for each score of a call"),
    Column("by_id", Text),
    Column("by_name", Text),
    Index(None, "call", "reference", unique=True),
    Index(None, "given"),
    Index(None, "by_id"),
)
"""How satisfied customers were with a call; the latest of a call counts."""

# --- privacy -----------------------------------------------------------------------------

hold = Table(
    "hold",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False, comment="id, or a number's digits; empty for all"),
    Column("reason", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("lifted", BigInteger),
    Column("lifted_by_id", Text),
    Column("lifted_by_name", Text),
    Index(None, "lifted"),
)
"""What is neither removed by its age nor erased."""

receipt = Table(
    "receipt",
    metadata,
    _id(),
    Column("what", Text, nullable=False, comment="person or number"),
    Column("pseudonyms", Text, nullable=False, comment="JSON list"),
    Column("begun", BigInteger, nullable=False),
    Column("rows", Text, nullable=False, comment="JSON: how many, by table"),
    Column("audit", BigInteger, nullable=False, comment="n of the row that says who did it"),
    Column("done", BigInteger, comment="NULL: the keys may still be there; the next start ends it"),
    Column("body", Text, comment="JSON, as it was signed"),
    Column("signature", Text),
    Index(None, "begun", "id"),
)
"""Of erasures; with no word of whom."""
