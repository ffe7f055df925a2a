/** The roster's part of the HTTP API. A change names the version that it was made for. */
import { ask, Refused } from "../../api";
import type {
  MadeLink,
  NewLink,
  PersonPage,
  ProblemDetail,
  Proposals,
  RosterChanged,
  SheetDone,
  SheetPreview,
  TeamPage,
} from "../../wire";

const ROSTER = "/api/v1/roster";

export const peoplePage = (cursor: string | null, signal: AbortSignal) =>
  ask<PersonPage>(
    `${ROSTER}/people?limit=2000${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
    { signal },
  );

export const teamPage = (signal: AbortSignal) => ask<TeamPage>(`${ROSTER}/teams`, { signal });

export const proposals = (dismissed: boolean) =>
  ask<Proposals>(`${ROSTER}/proposals?dismissed=${dismissed}`);

export type Method = "POST" | "PATCH" | "PUT" | "DELETE";

const tag = (version: string) => ({ "if-match": `"${version}"` });

/** `path` is below the roster's own, with its ids encoded. */
export function change(method: Method, path: string, version: string, body?: unknown): Promise<RosterChanged> {
  return ask<RosterChanged>(ROSTER + path, {
    method,
    headers: { "content-type": "application/json", ...tag(version) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export const dismiss = (pbx: string, endpoint: string, dismissed: boolean) =>
  ask<void>(`${ROSTER}/proposals/dismissed`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ pbx, endpoint, dismissed }),
  });

/** `login`: for somebody who has none yet, else null. */
export function makeLink(person: string, login: string | null): Promise<MadeLink> {
  const body: NewLink = { login };
  return ask<MadeLink>(`/api/v1/people/${encodeURIComponent(person)}/link`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

function options(newTeams: boolean): URLSearchParams {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return new URLSearchParams({ zone, new_teams: String(newTeams) });
}

export interface Shown {
  preview: SheetPreview;
  /** Of the roster that it was made for. */
  version: string;
}

/** The preview tells its version only by the ETag, so the answer is read here. */
export async function preview(file: Blob, newTeams: boolean): Promise<Shown> {
  let answer: Response;
  try {
    answer = await fetch(`${ROSTER}/import/preview?${options(newTeams)}`, {
      method: "POST",
      headers: { accept: "application/json", "content-type": "text/csv" },
      body: file,
      cache: "no-store",
    });
  } catch {
    throw new Refused(0, null);
  }
  const body: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer.status, body as ProblemDetail | null);
  const version = (answer.headers.get("etag") ?? "").replaceAll('"', "");
  return { preview: body as SheetPreview, version };
}

export function carryOut(file: Blob, newTeams: boolean, version: string, token: string): Promise<SheetDone> {
  const query = options(newTeams);
  query.set("token", token);
  return ask<SheetDone>(`${ROSTER}/import?${query}`, {
    method: "POST",
    headers: { "content-type": "text/csv", ...tag(version) },
    body: file,
  });
}

export const EXPORT = `${ROSTER}/export`;
