"""The faults of docs/reliability.md and what is promised about each, in the document's order."""

from __future__ import annotations

FAULTS = {
    "AMI TCP drop in mid-event": (
        "What came half is thrown away. Every page is told within a second that the PBX is lost; "
        "the link comes back with growing, uneven waits of 1 to 30 s and reads everything anew. "
        "What lived through it keeps its id, what did not is closed with a window that holds its "
        "true end."
    ),
    "half-open / blackhole": (
        "A connection that is dead without saying so is known as lost within 15 s."
    ),
    "Asterisk kill -9 / restart": (
        "Everything of the old run is closed as “PBX restarted”. Channel names and uniqueids that "
        "come again are other channels."
    ),
    "login before FullyBooted": (
        "Nothing is shown as over, and no row is closed, before the PBX can say what it has."
    ),
    "daemon kill -9 mid-session": (
        "No committed row is lost or changed. What still runs goes on under its id; what ended "
        "meanwhile has a window from the last sign of life, at most 10 s before the kill, to the "
        "restart; nothing is invented; the audit log proves whole."
    ),
    "power loss": (
        "A row that was committed is on disk: SQLite by WAL with synchronous=FULL, PostgreSQL by "
        "synchronous_commit. A copy of database and log taken at any moment opens, is sound, and "
        "its audit log proves whole."
    ),
    "DB locked": (
        "The live view notices nothing. Rows wait, in their newest state and bounded in number, "
        "and are written when the lock goes; the log says why they wait and that they are "
        "written again."
    ),
    "disk full": (
        "No crash, and the live view goes on. A disconnect is refused and says why, since no act "
        "goes without its row in the audit log. It recovers by itself, with nothing lost."
    ),
    "DB corrupted": (
        "A start on it is refused with the file, the reason and what to do, and the file stays as "
        "it is. What of a torn log was committed and is whole is used; where rows are missing "
        "since the last head of the audit log, the log says so and a proof tells. Never is a "
        "history silently empty."
    ),
    "slow websocket client": (
        "Only the client that does not read is cut, at 2 MB or 5 s behind; it is told that it may "
        "come back and starts anew. The others notice nothing."
    ),
    "reconnect storm": (
        "Five hundred clients within a second get the same bytes, which are made once for each "
        "audience."
    ),
    "malformed AMI bytes": (
        "A message that is none is dropped and counted, the connection stays. One that does not "
        "end costs the connection at 1 MiB."
    ),
    "AMI reader stall": (
        "A loop that stands still for 3 s in the middle of a burst loses nothing, and the PBX does "
        "not cut us. Where we cannot keep up at all, all state is read anew instead."
    ),
    "clock jump ±1 h, DST, NTP step": (
        "Lengths come from a clock that never jumps, stamps are UTC: no length is negative or an "
        "hour too long, and no session, token, notice or row runs out because of it."
    ),
    "duplicate events (2 logins, replays)": "An event that comes twice changes nothing.",
    "reordered families": (
        "Asterisk keeps the order of one channel only; any order between channels leads to the "
        "same rows."
    ),
    "missing ChanSpyStop": (
        "The end is found by asking again, within two rounds of 30 s, and has a window."
    ),
    "missing Hangup (prefix spy)": (
        "The call is shown as ended within two rounds of asking, and no ghost stays."
    ),
    "Hangup accepted but stuck": "After 5 s the page says “not confirmed”, and why.",
    "10× burst": (
        "Ten times the usual rate costs delay at most, no row: every call that ended is in the "
        "ledger with its result."
    ),
    "TLS failure": (
        "Not built: AMI is spoken without TLS, so the PBX belongs on the same machine, a trusted "
        "network or a tunnel. What is tested is that a port which speaks no AMI, TLS among them, "
        "is no PBX: it is said, and tried again with growing waits."
    ),
    "wrong credentials / ACL": (
        "A state of its own, at most ten tries in five minutes, no secret in a log, and recovery "
        "by itself when it is put right."
    ),
    "missing rights/filters": (
        "`monitord check` and the daemon name the right or class that is missing, and what it "
        "costs; nothing is invented or closed because of it."
    ),
    "network partition daemon–DB / daemon–PBX": (
        "A PBX that is lost is shown as such, and the others go on. Without its database the "
        "daemon shows what is live, and says that history cannot be read and nobody can be cut off."
    ),
    "two daemons": "The second one on a database refuses to start, and names the reason.",
    "injection": (
        "An id with a line break, a pattern, another call's channel or an agent's: refused before "
        "anything is sent to the PBX. Names and numbers from the telephone network run nowhere."
    ),
    "CSWSH / expired cookie / wrong team": (
        "Another site's page gets no stream. A session that is over or lost a right ends or "
        "changes its open stream at once, by time within 60 s."
    ),
    "Asterisk reload / rights change": (
        "Nothing is lost or closed by a reload; rights are asked anew."
    ),
    "a long run": (
        "A hundred thousand calls and five thousand supervisions later, memory is where it was "
        "after warm-up, no task, file or open row is left over, and the ledger is the truth."
    ),
}
