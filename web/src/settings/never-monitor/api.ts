/** The list of those whom nobody may listen to, over HTTP. */
import { ask } from "../../api";
import type { NeverMonitorEntry, NeverMonitorList, NeverMonitorNew } from "../../wire";

const PATH = "/api/v1/never-monitor";

export const list = () => ask<NeverMonitorList>(PATH);

export const add = (entry: Partial<NeverMonitorNew>) =>
  ask<NeverMonitorEntry>(PATH, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(entry),
  });

export const remove = (id: string) => ask<void>(`${PATH}/${encodeURIComponent(id)}`, { method: "DELETE" });

export const nameOf = (entry: NeverMonitorEntry) => entry.person?.name ?? entry.number ?? "";
