/** Talks, what is agreed in them, and what is looked for next, over HTTP. */
import { ask } from "../api";
import type {
  CommitmentList,
  CommitmentNew,
  CommitmentShown,
  CommitmentState,
  FocusCompared,
  FocusList,
  FocusShown,
  ReviewDue,
  ReviewNew,
  ReviewPattern,
  ReviewPlan,
  ReviewsDue,
  ReviewShown,
} from "../wire";

const json = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const part = encodeURIComponent;
/** Whose Friday ends a week. */
const zone = () => `zone=${part(Intl.DateTimeFormat().resolvedOptions().timeZone)}`;

export const due = (leader: string) => ask<ReviewsDue>(`/api/v1/reviews?${zone()}${leader ? `&leader=${part(leader)}` : ""}`);
export const plan = (agent: string) => ask<ReviewPlan>(`/api/v1/agents/${part(agent)}/review?${zone()}`);
export const choose = (agent: string, pattern: ReviewPattern | null) =>
  ask<ReviewDue>(`/api/v1/agents/${part(agent)}/review-pattern?${zone()}`, json("PUT", { pattern }));
export const begin = (talk: ReviewNew) => ask<ReviewShown>("/api/v1/reviews", json("POST", talk));
export const read = (id: string) => ask<ReviewShown>(`/api/v1/reviews/${part(id)}`);
export const end = (id: string, commitments: readonly CommitmentNew[]) =>
  ask<ReviewShown>(`/api/v1/reviews/${part(id)}/end`, json("POST", { commitments }));
export const settle = (id: string, state: CommitmentState) =>
  ask<CommitmentShown>(`/api/v1/commitments/${part(id)}/settle`, json("POST", { state }));
export const mine = () => ask<CommitmentList>("/api/v1/my-commitments");
export const running = () => ask<FocusList>("/api/v1/focus");
export const compared = (id: string) => ask<FocusCompared>(`/api/v1/focus/${part(id)}?${zone()}`);
export const endFocus = (id: string) => ask<FocusShown>(`/api/v1/focus/${part(id)}/end`, { method: "POST" });
