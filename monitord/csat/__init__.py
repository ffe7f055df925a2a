"""Customers' scores: where they come from, which call each is of, and what was flagged after it."""
