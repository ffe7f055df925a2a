/** Customers' scores over HTTP. */
import { ask, Refused } from "../api";
import { scoreImport as texts } from "../texts-scores";
import type { FlagsAfterScores, ScoreImport, ScorePreview, ScoreSettingsShown } from "../wire";

const PATH = "/api/v1/scores";

const zone = () => `zone=${encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)}`;
const csv = (file: Blob): RequestInit => ({ method: "POST", headers: { "content-type": "text/csv" }, body: file });

export const settings = () => ask<ScoreSettingsShown>(`${PATH}/settings`);
export const putScale = (low: number, high: number) =>
  ask<ScoreSettingsShown>(`${PATH}/settings`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ low, high }),
  });
export const preview = (file: Blob) => ask<ScorePreview>(`${PATH}/import/preview?${zone()}`, csv(file));
export const carryOut = (file: Blob, token: string) =>
  ask<ScoreImport>(`${PATH}/import?${zone()}&token=${encodeURIComponent(token)}`, csv(file));
export const progress = (id: string) => ask<ScoreImport>(`${PATH}/import/${encodeURIComponent(id)}`);
export const afterScores = (query: URLSearchParams) => ask<FlagsAfterScores>(`/api/v1/flags/after-scores?${query}`);

/** Why something could not be done, in words. */
export const because = (error: unknown): string => {
  if (!(error instanceof Refused)) throw error;
  return error.problem?.message ?? texts.noAnswer;
};
