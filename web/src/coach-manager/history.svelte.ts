/** The history of the selected user: paged by cursor, kept current at its head. */
import { Refused, supervisions } from "../api";
import { history as texts } from "../texts";
import type { SupervisionRow } from "../wire";
import { merge } from "./merge";

const PAGE = 25;
/** Several changes within this time (a call ends: segment, state, removal) are one refresh. */
const SETTLE_MS = 250;

export class HistoryOf {
  id: string | null = null;
  rows = $state.raw<SupervisionRow[]>([]);
  next = $state<string | null>(null);
  state = $state<"idle" | "loading" | "ready" | "failed">("idle");
  more = $state<"idle" | "loading" | "failed">("idle");
  why = $state("");
  #stop = new AbortController();
  #settle: ReturnType<typeof setTimeout> | undefined;

  show(id: string | null): void {
    if (id === this.id) return;
    this.#stop.abort();
    this.#stop = new AbortController();
    clearTimeout(this.#settle);
    this.id = id;
    this.rows = [];
    this.next = null;
    this.more = "idle";
    this.state = id === null ? "idle" : "loading";
    if (id !== null) void this.#head();
  }

  refresh(): void {
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => void this.#head(), SETTLE_MS);
  }

  retry(): void {
    this.state = "loading";
    void this.#head();
  }

  async #head(): Promise<void> {
    const { id } = this;
    const { signal } = this.#stop;
    if (id === null) return;
    try {
      const page = await supervisions(id, null, PAGE, signal);
      if (signal.aborted) return;
      const joined = merge(this.rows, this.next, page);
      this.rows = joined.rows;
      this.next = joined.next;
      this.state = "ready";
    } catch (error) {
      if (signal.aborted) return;
      // what is shown stays shown: only an empty list is replaced by the failure
      if (this.rows.length === 0) this.state = "failed";
      this.why = error instanceof Refused ? error.message : texts.failed;
    }
  }

  async showMore(): Promise<void> {
    const { id, next } = this;
    const { signal } = this.#stop;
    if (id === null || next === null || this.more === "loading") return;
    this.more = "loading";
    try {
      const page = await supervisions(id, next, PAGE, signal);
      if (signal.aborted) return;
      const known = new Set(this.rows.map((row) => row.id));
      this.rows = [...this.rows, ...page.rows.filter((row) => !known.has(row.id))];
      this.next = page.next;
      this.more = "idle";
    } catch {
      if (!signal.aborted) this.more = "failed";
    }
  }
}
