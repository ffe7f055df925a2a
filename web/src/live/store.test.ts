import { describe, expect, it } from "vitest";
import type { Delta, Entity, Pbx, Supervision } from "../wire";
import { agentOf, othersOn, supervisingUsers } from "./queries";
import { apply, emptyStore } from "./store";

const pbx: Pbx = { kind: "pbx", id: "p", name: "P", link: "live", since: 1, detail: "", version: "22" };

function supervision(id: string, over: Partial<Supervision> = {}): Supervision {
  return {
    kind: "supervision",
    id,
    pbx: "p",
    state: "active",
    supervisor: { id: "anna", name: "Anna", endpoint: "PJSIP/9" },
    agent: { id: "ben", name: "Ben", endpoint: "PJSIP/1" },
    agent_provenance: "observed",
    call: null,
    type: "Monitor",
    at_least: false,
    type_provenance: "observed",
    means: "dialplan",
    started: 1000,
    started_exact: true,
    since: 1000,
    disconnect_by: null,
    ...over,
  };
}

const delta = (seq: number, over: Partial<Delta> = {}): Delta => ({
  type: "delta",
  epoch: "e",
  seq,
  at: 0,
  ...over,
});

function started(add: Entity[] = []) {
  const store = emptyStore();
  apply(store, delta(7, { reset: true, add }));
  return store;
}

describe("apply", () => {
  it("takes a reset as the whole state, whatever was there", () => {
    const store = started([pbx, supervision("a")]);
    expect(apply(store, delta(3, { epoch: "f", reset: true, add: [supervision("b")] }))).toBe("applied");
    expect([...store.supervision.keys()]).toEqual(["b"]);
    expect(store.pbx.size).toBe(0);
    expect(store.place).toEqual({ epoch: "f", seq: 3 });
  });

  it("adds, changes and removes", () => {
    const store = started([supervision("a")]);
    const before = store.supervision.get("a");
    apply(store, delta(8, { add: [supervision("b")], change: [{ kind: "supervision", id: "a", set: { type: "Coach" } }] }));
    expect(store.supervision.get("a")).toEqual(supervision("a", { type: "Coach" }));
    expect(before?.type).toBe("Monitor");
    apply(store, delta(9, { remove: [{ kind: "supervision", id: "a" }] }));
    expect([...store.supervision.keys()]).toEqual(["b"]);
  });

  it("keeps a null that a change sets", () => {
    const store = started([supervision("a", { call: "c" })]);
    apply(store, delta(8, { change: [{ kind: "supervision", id: "a", set: { call: null } }] }));
    expect(store.supervision.get("a")?.call).toBeNull();
  });

  it("ignores kinds and ids that it does not know, and goes on", () => {
    const store = started();
    const unknown = { kind: "weather", id: "w" } as unknown as Entity;
    const patch = { kind: "weather", id: "w", set: {} } as unknown as NonNullable<Delta["change"]>[number];
    const ref = { kind: "weather", id: "w" } as unknown as NonNullable<Delta["remove"]>[number];
    const change = [patch, { kind: "supervision" as const, id: "nobody", set: { type: "Barge" } }];
    expect(apply(store, delta(8, { add: [unknown], change, remove: [ref] }))).toBe("applied");
    expect(store.supervision.size).toBe(0);
    expect(store.place?.seq).toBe(8);
  });

  it.each([
    ["nothing came before", null, delta(1)],
    ["a frame is missing", 7, delta(9, { after: 8 })],
    ["it is of another run", 7, delta(8, { epoch: "other" })],
  ])("says gap and changes nothing where %s", (_, place, frame) => {
    const store = emptyStore();
    if (place !== null) apply(store, delta(place, { reset: true, add: [supervision("a")] }));
    const size = store.supervision.size;
    expect(apply(store, { ...frame, remove: [{ kind: "supervision", id: "a" }] })).toBe("gap");
    expect(store.supervision.size).toBe(size);
  });

  it("changes nothing when a frame comes twice", () => {
    const store = started([supervision("a")]);
    const frame = delta(8, { change: [{ kind: "supervision", id: "a", set: { type: "Coach" } }] });
    expect(apply(store, frame)).toBe("applied");
    apply(store, delta(9, { change: [{ kind: "supervision", id: "a", set: { type: "Barge" } }] }));
    expect(apply(store, frame)).toBe("repeated");
    expect(store.supervision.get("a")?.type).toBe("Barge");
  });

  it("state and deltas are the same as a fresh snapshot", () => {
    const store = started([pbx]);
    apply(store, delta(8, { add: [supervision("a"), supervision("b")] }));
    apply(store, delta(9, { change: [{ kind: "supervision", id: "b", set: { state: "waiting" } }] }));
    apply(store, delta(10, { remove: [{ kind: "supervision", id: "a" }] }));
    const fresh = emptyStore();
    apply(fresh, delta(10, { reset: true, add: [pbx, supervision("b", { state: "waiting" })] }));
    expect(store).toEqual(fresh);
  });
});

describe("queries", () => {
  it("lists a person with several supervisions once, and nobody who has ended", () => {
    const zoe = { id: "zoe", name: "Zoe", endpoint: "PJSIP/8" };
    const store = started([
      supervision("z", { supervisor: zoe }),
      supervision("late", { started: 2000 }),
      supervision("early", { started: 500 }),
      supervision("gone", { state: "ended", supervisor: { ...zoe, id: "kim" } }),
    ]);
    expect(supervisingUsers(store).map((u) => [u.name, u.supervisions.map((s) => s.id)])).toEqual([
      ["Zoe", ["z"]],
      ["Anna", ["early", "late"]],
    ]);
  });

  it("finds others on the same agent, but not on an agent that nobody knows", () => {
    const a = supervision("a");
    const lost = supervision("lost", { agent: null });
    const store = started([a, supervision("b"), supervision("c", { agent: null }), lost]);
    expect(othersOn(store, a).map((s) => s.id)).toEqual(["b"]);
    expect(othersOn(store, lost)).toEqual([]);
  });

  it("follows a supervision to another agent, and forgets one that is gone", () => {
    const cleo = { id: "cleo", name: "Cleo", endpoint: "PJSIP/2" };
    const store = started([supervision("a"), supervision("b"), supervision("c", { agent: cleo })]);
    apply(store, delta(8, { change: [{ kind: "supervision", id: "b", set: { agent: cleo } }] }));
    const on = (id: string) => othersOn(store, store.supervision.get(id)!).map((s) => s.id);
    expect([on("a"), on("b"), on("c")]).toEqual([[], ["c"], ["b"]]);
    apply(store, delta(9, { remove: [{ kind: "supervision", id: "c" }] }));
    expect(on("b")).toEqual([]);
    apply(store, delta(9, { reset: true }));
    expect([store.supervisionsOn.size, store.agentsOf.size]).toEqual([0, 0]);
  });

  it("prefers the status of the PBX that the supervision runs on", () => {
    const party = { id: "ben", name: "Ben", endpoint: "PJSIP/1" };
    const status = (id: string, on: string): Entity => ({
      kind: "agent", id, pbx: on, party, status: "in call", reason: "", since: 0, since_exact: true, provenance: "observed",
    });
    const store = started([status("1", "q"), status("2", "p")]);
    expect(agentOf(store, "ben", "p")?.id).toBe("2");
    expect(agentOf(store, "ben", "elsewhere")?.id).toBe("1");
    expect(agentOf(store, "nobody", "p")).toBeUndefined();
  });
});
