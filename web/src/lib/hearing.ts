/**
 * Who hears whom, from the type. The one place that knows it; the diagram, the sentence under it
 * and the small sign of a type are all drawn from here.
 */
import type { SpyType } from "../wire";

export type Who = "supervisor" | "agent" | "customer";

export interface Hearing {
  /** [speaker, listener] pairs that are true. */
  heard: readonly (readonly [Who, Who])[];
  known: boolean;
}

const TALK = [
  ["agent", "customer"],
  ["customer", "agent"],
] as const;
const LISTEN = [
  ["agent", "supervisor"],
  ["customer", "supervisor"],
] as const;

const HEARING: Record<SpyType, Hearing> = {
  Monitor: { known: true, heard: [...TALK, ...LISTEN] },
  Coach: { known: true, heard: [...TALK, ...LISTEN, ["supervisor", "agent"]] },
  Barge: {
    known: true,
    heard: [...TALK, ...LISTEN, ["supervisor", "agent"], ["supervisor", "customer"]],
  },
  // the agent was taken out: the supervisor and the customer are alone
  "Barge-Kick": {
    known: true,
    heard: [
      ["customer", "supervisor"],
      ["supervisor", "customer"],
    ],
  },
  // even that the agent still hears the customer would be a guess
  Unknown: { known: false, heard: [] },
};

export function hearing(type: SpyType): Hearing {
  return HEARING[type];
}

export function hears(type: SpyType, listener: Who, speaker: Who): boolean {
  return HEARING[type].heard.some(([from, to]) => from === speaker && to === listener);
}
