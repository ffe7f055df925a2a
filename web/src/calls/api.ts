import { ask } from "../api";
import type { CallDetail } from "../wire";

export const detail = (id: string, signal: AbortSignal) =>
  ask<CallDetail>(`/api/v1/calls/${encodeURIComponent(id)}`, { signal });
