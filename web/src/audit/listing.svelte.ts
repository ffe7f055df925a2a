/** The audit log page by page, newest first. */
import { Refused } from "../api";
import { audit as texts } from "../texts-audit";
import type { AuditRow } from "../wire";
import { page } from "./api";

export class Listing {
  rows = $state.raw<AuditRow[]>([]);
  next = $state<string | null>(null);
  state = $state<"loading" | "ready" | "failed">("loading");
  more = $state<"idle" | "loading" | "failed">("idle");
  why = $state("");
  /** This browser's time when the head was read; null before. */
  asOf = $state<number | null>(null);
  #params = "";
  #stop = new AbortController();
  readonly #size: number;

  /** @param size rows of a page */
  constructor(size: number) {
    this.#size = size;
  }

  /** From the newest row on. */
  async show(params: string): Promise<void> {
    this.#stop.abort();
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    // what is shown stays while the same is read anew
    if (params !== this.#params) this.rows = [];
    if (this.rows.length === 0) this.state = "loading";
    this.#params = params;
    this.more = "idle";
    try {
      const head = await page(params, null, this.#size, signal);
      if (signal.aborted) return;
      this.rows = head.rows;
      this.next = head.next;
      this.asOf = Date.now();
      this.state = "ready";
      this.why = "";
    } catch (error) {
      if (signal.aborted) return;
      this.why = error instanceof Refused ? error.message || texts.noAnswer : "";
      this.state = "failed";
    }
  }

  async showMore(): Promise<void> {
    if (this.next === null || this.more === "loading") return;
    const { signal } = this.#stop;
    this.more = "loading";
    try {
      const older = await page(this.#params, this.next, this.#size, signal);
      if (signal.aborted) return;
      this.rows = [...this.rows, ...older.rows];
      this.next = older.next;
      this.more = "idle";
    } catch {
      if (!signal.aborted) this.more = "failed";
    }
  }

  stop(): void {
    this.#stop.abort();
  }
}
