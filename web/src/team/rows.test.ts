import { expect, it } from "vitest";
import { emptyStore, apply } from "../live/store";
import type { Agent, Supervision, TeamAgent, TeamView } from "../wire";
import { matching, members, rows, type Order } from "./rows";

const agent = (id: string, team: string | null, more: Partial<TeamAgent> = {}): TeamAgent => ({
  id, name: id.toUpperCase(), team, calls: 0, supervised_ms: 0, last: null, ...more,
});
const by = { id: "sue", name: "Sue", endpoint: "PJSIP/2001" };
const heard = (started: number) => ({ by, type: "Monitor" as const, at_least: false, started, ended: started + 1 });
const view: TeamView = {
  at: 1000,
  begin: 0,
  teams: [{ id: "t1", name: "Sales" }, { id: "t2", name: "Care" }],
  agents: [
    agent("ann", "t1", { calls: 2, last: heard(500) }),
    agent("bob", "t1", { calls: 3, supervised_ms: 9, last: heard(100) }),
    agent("cat", "t2"),
    agent("dän", null),
  ],
};
const status = (id: string, person: string, what: Agent["status"]): Agent => ({
  kind: "agent", id, pbx: "p", party: { id: person, name: person, endpoint: id }, status: what,
  reason: "", since: 1, since_exact: true, provenance: "observed",
});
const store = emptyStore();
apply(store, {
  type: "delta", epoch: "e", seq: 1, at: 1, reset: true,
  add: [
    status("p/1", "ann", "not logged in"),
    status("q/1", "ann", "in call"),
    { kind: "supervision", id: "s", agent: { id: "bob", name: "", endpoint: "" }, state: "active" } as Supervision,
  ],
});
const all = members(view, store);
const names = (order: Order) => rows(all, view.teams, order).map((row) => (row.group === null ? row.member.id : row.name));

it("stands under its team, those without one last", () => {
  expect(names("name")).toEqual(["Care", "cat", "Sales", "ann", "bob", "In no team", "dän"]);
  expect(rows(all.slice(0, 2), view.teams, "name").every((row) => row.group === null)).toBe(true);
});

it("is in the order that was chosen", () => {
  expect(names("calls").slice(3, 5)).toEqual(["bob", "ann"]);
  expect(names("supervised").slice(3, 5)).toEqual(["bob", "ann"]);
  // bob is heard at this moment, so he has waited least
  expect(names("heard").slice(3, 5)).toEqual(["ann", "bob"]);
});

it("shows somebody where they are logged in", () => {
  expect(all[0]?.now?.status).toBe("in call");
  expect(all[2]?.now).toBeNull();
});

it("is found by name, team and status, without accents", () => {
  const found = (text: string) => matching(all, view.teams, text).map((one) => one.id);
  expect(found("dan")).toEqual(["dän"]);
  expect(found("sales call")).toEqual(["ann"]);
  expect(found("nobody")).toEqual([]);
  expect(found(" ")).toHaveLength(4);
});
