/** What is looked for in agents' next calls, read once for every page that lights calls up. */
import { Refused } from "../api";
import { me } from "../lib/viewer.svelte";
import type { Call, FocusShown } from "../wire";
import { running } from "./api";
import { matches } from "./rule";

class Focuses {
  rows = $state.raw<readonly FocusShown[]>([]);

  /** On each page that shows it, and after a talk: it changes some times a week. */
  async load(): Promise<void> {
    if (!me.who?.permissions.includes("flag.see")) return;
    try {
      this.rows = (await running()).rows;
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // then no call is lit up, and all else works
    }
  }

  of(call: Call): FocusShown | undefined {
    return this.rows.find((one) => matches(one, call));
  }
}

export const focuses = new Focuses();
