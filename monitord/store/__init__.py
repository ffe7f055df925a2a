"""The ledgers on disk: tables, migrations, the one writer, and what is read of them."""
