import { expect, it } from "vitest";
import type { CallDetail, Recording } from "../wire";
import { BEFORE_MS, beginning, holding, marksOf, peaksOf } from "./marks";

const recording = (n: number, started: number, ended: number | null, hindrance: Recording["hindrance"] = null): Recording => ({
  n,
  started,
  ended,
  hindrance,
});
const flag = (id: string, moment: number | null, polarity = "good") => ({ id, moment, polarity, comment: "Said her name" });
const detail = {
  call: { id: "c", started: 100_000, ended: 200_000 },
  supervisions: [
    {
      id: "s",
      supervisor: { id: "sue", name: "Sue", endpoint: "PJSIP/2001" },
      segments: [
        { n: 1, type: "Monitor", started: 101_000, ended: 115_000 },
        { n: 2, type: "Coach", started: 150_000, ended: null },
        { n: 3, type: "Barge", started: 100_000, ended: 105_000 },
      ],
    },
  ],
  flags: [flag("late", 140_000, "bad"), flag("before", 105_000), flag("none", null), flag("on", 120_000)],
} as unknown as CallDetail;

it("marks what falls into the recording, from its own start", () => {
  const marks = marksOf(detail, recording(1, 110_000, 160_000));
  expect(marks.map((one) => [one.key, one.kind, one.at])).toEqual([
    ["s-1", "Monitor", 0], // had begun before the recording
    ["on", "good", 10_000],
    ["late", "bad", 30_000],
    ["s-2", "Coach", 40_000],
  ]);
});

it("begins a little before the moment, and nowhere where the recording did not run", () => {
  const one = recording(1, 110_000, 160_000);
  expect(beginning(one, 140_000, 200_000)).toBe(30_000 - BEFORE_MS);
  expect(beginning(one, 111_000, 200_000)).toBe(0);
  expect(beginning(one, 109_999, 200_000)).toBeNull();
  expect(beginning(one, 160_001, 200_000)).toBeNull();
  expect(beginning(recording(1, 110_000, null), 200_001, 200_000)).toBeNull();
});

it("takes the recording that can be played", () => {
  const all = [recording(1, 110_000, 160_000, "no file"), recording(2, 120_000, 160_000), recording(3, 170_000, null)];
  expect(holding(all, 130_000, null)?.n).toBe(2);
  expect(holding(all, 115_000, null)?.n).toBe(1);
  expect(holding(all, 165_000, null)).toBeNull();
});

it("draws the loudest of each piece", () => {
  expect(peaksOf(Float32Array.from([0, 0.5, -1, 0, 0, 0.25]), 3)).toEqual([0.5, 1, 0.25]);
  expect(peaksOf(new Float32Array(0), 2)).toEqual([0, 0]);
});
