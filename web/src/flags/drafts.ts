/**
 * Flags that were begun: each stays in this browser until it is saved or thrown away, so that
 * neither a reload nor a lost connection costs a word. Pure.
 */
import type { Polarity } from "../wire";

export interface Draft {
  /** Made up here, so that what is sent twice is made once. */
  id: string;
  /** Internal id, or any name of the call. */
  call: string;
  callId: string;
  agent: string;
  /** When the call began, ms UTC, and whether that is exact. */
  started: number;
  startedExact: boolean;
  /** When it ended; null while it runs. */
  ended: number | null;
  /** ms UTC. */
  moment: number | null;
  polarity: Polarity | null;
  comment: string;
  wanted: string;
  themes: string[];
  begun: number;
}

/** The oldest are dropped beyond it. */
export const DRAFTS_MOST = 20;

const isText = (value: unknown): value is string => typeof value === "string";
const isTime = (value: unknown): value is number | null => value === null || typeof value === "number";

function isDraft(value: unknown): value is Draft {
  if (!value || typeof value !== "object") return false;
  const draft = value as Record<string, unknown>;
  return (
    ["id", "call", "callId", "agent", "comment", "wanted"].every((name) => isText(draft[name])) &&
    typeof draft["started"] === "number" &&
    typeof draft["begun"] === "number" &&
    typeof draft["startedExact"] === "boolean" &&
    isTime(draft["moment"]) &&
    isTime(draft["ended"]) &&
    [null, "good", "bad"].includes(draft["polarity"] as string | null) &&
    Array.isArray(draft["themes"]) &&
    draft["themes"].every(isText)
  );
}

/** What a browser kept, the first begun first. What is spoilt is left out. */
export const draftsOf = (kept: unknown): Draft[] => (Array.isArray(kept) ? kept.filter(isDraft) : []);

/** Whether anything was said with it: an empty one is not worth a question. */
export const hasWords = (draft: Draft) =>
  draft.comment.trim() !== "" || draft.wanted.trim() !== "" || draft.polarity !== null;

/** `2:10` or `1:02:10` as ms; null where it is none. */
export function offsetOf(text: string): number | null {
  const match = /^\s*(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)\s*$/.exec(text);
  if (!match) return null;
  const [, hours = "0", minutes = "", seconds = ""] = match;
  if (match[1] !== undefined && Number(minutes) > 59) return null;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}
