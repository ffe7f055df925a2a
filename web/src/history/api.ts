/** The history's part of the HTTP API. */
import { ask } from "../api";
import type { Choices, Count, GapPage } from "../wire";
import type { Filter, Ledger } from "./view";

export interface PageOf<Row> {
  rows: Row[];
  next: string | null;
}

function address(path: string, params: string, more: Record<string, string>): string {
  const query = new URLSearchParams(params);
  for (const [name, value] of Object.entries(more)) query.set(name, value);
  return `/api/v1/${path}?${query}`;
}

export function page<Row>(
  ledger: Ledger,
  params: string,
  cursor: string | null,
  limit: number,
  signal: AbortSignal,
): Promise<PageOf<Row>> {
  const place: Record<string, string> = cursor === null ? {} : { cursor };
  return ask(address(ledger, params, { limit: String(limit), ...place }), { signal });
}

export const count = (ledger: Ledger, params: string, signal: AbortSignal) =>
  ask<Count>(address(`${ledger}/count`, params, {}), { signal });

/** Of the filters of a list only its range and its PBX say which gaps belong to it. */
export function gaps(params: string, cursor: string | null, signal: AbortSignal): Promise<GapPage> {
  const all = new URLSearchParams(params);
  const own: Record<string, string> = { limit: "200" };
  for (const name of ["begin", "end", "pbx"]) {
    const value = all.get(name);
    if (value !== null) own[name] = value;
  }
  if (cursor !== null) own["cursor"] = cursor;
  return ask(address("gaps", "", own), { signal });
}

export const choices = (ledger: Ledger, filter: Filter, typed: string, signal: AbortSignal) =>
  ask<Choices>(address("history/choices", "", { ledger, filter, ...(typed ? { typed } : {}) }), { signal });

/** Null where the ledger does not hold it. */
export async function nameOf(ledger: Ledger, filter: Filter, value: string): Promise<string | null> {
  const found = await ask<Choices>(address("history/choices", "", { ledger, filter, value }));
  return found.choices[0]?.name ?? null;
}

export function exportAddress(ledger: Ledger | "flags", params: string, format: "csv" | "segments" | "json"): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (format === "json") return address(`${ledger}/export`, params, { format });
  const rows: Record<string, string> = format === "segments" ? { rows: "segments" } : {};
  return address(`${ledger}/export`, params, { format: "csv", zone, ...rows });
}
