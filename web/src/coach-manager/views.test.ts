import { expect, it, vi } from "vitest";
import type { Supervision, View } from "../wire";

// the live state needs a page around it, which these rules do not
vi.mock("../live/live.svelte", () => ({ live: { watchers: new Set() } }));
vi.mock("../lib/prefs.svelte", () => ({ ORDERS: ["name", "longest", "newest", "type"], prefs: {}, keep: () => {} }));
const { concerning, filtersOf } = await import("./views.svelte");

const on = (id: string, supervisor: string, agent: string | null) =>
  ({ id, supervisor: { id: supervisor }, agent: agent === null ? null : { id: agent } }) as Supervision;
const users = [
  { id: "sue", name: "Sue", supervisions: [on("1", "sue", "zoe")] },
  { id: "tom", name: "Tom", supervisions: [on("2", "tom", "ann"), on("3", "tom", "zoe")] },
  { id: "lee", name: "Lee", supervisions: [on("4", "lee", null)] },
];

it("mine is what I carry out and what is on those of mine, and no more", () => {
  const mine = concerning(users, new Set(["sue", "ann"]));
  expect(mine.map((user) => [user.id, user.supervisions.map((one) => one.id)])).toEqual([
    ["sue", ["1"]],
    ["tom", ["2"]],
  ]);
  expect(concerning(users, new Set())).toEqual([]);
});

it("a saved view is read as far as it makes sense", () => {
  const saved = (filters: Record<string, string>): View[] => [
    { id: "v", page: "coach-manager", name: "", filters, shared: false, by: "", own: true },
  ];
  expect(filtersOf("mine", [])).toEqual({ show: "mine", search: "", order: null });
  expect(filtersOf("v", saved({ show: "mine", search: "ann", order: "type" }))).toEqual({
    show: "mine", search: "ann", order: "type",
  });
  expect(filtersOf("v", saved({ show: "x", order: "x" }))).toEqual({ show: "all", search: "", order: null });
  expect(filtersOf("gone", [])).toBeNull();
});
