/** Questions to the store that more than one part of the page asks. */
import type { Agent, Supervision } from "../wire";
import type { Store } from "./store";

export interface User {
  id: string;
  name: string;
  supervisions: Supervision[];
}

/** Everybody with an open supervision, one entry a person, in no order. */
export function supervisingUsers(store: Store): User[] {
  const users = new Map<string, User>();
  for (const supervision of store.supervision.values()) {
    if (supervision.state === "ended") continue;
    const { id, name } = supervision.supervisor;
    const user = users.get(id) ?? { id, name, supervisions: [] };
    user.supervisions.push(supervision);
    users.set(id, user);
  }
  for (const user of users.values()) user.supervisions.sort((a, b) => a.started - b.started);
  return [...users.values()];
}

/** Other supervisions on the agent of this one. */
export function othersOn(store: Store, supervision: Supervision): Supervision[] {
  const agent = supervision.agent?.id;
  const found: Supervision[] = [];
  if (agent === undefined) return found;
  for (const id of store.supervisionsOn.get(agent) ?? []) {
    const other = id === supervision.id ? undefined : store.supervision.get(id);
    if (other && other.state !== "ended") found.push(other);
  }
  return found;
}

/** An agent's live status; that of the same PBX first, since a person may be on several. */
export function agentOf(store: Store, party: string, pbx: string): Agent | undefined {
  let elsewhere: Agent | undefined;
  for (const id of store.agentsOf.get(party) ?? []) {
    const agent = store.agent.get(id);
    if (agent?.pbx === pbx) return agent;
    elsewhere ??= agent;
  }
  return elsewhere;
}
