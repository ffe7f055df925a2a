"""Retention, and the rights of those whom rows are about."""
