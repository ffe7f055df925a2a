/**
 * What somebody looks at in the history: a ledger, its filters, a range of time. It lives in the
 * address, so that a link is the view; this goes between the two, and to the API's parameters.
 */
import { AGENT_STATUS, DIRECTION, END_REASON, SPY_TYPE } from "../wire";

export const LEDGERS = ["supervisions", "calls", "agent-status"] as const;
export type Ledger = (typeof LEDGERS)[number];

export const FILTERS = {
  supervisions: ["supervisor", "agent", "campaign", "type", "possible", "end_reason", "reason", "call", "pbx"],
  calls: ["agent", "campaign", "number", "call", "queue", "list", "result", "direction", "pbx"],
  "agent-status": ["agent", "status", "pbx"],
} as const satisfies Record<Ledger, readonly string[]>;
export type Filter = (typeof FILTERS)[Ledger][number];
export type Filters = Partial<Record<Filter, string>>;

export const PRESETS = ["today", "yesterday", "last7"] as const;
export type Preset = (typeof PRESETS)[number];

export interface Range {
  /** A preset moves with the calendar: a saved view "yesterday" is always yesterday. */
  preset?: Preset;
  /** Instants, ms UTC; `to` is the first one that is not in it. */
  from?: number;
  to?: number;
}

export interface View {
  ledger: Ledger;
  filters: Filters;
  range: Range;
}

/** The words that a filter can be set to, where they are few. */
const CLOSED: Partial<Record<Filter, readonly string[]>> = {
  type: SPY_TYPE,
  possible: ["true"],
  direction: DIRECTION,
  status: AGENT_STATUS,
  end_reason: END_REASON,
  reason: ["missing"],
};
const LONGEST = 300;

export function valid(filter: Filter, value: string): boolean {
  return CLOSED[filter]?.includes(value) ?? (value.length > 0 && value.length <= LONGEST);
}

const LATEST = 2 ** 52;
/** Date.parse takes many things for a date. */
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$/;

function instant(text: string | null): number | undefined {
  const at = text !== null && ISO.test(text) ? Date.parse(text) : NaN;
  return Number.isFinite(at) && at >= 0 && at < LATEST ? at : undefined;
}

/** An address that makes no sense is read as far as it does. */
export function read(query: URLSearchParams): View {
  const shown = query.get("show");
  const ledger = LEDGERS.find((name) => name === shown) ?? "supervisions";
  const filters: Filters = {};
  for (const name of FILTERS[ledger]) {
    const value = query.get(name);
    if (value !== null && valid(name, value)) filters[name] = value;
  }
  if (filters.type === undefined) delete filters.possible;
  return { ledger, filters, range: readRange(query) };
}

export function readRange(query: URLSearchParams): Range {
  const preset = PRESETS.find((name) => name === query.get("range"));
  if (preset) return { preset };
  const range: Range = {};
  const from = instant(query.get("from"));
  const to = instant(query.get("to"));
  if (from !== undefined) range.from = from;
  if (to !== undefined && (from === undefined || to > from)) range.to = to;
  return range;
}

/** The query of its address, without the question mark. */
export function write(view: View): string {
  const query = new URLSearchParams();
  if (view.ledger !== "supervisions") query.set("show", view.ledger);
  for (const name of FILTERS[view.ledger]) {
    const value = view.filters[name];
    if (value !== undefined) query.set(name, value);
  }
  writeRange(view.range, query);
  return query.toString();
}

export function writeRange({ preset, from, to }: Range, query: URLSearchParams): void {
  if (preset) query.set("range", preset);
  else {
    if (from !== undefined) query.set("from", new Date(from).toISOString());
    if (to !== undefined) query.set("to", new Date(to).toISOString());
  }
}

/** Another ledger with all filters that it has too. */
export function turnTo(view: View, ledger: Ledger): View {
  const has: readonly Filter[] = FILTERS[ledger];
  const kept = Object.entries(view.filters).filter(([name]) => has.includes(name as Filter));
  return { ledger, filters: Object.fromEntries(kept), range: view.range };
}

/** How many filters are set; the range is one of them. */
export function countOf(view: View): number {
  const ranged = isSet(view.range);
  // "possible" only belongs to the type
  const set = Object.keys(view.filters).filter((name) => name !== "possible").length;
  return set + (ranged ? 1 : 0);
}

export function isSet({ preset, from, to }: Range): boolean {
  return preset !== undefined || from !== undefined || to !== undefined;
}

/** The days of a preset as instants, by the calendar of the viewer's zone. */
export function span(range: Range, now: number): { from?: number; to?: number } {
  if (!range.preset) return range;
  const at = new Date(now);
  const midnight = (days: number) =>
    new Date(at.getFullYear(), at.getMonth(), at.getDate() + days).getTime();
  switch (range.preset) {
    case "today":
      return { from: midnight(0), to: midnight(1) };
    case "yesterday":
      return { from: midnight(-1), to: midnight(0) };
    case "last7":
      return { from: midnight(-6), to: midnight(1) };
  }
}

/** The API's parameters. */
export function parameters(view: View, now: number): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of FILTERS[view.ledger]) {
    const value = view.filters[name];
    if (value !== undefined) query.set(name, value);
  }
  const { from, to } = span(view.range, now);
  if (from !== undefined) query.set("begin", String(from));
  if (to !== undefined) query.set("end", String(to));
  return query;
}

const pad = (n: number, digits = 2) => String(n).padStart(digits, "0");

/** As <input type="datetime-local"> has it: the viewer's own zone, to the minute. */
export function toInput(at: number | undefined): string {
  if (at === undefined) return "";
  const d = new Date(at);
  const day = `${pad(d.getFullYear(), 4)}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
  return `${day}T${pad(d.getHours())}:${pad(d.getMinutes())}`;
}

export function fromInput(text: string): number | undefined {
  const at = new Date(text).getTime();
  return text && Number.isFinite(at) && at >= 0 ? at : undefined;
}
