import { expect, it } from "vitest";
import type { Delta, Supervision } from "../wire";
import { comings, sentences } from "./announce";

const supervision = (id: string) =>
  ({
    kind: "supervision",
    id,
    state: "active",
    type: "Coach",
    supervisor: { id: "anna", name: "Anna", endpoint: "" },
    agent: { id: "ben", name: "Ben", endpoint: "" },
  }) as Supervision;
const delta = (over: Partial<Delta>): Delta => ({ type: "delta", epoch: "e", seq: 1, at: 0, ...over });
const said = (frame: Delta, before: Supervision[] = []) =>
  sentences(comings(frame, new Map(before.map((s) => [s.id, s]))), String);

it("says who started and who ended", () => {
  expect(said(delta({ add: [supervision("a")] }))).toEqual(["Anna: Coaching Ben"]);
  expect(said(delta({ remove: [{ kind: "supervision", id: "a" }] }), [supervision("a")])).toEqual([
    "Anna is no longer on Ben",
  ]);
});

it("says an end once, whether it is first changed or only removed", () => {
  const both = delta({
    change: [{ kind: "supervision", id: "a", set: { state: "ended" } }],
    remove: [{ kind: "supervision", id: "a" }],
  });
  expect(said(both, [supervision("a")])).toHaveLength(1);
  expect(said(both, [{ ...supervision("a"), state: "ended" }])).toEqual([]);
});

it("says nothing of a whole new picture, and only a number where many move", () => {
  const many = ["a", "b", "c", "d"].map(supervision);
  expect(said(delta({ reset: true, add: many }))).toEqual([]);
  expect(said(delta({ add: many }))).toEqual(["4 supervisions started"]);
});
