"""The sole owner of live state in a process, and what it tells others."""
