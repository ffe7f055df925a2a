import { expect, it } from "vitest";
import { columns } from "./weeks";

it("draws each week against the fullest one, and nothing of a week without flags", () => {
  const drawn = columns([{ scored: 10, after: 4 }, { scored: 0, after: 0 }, { scored: 5, after: 5 }]);
  expect(drawn.map(({ before, after }) => [before, after])).toEqual([[0.6, 0.4], [0, 0], [0, 0.5]]);
  for (const [n, one] of drawn.entries()) {
    expect(one.x).toBeGreaterThan(n / 3);
    expect(one.x + one.width).toBeLessThan((n + 1) / 3);
  }
  expect(columns([])).toEqual([]);
});
