/** What the live store knows of one agent. */
import type { Store } from "../live/store";
import type { Agent, Supervision } from "../wire";

export type Live = Pick<Store, "agent" | "agentsOf" | "supervision" | "supervisionsOn">;

/** Somebody on several PBX is shown where they are logged in. */
export function agentOf(store: Live, person: string): { now: Agent | null; on: Supervision[] } {
  const all = (store.agentsOf.get(person) ?? []).flatMap((id) => store.agent.get(id) ?? []);
  const now = all.find((one) => one.status !== "not logged in") ?? all[0] ?? null;
  const on = (store.supervisionsOn.get(person) ?? []).flatMap((id) => store.supervision.get(id) ?? []);
  return { now, on: on.filter((one) => one.state !== "ended") };
}
