import { describe, expect, it } from "vitest";
import type { Notice } from "../wire";
import { merged, news } from "./merge";

const notice = (id: string, started: number, more: Partial<Notice> = {}): Notice => ({
  kind: "notice",
  id,
  pbx: "lab",
  agent: { id: "ann", name: "Ann", endpoint: "PJSIP/1001" },
  supervisor: null,
  type: "Monitor",
  at_least: false,
  started,
  started_exact: true,
  ended: null,
  ended_exact: true,
  ended_after: null,
  reason: null,
  told: started,
  ...more,
});
const ids = (some: Notice[]) => some.map((one) => one.id);

describe("the list and the stream as one", () => {
  it("has each once, newest first, as the stream has it", () => {
    const read = [notice("b", 20), notice("a", 10)];
    const live = [notice("b", 20, { ended: 30 }), notice("c", 25)];
    const all = merged(read, live, true);
    expect(ids(all)).toEqual(["c", "b", "a"]);
    expect(all[1]?.ended).toBe(30);
  });
  it("leaves what belongs to a later page to that page", () => {
    const read = [notice("c", 30), notice("b", 20)];
    expect(ids(merged(read, [notice("a", 10)], false))).toEqual(["c", "b"]);
    expect(ids(merged(read, [notice("a", 10)], true))).toEqual(["c", "b", "a"]);
    expect(ids(merged([], [notice("a", 10)], false))).toEqual(["a"]);
  });
  it("orders equal starts as the server does", () => {
    expect(ids(merged([notice("a", 10), notice("b", 10)], [], true))).toEqual(["b", "a"]);
  });
});

describe("what is said", () => {
  const of = (...some: Notice[]) => new Map(some.map((one) => [one.id, one]));
  it("tells a start, a stronger type and an end once each", () => {
    const begun = notice("a", 10);
    expect(ids(news(of(), [begun]).began)).toEqual(["a"]);
    expect(news(of(begun), [begun])).toEqual({ began: [], ended: [], afterwards: [] });
    const stronger = { ...begun, type: "Barge" as const };
    expect(ids(news(of(begun), [stronger]).began)).toEqual(["a"]);
    const over = { ...stronger, ended: 20 };
    expect(ids(news(of(stronger), [over]).ended)).toEqual(["a"]);
    expect(news(of(over), [over])).toEqual({ began: [], ended: [], afterwards: [] });
  });
  it("says of one that is told when it is over that it was", () => {
    expect(ids(news(of(), [notice("a", 10, { ended: 20 })]).afterwards)).toEqual(["a"]);
  });
});
