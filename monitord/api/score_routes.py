"""Routes of customers' scores."""

from __future__ import annotations

from monitord.api import parameters, score_import, scores, wire
from monitord.api.route import Route

# fmt: off
ROUTES = (
    Route("POST", "/api/v1/scores", "csat.give", scores.give, "send in a customer's score of a call", body=wire.ScoreNew, gives=wire.ScoreGiven, status=201),
    Route("GET", "/api/v1/scores/settings", "csat.set", scores.settings, "the scale of scores, and how many wait for their call", gives=wire.ScoreSettingsShown),
    Route("PUT", "/api/v1/scores/settings", "csat.set", scores.put_settings, "say on which scale customers answer", body=wire.ScoreSettingsPut, gives=wire.ScoreSettingsShown),
    Route("POST", "/api/v1/scores/import/preview", "csat.give", score_import.preview, "what a CSV, which is the body, would bring; nothing is done", (parameters.ZONE,), gives=wire.ScorePreview),
    Route("POST", "/api/v1/scores/import", "csat.give", score_import.carry_out, "the same CSV with its preview's token: import it", (parameters.ZONE, parameters.SHEET_TOKEN), gives=wire.ScoreImport, status=202),
    Route("GET", "/api/v1/scores/import/{id:[0-9a-f]{20}}", "csat.give", score_import.progress, "how far an import is", gives=wire.ScoreImport),
    Route("GET", "/api/v1/flags/after-scores", ("flag.see", "csat.see"), scores.flags_after, "how many flags were made only when the customer's score had come", parameters.BALANCE, gives=wire.FlagsAfterScores),
)
# fmt: on
