import { expect, test } from "vitest";
import type { Call, FocusShown, Value } from "../wire";
import { matches, ruleOf } from "./rule";

const value = (text: string): Value => ({ value: text }) as Value;
const call = (given: Partial<Call>): Call =>
  ({ agent: { id: "ann" }, result: null, campaign: null, list: null, ...given }) as Call;
const on = (rule: Partial<FocusShown["rule"]>, agent = "ann") =>
  ({ rule: { result: null, campaign: null, list: null, theme: null, ...rule }, agent: { id: agent, name: "" } }) as FocusShown;

test("a call matches by each label that is given, whatever its case", () => {
  expect(matches(on({ result: "refund" }), call({ result: value("REFUND") }))).toBe(true);
  expect(matches(on({ result: "refund" }), call({ result: value("SALE") }))).toBe(false);
  expect(matches(on({ result: "refund" }), call({}))).toBe(false);
  expect(matches(on({ result: "refund", campaign: "spring" }), call({ result: value("REFUND") }))).toBe(false);
  expect(
    matches(on({ result: "refund", list: "L7" }), call({ result: value("refund"), list: value("l7") })),
  ).toBe(true);
});

test("it is about one agent's calls, and a theme lights up none", () => {
  expect(matches(on({ result: "x" }, "bob"), call({ result: value("x") }))).toBe(false);
  expect(matches(on({ result: "x" }), call({ agent: null, result: value("x") }))).toBe(false);
  expect(matches(on({ theme: "tone" }), call({ result: value("x") }))).toBe(false);
});

test("what was typed is a rule only where something was", () => {
  expect(ruleOf({ result: " ", campaign: "", list: "", theme: "" })).toBeNull();
  const typed = { text: "Wait.", look: true, result: " REFUND ", campaign: "", list: "", theme: "tone" };
  expect(ruleOf(typed)).toEqual({ result: "REFUND", campaign: null, list: null, theme: "tone" });
});
