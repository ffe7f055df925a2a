/** The audit log's part of the HTTP API. */
import { ask } from "../api";
import type { AuditDetail, AuditHead, AuditPage, Choices, ProofState } from "../wire";

const BASE = "/api/v1/audit";

export function page(params: string, cursor: string | null, limit: number, signal: AbortSignal): Promise<AuditPage> {
  const query = new URLSearchParams(params);
  query.set("folded", "true");
  query.set("limit", String(limit));
  if (cursor !== null) query.set("cursor", cursor);
  return ask(`${BASE}/rows?${query}`, { signal });
}

export const detail = (n: number, signal: AbortSignal) => ask<AuditDetail>(`${BASE}/rows/${n}`, { signal });

export const head = () => ask<AuditHead>(`${BASE}/head`);

export const proof = () => ask<ProofState>(`${BASE}/proof`);

export const prove = () => ask<ProofState>(`${BASE}/proof`, { method: "POST" });

export const cancelProof = () => ask<void>(`${BASE}/proof`, { method: "DELETE" });

export const people = (typed: string, signal: AbortSignal) =>
  ask<Choices>(`${BASE}/people${typed ? `?${new URLSearchParams({ typed })}` : ""}`, { signal });

export async function nameOf(value: string): Promise<string | null> {
  const found = await ask<Choices>(`${BASE}/people?${new URLSearchParams({ value })}`);
  return found.choices[0]?.name ?? null;
}

export const exportAddress = (params: string) => `${BASE}/export${params ? `?${params}` : ""}`;
