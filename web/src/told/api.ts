/** What an agent was told, and the reasons that supervisors give, over HTTP. */
import { ask, Refused } from "../api";
import { questions } from "../texts-told";
import type { DisconnectTerms, NoticePage, Question, Questions, Reason } from "../wire";

const PAGE = 50;
export const REASON_MOST = 500;

export function notices(cursor: string | null): Promise<NoticePage> {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (cursor !== null) query.set("cursor", cursor);
  return ask<NoticePage>(`/api/v1/notices?${query}`);
}

export const open = async (): Promise<Question[]> =>
  (await ask<Questions>("/api/v1/questions")).rows;

export const give = (supervision: string, text: string) =>
  ask<Reason>(`/api/v1/supervisions/${encodeURIComponent(supervision)}/reason`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
  });

export const terms = (supervision: string) =>
  ask<DisconnectTerms>(`/api/v1/supervisions/${encodeURIComponent(supervision)}/disconnect/terms`);

/** In plain words. */
export const because = (error: unknown): string =>
  error instanceof Refused && error.message ? error.message : questions.unreachable;
