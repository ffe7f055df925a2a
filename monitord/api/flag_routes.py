"""Routes of flags."""

from __future__ import annotations

from monitord.api import balance, flag_export, flag_settings, flags, openapi, parameters, wire
from monitord.api.route import Route

_ID = "{id:[0-9a-f]{20}}"

# fmt: off
ROUTES = (
    Route("GET", "/api/v1/flags", "flag.see", flags.flags, "a page of flags, newest first", parameters.FLAGS, gives=wire.FlagPage),
    Route("POST", "/api/v1/flags", "flag.make", flags.make, "flag a moment of a call", body=wire.FlagNew, gives=wire.FlagShown, status=201),
    Route("GET", "/api/v1/flags/export", ("flag.see", "history.export"), flag_export.export, "all flags that fit the filters, as a file", parameters.FLAGS_EXPORT, content=openapi.FLAGS_EXPORT, head=False),
    Route("POST", "/api/v1/flags/look", "flag.make", flags.look, "whether a comment says enough; nothing is kept", body=wire.FlagLook, gives=wire.FlagVagueness),
    Route("GET", "/api/v1/flags/balance", "flag.see", balance.balance, "how many flags a week, on good work and on what could go better", parameters.BALANCE, gives=wire.FlagBalance),
    Route("GET", "/api/v1/flags/settings", "session", flag_settings.show, "what the site says of flags", gives=wire.FlagSettingsShown),
    Route("PUT", "/api/v1/flags/settings", "flag.set", flag_settings.put, "say whether agents see flags, and which themes there are", body=wire.FlagSettingsPut, gives=wire.FlagSettingsShown),
    Route("GET", f"/api/v1/flags/{_ID}", "flag.see", flags.flag, "one flag with what it said before", gives=wire.FlagDetail),
    Route("PATCH", f"/api/v1/flags/{_ID}", "flag.make", flags.edit, "change one of one's own", body=wire.FlagEdit, gives=wire.FlagShown),
    Route("POST", f"/api/v1/flags/{_ID}/take-off", "flag.make", flags.take_off, "take one of one's own off", body=wire.FlagTakenOff, gives=wire.FlagShown),
    Route("POST", f"/api/v1/flags/{_ID}/review", "flag.make", flags.review, "it was talked about", gives=wire.FlagShown),
    Route("POST", f"/api/v1/flags/{_ID}/reopen", "flag.make", flags.reopen, "put it back into the queue", gives=wire.FlagShown),
    Route("POST", f"/api/v1/flags/{_ID}/share", "flag.make", flags.share, "share good work with the agent's team", gives=wire.FlagShown),
    Route("DELETE", f"/api/v1/flags/{_ID}/share", "flag.make", flags.unshare, "share it no more", gives=wire.FlagShown),
    Route("POST", f"/api/v1/flags/{_ID}/answer", "flag.answer", flags.give_answer, "answer a flag on oneself", body=wire.FlagAnswerGiven, gives=wire.FlagShown),
    Route("GET", "/api/v1/team-flags", "flag.answer", flags.of_team, "a page of good work that was shared with one's team, newest first", parameters.MY_FLAGS, gives=wire.FlagPage),
    Route("GET", "/api/v1/my-flags", "flag.answer", flags.mine, "a page of the flags on oneself, newest first", parameters.MY_FLAGS, gives=wire.FlagPage),
)
# fmt: on
