import { expect, it, vi } from "vitest";
import type { Call, CallState, Flag, Supervision, View } from "../wire";

// the live state needs a page around it, which these rules do not
vi.mock("../live/live.svelte", () => ({ live: { watchers: new Set() } }));
vi.mock("../lib/prefs.svelte", () => ({ ORDERS: [], prefs: {}, keep: () => {} }));
const { campaignsOf, concerning, filtersOf, keptOf, matching, NO_FILTERS, ordered, rowsOf } = await import("./rows");

const value = (text: string) => ({ value: text, provenance: "supplied" as const });
const call = (id: string, state: CallState, started: number, agent: string | null, more: Partial<Call> = {}): Call => ({
  kind: "call",
  id,
  pbx: "lab",
  call_id: `7.${id}`,
  state,
  direction: "inbound",
  number: value("5551234"),
  agent: agent === null ? null : { id: agent, name: `Agent ${agent}`, endpoint: "PJSIP/1001" },
  agent_provenance: null,
  queue: "",
  campaign: null,
  list: null,
  result: null,
  started,
  started_exact: true,
  answered: null,
  payment: false,
  ...more,
});
const on = (id: string, of: string, supervisor: string, state = "active") =>
  ({ id, call: of, supervisor: { id: supervisor }, state }) as Supervision;
const by = <Item extends { id: string }>(...items: Item[]) => new Map(items.map((one) => [one.id, one]));

const calls = [
  call("a", "queued", 1, null, { queue: "support" }),
  call("b", "talking", 9, "zoe", { campaign: value("Frühling") }),
  call("c", "on hold", 5, "ann", { campaign: value("summer"), result: value("SALE") }),
  call("d", "arriving", 0, null),
  call("e", "ringing", 2, "ann"),
  call("f", "ended", 3, "ann"),
];
const rows = rowsOf({
  call: by(...calls),
  supervision: by(on("1", "b", "sue"), on("2", "c", "tom", "waiting")),
  flag: by({ id: "x", call: "c" } as Flag, { id: "y", call: "c" } as Flag),
});
const ids = (some: readonly { id: string }[]) => some.map((one) => one.id).join("");

it("lists what somebody has or waits for, those who talk first, then by their start", () => {
  expect(ids(ordered(rows))).toBe("cbea");
  expect(rows.find((row) => row.id === "c")).toMatchObject({ flags: 2, on: [] });
});

it("a call that runs on keeps its place, and a new one of its kind comes after it", () => {
  const later = rowsOf({ call: by(...calls, call("0", "talking", 10, "ann")), supervision: new Map(), flag: new Map() });
  expect(ids(ordered(later))).toBe("cb0ea");
});

it("mine are calls of my agents and those that I or they listen to", () => {
  expect(ids(concerning(rows, new Set(["ann"])))).toBe("ce");
  expect(ids(concerning(rows, new Set(["sue"])))).toBe("b");
  expect(ids(concerning(rows, new Set(["tom"])))).toBe("");
});

it("every filter and every word must fit", () => {
  const fit = (some: Partial<typeof NO_FILTERS>) => ids(matching(rows, { ...NO_FILTERS, ...some }));
  expect(fit({})).toBe("abce");
  expect(fit({ search: "FRUHL zoe" })).toBe("b");
  expect(fit({ search: "7.c" })).toBe("c");
  expect(fit({ search: "5551234 ann sale" })).toBe("c");
  expect(fit({ search: "support" })).toBe("a");
  expect(fit({ state: "ringing" })).toBe("e");
  expect(fit({ campaign: "summer" })).toBe("c");
  expect(fit({ listened: true })).toBe("b");
  expect(fit({ flagged: true })).toBe("c");
  expect(fit({ flagged: true, listened: true })).toBe("");
});

it("campaigns to choose from, and the chosen one stays", () => {
  expect(campaignsOf(rows, "")).toEqual(["Frühling", "summer"]);
  expect(campaignsOf([], "gone")).toEqual(["gone"]);
});

it("a saved view comes back as it was kept, and as far as it makes sense", () => {
  const saved = (filters: Record<string, string>): View[] => [
    { id: "v", page: "live-calls", name: "", filters, shared: false, by: "", own: true },
  ];
  const all = { show: "mine", search: "ann", state: "on hold", campaign: "summer", listened: true, flagged: true } as const;
  expect(filtersOf("v", saved(keptOf(all)))).toEqual(all);
  expect(keptOf({ ...NO_FILTERS, show: "all" })).toEqual({ show: "all" });
  expect(filtersOf("v", saved({ show: "x", state: "ended", listened: "1" }))).toEqual({ ...NO_FILTERS, show: "all" });
  expect(filtersOf("mine", [])).toEqual({ ...NO_FILTERS, show: "mine" });
  expect(filtersOf("gone", [])).toBeNull();
});
