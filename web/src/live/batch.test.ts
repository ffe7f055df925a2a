import { expect, it } from "vitest";
import { Batch } from "./batch";

function planned() {
  const runs: (() => void)[] = [];
  let calledOff = 0;
  const plan = (run: () => void) => {
    runs.push(run);
    return () => (calledOff += 1);
  };
  return { runs, plan, calledOff: () => calledOff };
}

it("hands on in one piece, in order, what came between two pictures", () => {
  const taken: number[][] = [];
  const { runs, plan } = planned();
  const batch = new Batch<number>((items) => taken.push(items), plan);
  [1, 2, 3].forEach((n) => batch.add(n));
  expect(taken).toEqual([]);
  expect(runs.length).toBe(1);
  runs[0]!();
  expect(taken).toEqual([[1, 2, 3]]);
  batch.add(4);
  runs[1]!();
  expect(taken).toEqual([[1, 2, 3], [4]]);
});

it("flushes at once, and only once", () => {
  const taken: number[][] = [];
  const { plan, calledOff } = planned();
  const batch = new Batch<number>((items) => taken.push(items), plan);
  batch.flush();
  batch.add(1);
  batch.flush();
  batch.flush();
  expect(taken).toEqual([[1]]);
  expect(calledOff()).toBe(1);
});
