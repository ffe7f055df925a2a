/** What a delta means to somebody who listens to the page: who started, who ended. */
import { announce, words } from "../texts";
import type { Delta, Supervision } from "../wire";

export interface Comings {
  started: Supervision[];
  ended: Supervision[];
}

/** To be asked before the delta is applied: afterwards nobody knows who was removed. */
export function comings(delta: Delta, before: ReadonlyMap<string, Supervision>): Comings {
  const found: Comings = { started: [], ended: [] };
  if (delta.reset) return found; // a first or a whole new picture is no event
  for (const entity of delta.add ?? []) {
    if (entity.kind === "supervision" && !before.has(entity.id) && entity.state !== "ended") {
      found.started.push(entity);
    }
  }
  const gone = new Set<string>();
  for (const patch of delta.change ?? []) {
    if (patch.kind === "supervision" && patch.set["state"] === "ended") gone.add(patch.id);
  }
  for (const ref of delta.remove ?? []) if (ref.kind === "supervision") gone.add(ref.id);
  for (const id of gone) {
    const old = before.get(id);
    if (old && old.state !== "ended") found.ended.push(old);
  }
  return found;
}

/** What several frames mean together. */
export function join(all: readonly Comings[]): Comings {
  return { started: all.flatMap((one) => one.started), ended: all.flatMap((one) => one.ended) };
}

const FEW = 3;

/** One line each while they are few; a number where a whole floor moves at once. */
export function sentences({ started, ended }: Comings, number: (n: number) => string): string[] {
  const agent = (s: Supervision) => s.agent?.name ?? words.unknownAgent;
  const said: string[] = [];
  if (started.length > FEW) said.push(announce.manyStarted(number(started.length)));
  else for (const s of started) said.push(announce.started(s.supervisor.name, words.doing[s.type], agent(s)));
  if (ended.length > FEW) said.push(announce.manyEnded(number(ended.length)));
  else for (const s of ended) said.push(announce.ended(s.supervisor.name, agent(s)));
  return said;
}
