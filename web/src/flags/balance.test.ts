import { expect, it } from "vitest";
import type { FlagAdvice, FlagCount, FlagsOn } from "../wire";
import { along, bars, labelled, ordered, percent, rateOf, shareOf, topOf } from "./balance";

const count = (good: number, bad: number, calls: number | null = null): FlagCount => ({ good, bad, calls });
const one = (name: string, weeks: FlagCount[], ...advice: FlagAdvice[]): FlagsOn => ({
  who: { id: name, name }, left: false, weeks, total: count(0, 0), advice, good_missing: 0,
});

it("has no share of nothing, and no rate without calls", () => {
  expect(shareOf(count(0, 0))).toBeNull();
  expect(shareOf(count(7, 3))).toBe(0.7);
  expect(rateOf(count(3, 3, 0))).toBeNull();
  expect(rateOf(count(3, 3))).toBeNull();
  expect(rateOf(count(3, 3, 12))).toBe(0.5);
});

it("never reads as more than it is", () => {
  expect(percent(0.699, "en")).toBe("69%");
  expect(percent(0.7, "en")).toBe("70%");
  expect(percent(1, "en")).toBe("100%");
  expect(percent(0, "en")).toBe("0%");
  expect(percent(0.0049, "en")).toBe("0.4%");
  for (let n = 0; n <= 100; n++) expect(percent(n / 100, "en")).toBe(`${n}%`);
});

it("draws all bands to one scale that a single outlier does not flatten", () => {
  expect(topOf([], 15)).toBe(20);
  expect(topOf([one("a", [count(90, 0), count(2, 1), count(3, 1)])], 15)).toBe(20); // long ago
  expect(topOf([one("a", [count(20, 4), count(0, 0)])], 15)).toBe(24);
  expect(topOf([one("a", [count(400, 0)])], 15)).toBe(30);
  expect([along(0, 20), along(5, 20), along(90, 20)]).toEqual([0, 0.25, 1]);
});

it("fills each week's place with its flags, and leaves one without any empty", () => {
  const drawn = bars([count(3, 1), count(0, 0), count(0, 2)]);
  expect(drawn.map(({ good, bad }) => [good, bad])).toEqual([[0.75, 0.25], [0, 0], [0, 1]]);
  for (const [n, bar] of drawn.entries()) {
    expect(bar.x).toBeGreaterThan(n / 3);
    expect(bar.x + bar.width).toBeLessThan((n + 1) / 3);
  }
  expect(bars([])).toEqual([]);
});

it("names the last week and as many others as there is room for", () => {
  expect(labelled(4, 6)).toEqual([0, 1, 2, 3]);
  expect(labelled(8, 6)).toEqual([1, 3, 5, 7]);
  for (const n of [1, 4, 8, 13, 26]) {
    expect(labelled(n, 6).length).toBeLessThanOrEqual(6);
    expect(labelled(n, 6).at(-1)).toBe(n - 1);
  }
});

it("puts those with advice first, each group by name", () => {
  const some = [
    one("ann", [], "within the band"), one("bob", [], "problem only"), one("cat", []),
    one("dan", [], "within the band", "most calls"),
  ];
  const names = (order: "name" | "advice") => ordered(some, order).map(({ who }) => who.name);
  expect(names("name")).toEqual(["ann", "bob", "cat", "dan"]);
  expect(names("advice")).toEqual(["bob", "dan", "ann", "cat"]);
});
