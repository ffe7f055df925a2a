/** Questions to the store that more than one part of the page asks. */
import type { Agent, Supervision } from "../wire";
import type { Store } from "./store";

export interface User {
  id: string;
  name: string;
  supervisions: Supervision[];
}

/** Everybody with an open supervision, one entry a person, by name so that entries do not jump. */
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
  return [...users.values()].sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1));
}

/** Other supervisions on the agent of this one. */
export function othersOn(store: Store, supervision: Supervision): Supervision[] {
  const agent = supervision.agent?.id;
  if (agent === undefined) return [];
  return [...store.supervision.values()].filter(
    (other) => other.id !== supervision.id && other.state !== "ended" && other.agent?.id === agent,
  );
}

/** An agent's live status; that of the same PBX first, since a person may be on several. */
export function agentOf(store: Store, party: string, pbx: string): Agent | undefined {
  let elsewhere: Agent | undefined;
  for (const agent of store.agent.values()) {
    if (agent.party.id !== party) continue;
    if (agent.pbx === pbx) return agent;
    elsewhere ??= agent;
  }
  return elsewhere;
}
