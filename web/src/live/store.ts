/**
 * What the page knows, and how a frame changes it. No clock, no network, no framework: the same
 * recorded frames drive this in tests and in the browser (there the maps are SvelteMaps, because
 * `$state` does not track a plain Map).
 */
import type { Agent, Alert, Call, Delta, Entity, Flag, Kind, Notice, Pbx, Supervision } from "../wire";
import { reindex, type Indices } from "./index";

export interface Place {
  epoch: string;
  seq: number;
}

export interface Store extends Indices {
  /** Place in the stream; null before the first frame. */
  place: Place | null;
  pbx: Map<string, Pbx>;
  agent: Map<string, Agent>;
  call: Map<string, Call>;
  supervision: Map<string, Supervision>;
  alert: Map<string, Alert>;
  notice: Map<string, Notice>;
  flag: Map<string, Flag>;
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
    alert: new Map(),
    notice: new Map(),
    flag: new Map(),
    agentsOf: new Map(),
    supervisionsOn: new Map(),
  };
}

/** A newer server may send kinds that this page does not know: they are none of its business. */
function mapOf(store: Store, kind: Kind): Map<string, Entity> | undefined {
  switch (kind) {
    case "pbx":
    case "agent":
    case "call":
    case "supervision":
    case "alert":
    case "notice":
    case "flag":
      return store[kind] as Map<string, Entity>;
    default:
      return undefined;
  }
}

/** Whether a frame follows on a place. */
export function judge(place: Place | null, delta: Delta): Applied {
  if (delta.reset) return "applied";
  if (place === null || place.epoch !== delta.epoch) return "gap";
  if (delta.seq <= place.seq) return "repeated";
  // frames of which this person may see nothing are not sent, so `seq` does not grow by one
  return (delta.after ?? 0) <= place.seq ? "applied" : "gap";
}

export function apply(store: Store, delta: Delta): Applied {
  const judged = judge(store.place, delta);
  if (judged !== "applied") return judged;
  if (delta.reset) {
    for (const map of [store.pbx, store.agent, store.call, store.supervision]) map.clear();
    for (const map of [store.alert, store.notice, store.flag]) map.clear();
    store.agentsOf.clear();
    store.supervisionsOn.clear();
  }

  const put = (kind: Kind, id: string, make: (old: Entity | undefined) => Entity | undefined) => {
    const map = mapOf(store, kind);
    const old = map?.get(id);
    const now = map && make(old);
    if (!map || now === old) return;
    if (now === undefined) map.delete(id);
    else map.set(id, now);
    reindex(store, old, now);
  };
  for (const entity of delta.add ?? []) put(entity.kind, entity.id, () => entity);
  for (const patch of delta.change ?? []) {
    // replaced, never mutated: who holds the old one keeps a consistent one
    put(patch.kind, patch.id, (old) => old && ({ ...old, ...patch.set } as Entity));
  }
  for (const ref of delta.remove ?? []) put(ref.kind, ref.id, () => undefined);

  store.place = { epoch: delta.epoch, seq: delta.seq };
  return "applied";
}
