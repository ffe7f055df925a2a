/**
 * Ids by what they are asked for: an agent's by the person, a supervision's by the agent it is on.
 * Without them every frame would look through all agents of a large site.
 */
import type { Agent, Entity, Supervision } from "../wire";

export type Index = Map<string, readonly string[]>;

export interface Indices {
  /** Ids of the live statuses of a person, who may be on several PBX. */
  agentsOf: Index;
  /** Ids of the supervisions on an agent, by the agent's person. */
  supervisionsOn: Index;
}

const person = (agent: Agent | undefined) => agent?.party.id;
const target = (supervision: Supervision | undefined) => supervision?.agent?.id;

/** `old` and `now` are the same entity before and after; undefined where there is none. */
export function reindex(indices: Indices, old: Entity | undefined, now: Entity | undefined): void {
  const one = now ?? old;
  if (one?.kind === "agent") {
    move(indices.agentsOf, one.id, person(old as Agent | undefined), person(now as Agent | undefined));
  } else if (one?.kind === "supervision") {
    const [from, to] = [target(old as Supervision | undefined), target(now as Supervision | undefined)];
    move(indices.supervisionsOn, one.id, from, to);
  }
}

function move(index: Index, id: string, from: string | undefined, to: string | undefined): void {
  if (from === to) return;
  if (from !== undefined) {
    const left = (index.get(from) ?? []).filter((other) => other !== id);
    if (left.length > 0) index.set(from, left);
    else index.delete(from);
  }
  if (to !== undefined) index.set(to, [...(index.get(to) ?? []), id]);
}
