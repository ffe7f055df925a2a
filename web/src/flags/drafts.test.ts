import { describe, expect, it } from "vitest";
import { type Draft, DRAFTS_MOST, hasWords, offsetOf, readDrafts, writeDrafts } from "./drafts";

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

function storage() {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
}

describe("drafts", () => {
  it("are kept for each person", () => {
    const box = storage();
    writeDrafts(box, "sue", [draft(1)]);
    expect(readDrafts(box, "sue")).toEqual([draft(1)]);
    expect(readDrafts(box, "bob")).toEqual([]);
  });

  it("are bounded, and the oldest go", () => {
    const box = storage();
    writeDrafts(box, "sue", Array.from({ length: DRAFTS_MOST + 3 }, (_, n) => draft(n)));
    expect(readDrafts(box, "sue")[0]?.id).toBe("3");
  });

  it("that are spoilt are left out", () => {
    const box = storage();
    box.kept.set("monitord.flags.sue", JSON.stringify([draft(1), { ...draft(2), themes: "x" }, 7, null]));
    expect(readDrafts(box, "sue")).toEqual([draft(1)]);
    box.kept.set("monitord.flags.sue", "{");
    expect(readDrafts(box, "sue")).toEqual([]);
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
