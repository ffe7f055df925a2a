"""Flags: a moment of a call that is worth talking about."""
