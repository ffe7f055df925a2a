"""The routes of the audit log, for the one table."""

from __future__ import annotations

from monitord.api import audit, audit_export, parameters, wire
from monitord.api.route import Route

_N = "{id:[0-9]{1,15}}"

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route("GET", "/api/v1/audit/rows", "audit.see", audit.rows, "a page of the audit log, newest first", parameters.AUDIT_PAGED, gives=wire.AuditPage),
    Route("GET", f"/api/v1/audit/rows/{_N}", "audit.see", audit.row, "one row by its number, with all that was observed of the same thing", gives=wire.AuditDetail),
    Route("GET", "/api/v1/audit/people", "audit.see", audit.people, "whom the filters can be set to", parameters.AUDIT_PEOPLE, gives=wire.Choices),
    Route("GET", "/api/v1/audit/head", "audit.see", audit.head, "the last row, signed, and the public key", gives=wire.AuditHead),
    Route("GET", "/api/v1/audit/proof", "audit.see", audit.proof, "how far the proof is, and what the last one said", gives=wire.ProofState),
    Route("POST", "/api/v1/audit/proof", "audit.see", audit.prove, "prove the audit log, and the ledger that it observed", gives=wire.ProofState),
    Route("DELETE", "/api/v1/audit/proof", "audit.see", audit.cancel, "cancel the proof that is under way", status=204),
    Route("GET", "/api/v1/audit/export", "audit.see", audit_export.export, "the rows that fit the filters as a signed file", parameters.AUDIT, content={audit_export.TYPE: {"type": "string"}}, head=False),
)
# fmt: on
