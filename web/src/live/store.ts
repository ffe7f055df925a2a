/**
 * What the page knows, and how a frame changes it. No clock, no network, no framework: the same
 * recorded frames drive this in tests and in the browser (there the maps are SvelteMaps, because
 * `$state` does not track a plain Map).
 */
import type { Agent, Call, Delta, Entity, Kind, Pbx, Supervision } from "../wire";

export interface Store {
  /** Place in the stream; null before the first frame. */
  place: { epoch: string; seq: number } | null;
  pbx: Map<string, Pbx>;
  agent: Map<string, Agent>;
  call: Map<string, Call>;
  supervision: Map<string, Supervision>;
}

export type Applied =
  /** Taken. */
  | "applied"
  /** Seen before: nothing to do. */
  | "repeated"
  /** Something between is missing: the state cannot be trusted, start over without a place. */
  | "gap";

export function emptyStore(): Store {
  return {
    place: null,
    pbx: new Map(),
    agent: new Map(),
    call: new Map(),
    supervision: new Map(),
  };
}

/** A newer server may send kinds that this page does not know: they are none of its business. */
function mapOf(store: Store, kind: Kind): Map<string, Entity> | undefined {
  switch (kind) {
    case "pbx":
    case "agent":
    case "call":
    case "supervision":
      return store[kind] as Map<string, Entity>;
    default:
      return undefined;
  }
}

export function apply(store: Store, delta: Delta): Applied {
  if (delta.reset) {
    for (const map of [store.pbx, store.agent, store.call, store.supervision]) map.clear();
  } else {
    if (store.place === null || store.place.epoch !== delta.epoch) return "gap";
    if (delta.seq <= store.place.seq) return "repeated";
    // frames of which this person may see nothing are not sent, so `seq` does not grow by one
    if ((delta.after ?? 0) > store.place.seq) return "gap";
  }

  for (const entity of delta.add ?? []) mapOf(store, entity.kind)?.set(entity.id, entity);
  for (const patch of delta.change ?? []) {
    const map = mapOf(store, patch.kind);
    const old = map?.get(patch.id);
    // replaced, never mutated: who holds the old one keeps a consistent one
    if (map && old) map.set(patch.id, { ...old, ...patch.set } as Entity);
  }
  for (const ref of delta.remove ?? []) mapOf(store, ref.kind)?.delete(ref.id);

  store.place = { epoch: delta.epoch, seq: delta.seq };
  return "applied";
}
