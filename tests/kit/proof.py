"""The audit log of a test's daemon, proved as `monitord audit verify` does it."""

from __future__ import annotations

from monitord.audit.heads import HEADS_FILE, read_heads
from monitord.audit.keys import open_keys
from monitord.audit.verify import Report, verify
from monitord.store.engine import visit_store
from tests.kit.stores import Store


async def proved(store: Store) -> Report:
    """With the ledger, and with the heads beside its keys. A daemon may run on it."""
    engine = await visit_store(store.url)
    keys = open_keys(store.keys, make=False)
    heads = store.keys.with_name(HEADS_FILE)
    try:
        return await verify(engine, keys, read_heads(heads) if heads.exists() else ())
    finally:
        keys.close()
        await engine.dispose()


async def whole(store: Store) -> None:
    """Nothing is wrong with log and ledger."""
    report = await proved(store)
    assert report.fault is None, report.fault
