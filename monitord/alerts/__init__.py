"""Supervisions without a right to them: judged, told, and ended where the site says so."""
