/** Requests of Settings > Privacy. */
import { ask, Refused } from "../../api";
import { parse } from "../../lib/plain";
import type { HoldNew, HoldRow, Privacy, ProblemDetail, ReceiptRow } from "../../wire";

const json = (body: object): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const AT = "/api/v1/privacy";

export const privacy = () => ask<Privacy>(AT);

export const hold = (body: HoldNew) => ask<HoldRow>(`${AT}/holds`, json(body));

export const lift = (id: string) =>
  ask<HoldRow>(`${AT}/holds/${encodeURIComponent(id)}/lift`, json({}));

export const erasePerson = (id: string, reason: string) =>
  ask<ReceiptRow>(`${AT}/people/${encodeURIComponent(id)}/erase`, json({ reason }));

export const eraseNumber = (number: string, reason: string) =>
  ask<ReceiptRow>(`${AT}/numbers/erase`, json({ number, reason }));

export const receiptAddress = (id: string) => `${AT}/receipts/${encodeURIComponent(id)}`;

/** A file of all that is held on a person, or on a number. A number is in no address. */
export async function held(of: { person: string } | { number: string }): Promise<void> {
  const answer = await fetch(
    "person" in of ? `${AT}/people/${encodeURIComponent(of.person)}/export` : `${AT}/numbers/export`,
    "person" in of ? { cache: "no-store" } : { ...json(of), cache: "no-store" },
  ).catch(() => {
    throw new Refused(0, null);
  });
  if (!answer.ok) {
    const problem = await answer.text().then(parse).catch(() => null);
    throw new Refused(answer.status, problem as ProblemDetail | null);
  }
  const named = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "");
  const file = await answer.blob().catch(() => {
    throw new Refused(0, null);
  });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = named?.[1] ?? "held.json";
  link.click();
  URL.revokeObjectURL(link.href);
}
