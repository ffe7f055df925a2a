"""The routes of retention and the rights of a person, for the one table."""

from __future__ import annotations

from monitord.api import privacy, roster, wire
from monitord.api.route import Route

_ID = "{id:[0-9a-f]{20}}"
_FILE = {"application/json": {"type": "object"}}

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route("GET", "/api/v1/privacy", "privacy.see", privacy.show, "what is kept for how long, what is held, and what was erased", gives=wire.Privacy),
    Route("POST", "/api/v1/privacy/holds", "privacy.edit", privacy.add_hold, "hold something: it is neither removed by its age nor erased", body=wire.HoldNew, gives=wire.HoldRow, status=201),
    Route("POST", f"/api/v1/privacy/holds/{_ID}/lift", "privacy.edit", privacy.lift_hold, "lift a hold", body=wire.HoldLift, gives=wire.HoldRow),
    Route("GET", f"/api/v1/privacy/people/{roster.ID}/export", "privacy.export", privacy.export_person, "all that is held on a person, as a file", content=_FILE, head=False),
    Route("POST", "/api/v1/privacy/numbers/export", "privacy.export", privacy.export_number, "all that is held on a number, as a file", body=wire.NumberAsked, content=_FILE),
    Route("POST", f"/api/v1/privacy/people/{roster.ID}/erase", "privacy.edit", privacy.erase_person, "erase somebody who has left, for ever", body=wire.PersonErase, gives=wire.ReceiptRow, for_ever=True),
    Route("POST", "/api/v1/privacy/numbers/erase", "privacy.edit", privacy.erase_number, "erase a number, for ever", body=wire.NumberErase, gives=wire.ReceiptRow, for_ever=True),
    Route("GET", f"/api/v1/privacy/receipts/{_ID}", "privacy.see", privacy.receipt, "the signed receipt of an erasure, as a file", content=_FILE),
)
# fmt: on
