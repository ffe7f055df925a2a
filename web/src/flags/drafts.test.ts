import { describe, expect, it } from "vitest";
import { type Draft, draftsOf, hasWords, offsetOf } from "./drafts";

const draft = (n: number): Draft => ({
  id: String(n),
  call: "c",
  callId: "1.1",
  agent: "Ann",
  started: 1,
  startedExact: true,
  ended: null,
  moment: 5,
  polarity: null,
  comment: "",
  wanted: "",
  themes: [],
  begun: n,
});

describe("drafts", () => {
  it("that are spoilt are left out", () => {
    expect(draftsOf([draft(1), { ...draft(2), themes: "x" }, 7, null])).toEqual([draft(1)]);
    for (const spoilt of [undefined, null, "{", { 0: draft(1) }]) expect(draftsOf(spoilt)).toEqual([]);
  });

  it("without a word are not worth a question", () => {
    expect(hasWords(draft(1))).toBe(false);
    expect(hasWords({ ...draft(1), comment: " x" })).toBe(true);
    expect(hasWords({ ...draft(1), polarity: "bad" })).toBe(true);
  });
});

it("reads a moment as people write it", () => {
  expect(offsetOf("2:10")).toBe(130_000);
  expect(offsetOf(" 75:00 ")).toBe(4_500_000);
  expect(offsetOf("1:02:10")).toBe(3_730_000);
  for (const wrong of ["", "210", "2:1", "2:60", "1:75:00", "-1:00", "x"]) expect(offsetOf(wrong)).toBeNull();
});
