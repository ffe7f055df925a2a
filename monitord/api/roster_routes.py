"""The routes of the roster, for the one table."""

from __future__ import annotations

from monitord.api import endpoints, parameters, roster, roster_sheet, wire
from monitord.api.route import Route

_CHANGED = wire.RosterChanged

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route("GET", "/api/v1/roster/people", "roster.see", roster.people, "a page of the people, by their ids", parameters.PEOPLE, gives=wire.PersonPage),
    Route("POST", "/api/v1/roster/people", "roster.edit", roster.add_person, "somebody new", body=wire.PersonNew, gives=_CHANGED, status=201),
    Route("GET", f"/api/v1/roster/people/{roster.ID}", "roster.see", roster.person, "one person", gives=wire.PersonRow),
    Route("PATCH", f"/api/v1/roster/people/{roster.ID}", "roster.edit", roster.change_person, "change what is given of a person", body=wire.PersonChange, gives=_CHANGED),
    Route("PUT", f"/api/v1/roster/people/{roster.ID}/roles", "rights.edit", roster.change_roles, "somebody's roles, all of them", body=wire.RolesChange, gives=_CHANGED),
    Route("PUT", f"/api/v1/roster/people/{roster.ID}/login", "rights.edit", roster.change_login, "give, change or take away a login", body=wire.LoginChange, gives=_CHANGED),
    Route("GET", "/api/v1/roster/teams", "roster.see", roster.teams, "all teams", gives=wire.TeamPage),
    Route("POST", "/api/v1/roster/teams", "roster.edit", roster.add_team, "a new team", body=wire.TeamNew, gives=_CHANGED, status=201),
    Route("PATCH", f"/api/v1/roster/teams/{roster.ID}", "roster.edit", roster.change_team, "change what is given of a team", body=wire.TeamChange, gives=_CHANGED),
    Route("DELETE", f"/api/v1/roster/teams/{roster.ID}", "roster.edit", roster.remove_team, "remove a team that nobody is in", gives=_CHANGED),
    Route("POST", "/api/v1/roster/ownerships", "roster.edit", endpoints.give, "give an endpoint to somebody from a time on", body=wire.OwnershipNew, gives=_CHANGED, status=201),
    Route("PATCH", f"/api/v1/roster/ownerships/{endpoints.ID}", "roster.edit", endpoints.change_dates, "change from when to when an endpoint is somebody's", body=wire.OwnershipChange, gives=_CHANGED),
    Route("DELETE", f"/api/v1/roster/ownerships/{endpoints.ID}", "roster.edit", endpoints.take_back, "an endpoint never was somebody's", gives=_CHANGED),
    Route("GET", "/api/v1/roster/proposals", "roster.see", endpoints.proposals, "endpoints that were seen and are nobody's", parameters.PROPOSALS, gives=wire.Proposals),
    Route("POST", "/api/v1/roster/proposals/taken", "roster.edit", endpoints.take, "confirm one: it is somebody's", body=wire.ProposalTaken, gives=_CHANGED, status=201),
    Route("POST", "/api/v1/roster/proposals/dismissed", "roster.edit", endpoints.dismiss, "dismiss one, or take that back", body=wire.ProposalDismissed, status=204),
    Route("GET", "/api/v1/roster/export", "roster.see", roster_sheet.export, "the roster as CSV", content={"text/csv": {"type": "string"}}, head=False),
    Route("POST", "/api/v1/roster/import/preview", "roster.edit", roster_sheet.preview, "what a CSV, which is the body, would change; nothing is done", parameters.SHEET, gives=wire.SheetPreview),
    Route("POST", "/api/v1/roster/import", "roster.edit", roster_sheet.carry_out, "the same CSV with its preview's token: do it", (*parameters.SHEET, parameters.SHEET_TOKEN), gives=wire.SheetDone),
)
# fmt: on
