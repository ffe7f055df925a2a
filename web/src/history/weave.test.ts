import { expect, it } from "vitest";
import type { Gap } from "../wire";
import { weave } from "./weave";

const row = (started: number) => ({ id: `r${started}`, started });
const gap = (started: number): Gap => ({ pbx: "lab", started, ended: started + 1, why: "lost" });
const keys = (woven: { key: string }[]) => woven.map((one) => one.key);

it("puts each gap where it began", () => {
  const woven = weave([row(30), row(20), row(10)], [gap(35), gap(20), gap(5)], true);
  expect(keys(woven)).toEqual(["gap lab 35", "r30", "gap lab 20", "r20", "r10", "gap lab 5"]);
});

it("holds older gaps back while older rows follow", () => {
  expect(keys(weave([row(30)], [gap(35), gap(5)], false))).toEqual(["gap lab 35", "r30"]);
});

it("shows gaps alone, and nothing of nothing", () => {
  expect(keys(weave([], [gap(5)], true))).toEqual(["gap lab 5"]);
  expect(weave([], [], true)).toEqual([]);
});
