import { expect, it } from "vitest";
import type { User } from "../live/queries";
import type { SpyType, Supervision } from "../wire";
import { held, matching, ordered } from "./users-order";

function user(name: string, agent: string, type: SpyType, started: number, state = "active"): User {
  const supervisor = { id: name, name, endpoint: "PJSIP/2001" };
  const party = { id: agent, name: agent, endpoint: "PJSIP/1001" };
  const one = { supervisor, agent: party, type, started, state } as Supervision;
  return { id: name, name, supervisions: [one] };
}

const users = [
  user("Zoé", "Ben", "Monitor", 10),
  user("Anna", "Cleo", "Barge-Kick", 30),
  user("Marc", "Dev", "Coach", 20, "waiting"),
];
const names = (shown: User[]) => shown.map((one) => one.name);

it.each([
  ["name", ["Anna", "Marc", "Zoé"]],
  ["longest", ["Zoé", "Marc", "Anna"]],
  ["newest", ["Anna", "Marc", "Zoé"]],
  ["type", ["Anna", "Marc", "Zoé"]],
] as const)("orders by %s", (by, wanted) => expect(names(ordered(users, by))).toEqual(wanted));

it.each([
  ["", 3],
  ["zoe", 1],
  ["CLEO", 1],
  ["kick", 1],
  ["waiting", 1],
  ["1001 coach", 1],
  ["anna ben", 0],
])("finds by %j", (text, n) => expect(matching(users, text).length).toBe(n));

it("holds the order, drops who is gone, puts who is new last", () => {
  const now = ordered([...users.slice(1), user("Bea", "Ben", "Monitor", 40)], "name");
  expect(names(held(["Zoé", "Marc", "Anna"], now))).toEqual(["Marc", "Anna", "Bea"]);
});
