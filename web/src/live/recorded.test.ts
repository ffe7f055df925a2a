/**
 * The daemon's own frames (web/record_frames.py), applied by the page's own code. A page that was
 * there, one that comes anew and one that comes back must all hold the same.
 */
import { describe, expect, it } from "vitest";
import type { Delta } from "../wire";
import { apply, emptyStore, type Store } from "./store";

interface Recorded {
  trace: string;
  frames: Delta[];
  /** Of a client that comes anew; the first before all frames, the last behind them. */
  snapshots: Delta[];
}

const files = import.meta.glob<Recorded>("./recorded/*.json", { eager: true, import: "default" });
const all = Object.values(files);

function fresh(snapshot: Delta): Store {
  const store = emptyStore();
  expect(apply(store, snapshot)).toBe("applied");
  return store;
}

/** Every frame up to a place, from the first snapshot on. */
function followed({ frames, snapshots }: Recorded, until: number): Store {
  const store = fresh(snapshots[0] as Delta);
  for (const frame of frames) if (frame.seq <= until) expect(apply(store, frame)).toBe("applied");
  return store;
}

it("there are recordings, and something happens in each", () => {
  expect(all.length).toBeGreaterThanOrEqual(5);
  for (const { frames, snapshots } of all) {
    expect(snapshots.length).toBeGreaterThan(3);
    expect(snapshots.every((s) => s.reset)).toBe(true);
    expect(frames.some((f) => f.reset)).toBe(false);
    const adds = frames.flatMap((f) => f.add ?? []).map((e) => e.kind);
    expect(new Set(adds)).toEqual(new Set(["pbx", "agent", "call", "supervision"]));
    expect(frames.some((f) => f.change?.some((c) => c.kind === "supervision"))).toBe(true);
    expect(frames.some((f) => f.remove?.some((r) => r.kind === "supervision"))).toBe(true);
  }
});

describe.each(all)("$trace", (recorded) => {
  const { frames, snapshots } = recorded;
  const last = snapshots.at(-1) as Delta;

  it.each(snapshots.map((s) => [s.seq, s] as const))(
    "who was there from the start holds at %i what one gets who comes anew",
    (seq, snapshot) => {
      expect(followed(recorded, seq)).toEqual(fresh(snapshot));
    },
  );

  it.each(snapshots.map((s) => [s.seq, s] as const))(
    "who came at %i, or comes back to there, holds the same in the end",
    (seq, snapshot) => {
      for (const store of [fresh(snapshot), followed(recorded, seq)]) {
        for (const frame of frames) {
          // what it has already comes again and must do nothing
          expect(apply(store, frame)).toBe(frame.seq <= seq ? "repeated" : "applied");
        }
        expect(store).toEqual(fresh(last));
      }
    },
  );

  it("a frame that is left out is noticed, wherever it is", () => {
    for (const missing of frames.slice(0, -1)) {
      const store = followed(recorded, missing.seq - 1);
      const next = frames.find((f) => f.seq === missing.seq + 1) as Delta;
      expect(apply(store, next)).toBe("gap");
    }
  });
});
