import { describe, expect, it } from "vitest";
import type { AuditRow } from "../wire";
import { differences, flat } from "./fields";
import { sentence } from "./sentence";
import { parameters, read, write } from "./view";

const SUE = { id: "sue", name: "Sue Supervisor", pseudonym: "p1" };
const row = (over: Partial<AuditRow>): AuditRow => ({
  n: 7,
  at: 1_795_345_200_000,
  kind: null,
  action: "sign in",
  actor: SUE,
  target: "",
  about: null,
  detail: {},
  erased: [],
  hash: "",
  outcome: null,
  versions: 1,
  parts: [],
  ...over,
});
const seen = {
  type: "Monitor",
  supervisor_name: "Sue Supervisor",
  agent_id: "ann",
  agent_name: "Ann Agent",
  started: 1_795_345_200_000,
  ended: 1_795_345_440_000,
  length_ms: 240_000,
  means: "dialplan",
  campaign: "Spring",
  end_reason: "disconnected",
  ended_by_name: "Tom Trainer",
};
const supervision = (over: object, more: Partial<AuditRow> = {}) =>
  sentence(row({ action: "observe supervision", detail: { row: { ...seen, ...over } }, ...more }));

describe("a row as a person reads it", () => {
  it("says that one call was looked at", () => {
    const said = sentence(row({ action: "view history", target: `call ${"f".repeat(20)}`, detail: { filters: {} } }));
    expect(said.text).toMatch(/a call\b/);
    expect(said.text).not.toContain("fff");
  });

  it("says who listened to whom, how long, by what means, on whose call and how it ended", () => {
    const said = supervision({}, { parts: [{ number: "5551" }, { number: "5551" }, { number: null }] });
    expect(said.text).toBe("Sue Supervisor listened to Ann Agent");
    expect(said.facts.slice(1)).toEqual([
      "by feature code or dialplan",
      "call of 5551",
      "campaign Spring",
      "ended by Tom Trainer: disconnected",
    ]);
    expect(said.facts[0]).toContain("(4:00)");
  });

  it("says that one goes on", () => {
    const said = supervision({ ended: null, length_ms: null, end_reason: null, ended_by_name: null, type: "Coach" });
    expect(said.text).toBe("Sue Supervisor is coaching Ann Agent");
    expect(said.facts[0]).toMatch(/^since /);
  });

  it("tells somebody erased from somebody who was never known", () => {
    const { agent_id: _id, agent_name: _name, ...without } = seen;
    const erased = sentence(row({ action: "observe supervision", detail: { row: without }, erased: ["p2"] }));
    expect(erased.text).toContain("listened to Somebody erased");
    expect(supervision({ agent_id: null, agent_name: null }).text).toContain("an agent who is not known");
    expect(sentence(row({ actor: { id: null, name: null, pseudonym: "p1" } })).text).toBe("Somebody erased signed in");
  });

  it.each([
    [{ state: "known", outcome: "confirmed", why: "", n: 8, at: 1 }, "confirmed", undefined],
    [{ state: "known", outcome: "refused", why: "No.", n: 8, at: 1 }, "refused: No.", "bad"],
    [{ state: "unknown", outcome: "", why: "", n: null, at: null }, "sent, outcome unknown", "bad"],
    [{ state: "under way", outcome: "", why: "", n: null, at: null }, "under way", undefined],
  ] as const)("has an act's outcome beside it: %j", (outcome, expected, mark) => {
    const said = sentence(
      row({ action: "disconnect", outcome, detail: { supervisor: { id: "tom", name: "Tom" }, agent: { name: "Ann" } } }),
    );
    expect(said.text).toBe("Sue Supervisor asked to disconnect Tom from Ann");
    expect(said.facts).toEqual([expected]);
    expect(said.mark).toBe(mark);
  });

  it("shows an act that it does not know by its own name", () => {
    expect(sentence(row({ action: "fold paper" })).text).toBe("Sue Supervisor: fold paper");
  });
});

it("shows each value by its name, and what changed", () => {
  expect(flat({ a: { b: 1, c: null }, d: [1] })).toEqual([["a.b", "1"], ["a.c", "–"], ["d", "[1]"]]);
  expect(differences({ row: { x: 1, y: 2 } }, { row: { x: 1, y: 3, z: 4 } })).toEqual(["y", "z"]);
});

describe("the address is the view", () => {
  it.each(["", "kind=command&actor=sue&supervision=abc&range=today", "number=%2B44+20&row=12"])("%s", (query) =>
    expect(write(read(new URLSearchParams(query)))).toBe(query),
  );
  it.each(["kind=nothing", "row=x", "row=0", `supervision=${"x".repeat(101)}`])("leaves out %s", (query) =>
    expect(write(read(new URLSearchParams(query)))).toBe(""),
  );
  it("asks the API for the same", () => {
    const view = read(new URLSearchParams("kind=export&actor=sue&row=3&from=2026-11-22T09:00:00Z"));
    expect(parameters(view, 0).toString()).toBe(`kind=export&actor=sue&begin=${Date.parse("2026-11-22T09:00:00Z")}`);
  });
});
