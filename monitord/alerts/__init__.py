"""Supervisions that should not be: judged, told, and ended where the site says so."""
