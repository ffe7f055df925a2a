/** Which calls the page lists, and in what order. */
import { SHOWS, type Show } from "../coach-manager/views.svelte";
import type { Store } from "../live/store";
import { CALL_STATE, type Call, type CallState, type Supervision, type View } from "../wire";

export interface Row {
  id: string;
  call: Call;
  /** Who listens now. */
  on: readonly Supervision[];
  flags: number;
}

export interface Filters {
  show: Show;
  search: string;
  state: CallState | "";
  campaign: string;
  listened: boolean;
  flagged: boolean;
}

export const NO_FILTERS: Omit<Filters, "show"> = { search: "", state: "", campaign: "", listened: false, flagged: false };
/** The states that a call in the list can have. */
export const STATES = CALL_STATE.filter((state) => state !== "ended");

/** What a saved view says, as far as this page understands it. */
export function filtersOf(view: string, saved: readonly View[]): Filters | null {
  const show = (value: string | undefined) => SHOWS.find((one) => one === value);
  const builtIn = show(view);
  if (builtIn) return { ...NO_FILTERS, show: builtIn };
  const kept = saved.find((one) => one.id === view)?.filters;
  if (!kept) return null;
  return {
    show: show(kept["show"]) ?? "all",
    search: kept["search"] ?? "",
    state: STATES.find((one) => one === kept["state"]) ?? "",
    campaign: kept["campaign"] ?? "",
    listened: kept["listened"] === "yes",
    flagged: kept["flagged"] === "yes",
  };
}

/** As the server keeps them. */
export function keptOf({ show, search, state, campaign, listened, flagged }: Filters): Record<string, string> {
  return {
    show,
    ...(search.trim() ? { search: search.trim() } : {}),
    ...(state ? { state } : {}),
    ...(campaign ? { campaign } : {}),
    ...(listened ? { listened: "yes" } : {}),
    ...(flagged ? { flagged: "yes" } : {}),
  };
}

/** Calls that somebody has, or waits for. */
export function rowsOf({ call, supervision, flag }: Pick<Store, "call" | "supervision" | "flag">): Row[] {
  const on = new Map<string, Supervision[]>();
  for (const one of supervision.values()) {
    if (one.call === null || one.state !== "active") continue;
    const others = on.get(one.call);
    if (others) others.push(one);
    else on.set(one.call, [one]);
  }
  const flags = new Map<string, number>();
  for (const one of flag.values()) flags.set(one.call, (flags.get(one.call) ?? 0) + 1);
  const rows: Row[] = [];
  for (const one of call.values()) {
    const waits = one.state === "queued" || one.state === "ringing";
    if (one.state === "ended" || (one.agent === null && !waits)) continue;
    rows.push({ id: one.id, call: one, on: on.get(one.id) ?? [], flags: flags.get(one.id) ?? 0 });
  }
  return rows;
}

/** Calls of these agents, and those to which one of these people listens. */
export function concerning(rows: readonly Row[], mine: ReadonlySet<string>): Row[] {
  return rows.filter(
    ({ call, on }) => (call.agent !== null && mine.has(call.agent.id)) || on.some((one) => mine.has(one.supervisor.id)),
  );
}

const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Those that fit all filters, and have every word of the search in what the card says. */
export function matching(rows: readonly Row[], filters: Omit<Filters, "show">): Row[] {
  const wanted = plain(filters.search).split(/\s+/).filter(Boolean);
  return rows.filter(({ call, on, flags }) => {
    if (filters.state && call.state !== filters.state) return false;
    if (filters.campaign && call.campaign?.value !== filters.campaign) return false;
    if (filters.listened && on.length === 0) return false;
    if (filters.flagged && flags === 0) return false;
    if (wanted.length === 0) return true;
    const { agent, number, campaign, list, result, queue, call_id } = call;
    const said = plain(
      [agent?.name, agent?.endpoint, number?.value, campaign?.value, list?.value, result?.value, queue, call_id].join("\n"),
    );
    return wanted.every((word) => said.includes(word));
  });
}

const RANK: Record<CallState, number> = { talking: 0, "on hold": 0, ringing: 1, queued: 2, arriving: 3, ended: 4 };

/** Those who talk first. By the start, so that none moves while it runs and a new one comes last. */
export function ordered(rows: readonly Row[]): Row[] {
  const rule = (a: Call, b: Call) =>
    RANK[a.state] - RANK[b.state] || a.started - b.started || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
  return [...rows].sort((a, b) => rule(a.call, b.call));
}

const collator = new Intl.Collator(undefined, { numeric: true });

/** Campaigns to choose from; one that was chosen stays though its last call has ended. */
export function campaignsOf(rows: readonly Row[], chosen: string): string[] {
  const found = new Set(chosen ? [chosen] : []);
  for (const { call } of rows) if (call.campaign) found.add(call.campaign.value);
  return [...found].sort(collator.compare);
}
