import { describe, expect, it } from "vitest";
import { inSight, layout, rowAt } from "./virtual";

const keys = (n: number) => Array.from({ length: n }, (_, i) => `r${i}`);

describe("layout", () => {
  it("takes the estimate until a row was drawn", () => {
    const tops = layout(keys(4), new Map([["r1", 100]]), 40);
    expect([...tops]).toEqual([0, 40, 140, 180, 220]);
  });

  it.each([
    [-5, 0],
    [0, 0],
    [39, 0],
    [40, 1],
    [139, 1],
    [140, 2],
    [9999, 3],
  ])("finds the row at %d px", (y, row) => {
    expect(rowAt(layout(keys(4), new Map([["r1", 100]]), 40), y)).toBe(row);
  });
});

describe("what is drawn", () => {
  const tops = layout(keys(10_000), new Map(), 40);

  it("is little of a long list, and the space adds up", () => {
    const { slots, after } = inSight(tops, 200_000, 800, 400);
    expect(slots.length).toBeLessThan(50);
    expect(slots[0]).toEqual({ index: 4990, before: 4990 * 40 });
    expect(slots.slice(1).every((slot) => slot.before === 0)).toBe(true);
    const space = slots.reduce((sum, slot) => sum + slot.before, 0);
    expect(space + slots.length * 40 + after).toBe(400_000);
  });

  it("reaches both ends", () => {
    expect(inSight(tops, 0, 800, 400).slots[0]).toEqual({ index: 0, before: 0 });
    const end = inSight(tops, 399_200, 800, 400);
    expect(end.slots.at(-1)?.index).toBe(9999);
    expect(end.after).toBe(0);
  });

  it.each([3, 9000])("keeps the row with the focus, number %d", (keep) => {
    const { slots, after } = inSight(tops, 200_000, 800, 400, keep);
    expect(slots.map((slot) => slot.index)).toContain(keep);
    const space = slots.reduce((sum, slot) => sum + slot.before, 0);
    expect(space + slots.length * 40 + after).toBe(400_000);
  });

  it("of nothing is nothing, and a row that is gone is not kept", () => {
    expect(inSight(layout([], new Map(), 40), 0, 800, 400)).toEqual({ slots: [], after: 0 });
    expect(inSight(layout(keys(2), new Map(), 40), 0, 800, 400, 7).slots).toHaveLength(2);
  });
});
