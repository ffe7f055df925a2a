"""Measurements, not tests: nothing here passes or fails. Results go to build/bench."""
