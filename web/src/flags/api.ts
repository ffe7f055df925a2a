/** Flags over HTTP. */
import { ask, Refused } from "../api";
import { flags as texts } from "../texts-flags";
import type {
  AnswerKind,
  FlagDetail,
  FlagEdit,
  FlagNew,
  FlagPage,
  FlagSettingsPut,
  FlagSettingsShown,
  FlagShown,
  FlagVagueness,
} from "../wire";

const PATH = "/api/v1/flags";

const json = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const of = (id: string) => `${PATH}/${encodeURIComponent(id)}`;

export type Act = "review" | "reopen" | "share" | "unshare";

export const page = (query: URLSearchParams) => ask<FlagPage>(`${PATH}?${query}`);
export const mine = (cursor: string | null) =>
  ask<FlagPage>(`/api/v1/my-flags${cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`}`);
export const ofTeam = () => ask<FlagPage>("/api/v1/team-flags");
export const detail = (id: string) => ask<FlagDetail>(of(id));
export const make = (flag: FlagNew) => ask<FlagShown>(PATH, json("POST", flag));
export const edit = (id: string, changes: FlagEdit) => ask<FlagShown>(of(id), json("PATCH", changes));
export const look = (comment: string, moment: boolean) =>
  ask<FlagVagueness>(`${PATH}/look`, json("POST", { comment, moment }));
export const takeOff = (id: string, why: string) => ask<FlagShown>(`${of(id)}/take-off`, json("POST", { why }));
export const act = (id: string, what: Act) =>
  what === "unshare"
    ? ask<FlagShown>(`${of(id)}/share`, { method: "DELETE" })
    : ask<FlagShown>(`${of(id)}/${what}`, { method: "POST" });
export const answer = (id: string, kind: AnswerKind, text: string) =>
  ask<FlagShown>(`${of(id)}/answer`, json("POST", { kind, text }));
export const settings = () => ask<FlagSettingsShown>(`${PATH}/settings`);
export const putSettings = (changes: FlagSettingsPut) =>
  ask<FlagSettingsShown>(`${PATH}/settings`, json("PUT", changes));

/** Why something could not be done, in words. */
export const because = (error: unknown): string => {
  if (!(error instanceof Refused)) throw error;
  return error.problem?.message ?? texts.noAnswer;
};
