"""Routes of talks, what is agreed in them, and what is looked for next."""

from __future__ import annotations

from monitord.api import focus, parameters, reviews, roster, wire
from monitord.api.route import Route

_ID = "{id:[0-9a-f]{20}}"

# fmt: off
ROUTES = (
    Route("GET", "/api/v1/reviews", "flag.make", reviews.standing, "who is due for a talk about flags, the first due first", parameters.REVIEWS, gives=wire.ReviewsDue),
    Route("POST", "/api/v1/reviews", "flag.make", reviews.begin, "begin a talk with an agent about some flags", body=wire.ReviewNew, gives=wire.ReviewShown, status=201),
    Route("GET", f"/api/v1/agents/{roster.ID}/review", "flag.make", reviews.plan, "what a talk with an agent can be about", parameters.REVIEW_PLAN, gives=wire.ReviewPlan),
    Route("PUT", f"/api/v1/agents/{roster.ID}/review-pattern", "flag.make", reviews.choose, "choose how flags of an agent are gathered and talked about", parameters.TEAM, body=wire.PatternChosen, gives=wire.ReviewDue),
    Route("GET", f"/api/v1/reviews/{_ID}", "flag.see", reviews.review, "one talk with its flags and what was agreed", gives=wire.ReviewShown),
    Route("POST", f"/api/v1/reviews/{_ID}/end", "flag.make", reviews.end, "end a talk with what was agreed, two things at most", body=wire.ReviewEnd, gives=wire.ReviewShown),
    Route("GET", f"/api/v1/agents/{roster.ID}/commitments", "flag.see", reviews.commitments, "what an agent agreed to, the latest first", parameters.COMMITMENTS, gives=wire.CommitmentList),
    Route("GET", "/api/v1/my-commitments", "flag.answer", reviews.mine, "what one agreed to oneself, the latest first", gives=wire.CommitmentList),
    Route("POST", f"/api/v1/commitments/{_ID}/settle", "flag.make", reviews.settle, "what became of it", body=wire.CommitmentSettled, gives=wire.CommitmentShown),
    Route("GET", "/api/v1/focus", "flag.see", focus.running, "what is looked for in agents' next calls", gives=wire.FocusList),
    Route("GET", f"/api/v1/focus/{_ID}", "flag.see", focus.compared, "flags that a focus is about, by week, before and since", parameters.TEAM, gives=wire.FocusCompared),
    Route("POST", f"/api/v1/focus/{_ID}/end", "flag.make", focus.end, "look for it no longer", gives=wire.FocusShown),
)
# fmt: on
