/** Whose endpoints are when, in words. */
import { fmt } from "../../lib/format";
import { people as texts } from "../../texts-people";
import type { OwnershipRow, PersonRow } from "../../wire";

export function span(own: OwnershipRow): string {
  const from = own.since === 0 ? texts.always : fmt.dateTime(own.since);
  if (own.until !== null) return texts.fromTo(from, fmt.dateTime(own.until));
  if (own.since === 0) return from;
  return own.since > Date.now() ? texts.from(from) : texts.since(from);
}

export const holds = (own: OwnershipRow, at: number) =>
  own.since <= at && (own.until === null || at < own.until);

/** Endpoints that are theirs now. */
export const present = (one: PersonRow) => {
  const at = Date.now();
  return one.endpoints.filter((own) => holds(own, at)).map((own) => own.endpoint);
};
