/** What the server counts for the team view, read again while the page is looked at. */
import { ask, Refused } from "../api";
import type { TeamView } from "../wire";

/** What nobody waits for. What happens live comes by the stream. */
const EVERY_MS = 60_000;
/** After a supervision began or ended, and never more often. */
const SOON_MS = 5_000;

export class TeamCounts {
  data = $state.raw<TeamView | null>(null);
  /** Why it could not be read; empty where it could. The last counts stay. */
  failed = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | undefined;
  #asked = 0;
  #due = Infinity;

  start(): () => void {
    void this.read();
    const seen = () => {
      if (document.visibilityState === "visible") this.soon();
    };
    document.addEventListener("visibilitychange", seen);
    return () => {
      document.removeEventListener("visibilitychange", seen);
      clearTimeout(this.#timer);
      this.#abort?.abort();
    };
  }

  /** Something has happened that the counts will tell. */
  soon(): void {
    this.#again(Math.max(SOON_MS, this.#asked + SOON_MS - Date.now()));
  }

  async read(): Promise<void> {
    clearTimeout(this.#timer);
    this.#due = Infinity;
    this.#asked = Date.now();
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone);
    try {
      this.data = await ask<TeamView>(`/api/v1/team?zone=${zone}`, { signal: abort.signal });
      this.failed = null;
    } catch (error) {
      if (abort.signal.aborted) return;
      this.failed = error instanceof Refused ? error.message : "";
    }
    this.#again(EVERY_MS);
  }

  #again(ms: number): void {
    const due = Date.now() + ms;
    if (due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (document.visibilityState === "visible") void this.read();
      else this.#due = Infinity; // read as soon as somebody looks
    }, ms);
  }
}
