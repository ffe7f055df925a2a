/** A list of one ledger: paged by cursor, kept current at its head, with its count and its gaps. */
import { Refused, supervision } from "../api";
import { merge } from "./merge";
import { historyPage as texts } from "../texts";
import type { Count, Gap } from "../wire";
import { count, gaps, page } from "./api";
import type { Ledger } from "./view";

/** Running rows below the head that a refresh looks after one by one. */
const RUNNING_MOST = 20;

interface Entry {
  id: string;
  started: number;
  ended: number | null;
}

export class Listing<Row extends Entry> {
  rows = $state.raw<Row[]>([]);
  next = $state<string | null>(null);
  gaps = $state.raw<Gap[]>([]);
  count = $state.raw<Count | null>(null);
  countFailed = $state(false);
  state = $state<"idle" | "loading" | "ready" | "failed">("idle");
  more = $state<"idle" | "loading" | "failed">("idle");
  why = $state("");
  /** This browser's time when the head was read; null before. */
  asOf = $state<number | null>(null);
  refreshing = $state(false);
  #shown: { ledger: Ledger; params: string } | null = null;
  #gapsNext: string | null = null;
  #stop = new AbortController();
  #settle: ReturnType<typeof setTimeout> | undefined;
  readonly #size: number;
  readonly #settleMs: number;
  readonly #withGaps: boolean;

  /**
   * @param size rows of a page
   * @param settleMs changes within this time are one refresh
   */
  constructor(size: number, settleMs: number, withGaps: boolean) {
    this.#size = size;
    this.#settleMs = settleMs;
    this.#withGaps = withGaps;
  }

  /** Begin anew where this is something else than what is shown. */
  show(ledger: Ledger, params: string): void {
    if (this.#shown?.ledger === ledger && this.#shown.params === params) return;
    this.clear();
    this.#shown = { ledger, params };
    this.state = "loading";
    void this.#head();
  }

  clear(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    clearTimeout(this.#settle);
    this.#settle = undefined;
    this.#shown = null;
    this.rows = [];
    this.next = null;
    this.gaps = [];
    this.#gapsNext = null;
    this.count = null;
    this.countFailed = false;
    this.more = "idle";
    this.state = "idle";
    this.asOf = null;
    this.refreshing = false;
  }

  /** Soon, once for several calls. */
  refresh(): void {
    // never put off by a later call, or a busy floor would refresh nothing
    this.#settle ??= setTimeout(() => {
      this.#settle = undefined;
      void this.#head();
    }, this.#settleMs);
  }

  retry(): void {
    if (this.rows.length === 0) this.state = "loading";
    void this.#head();
  }

  async #head(): Promise<void> {
    const shown = this.#shown;
    const { signal } = this.#stop;
    if (!shown) return;
    this.refreshing = true;
    void this.#counted(shown.ledger, shown.params, signal);
    try {
      const head = await page<Row>(shown.ledger, shown.params, null, this.#size, signal);
      if (signal.aborted) return;
      const reach = merge(this.rows, this.next, head);
      await this.#readGaps(shown.params, reach.rows, reach.next, signal, true);
      if (signal.aborted) return;
      // with what is shown by now: older rows may have come meanwhile
      const joined = merge(this.rows, this.next, head);
      this.rows = joined.rows;
      this.next = joined.next;
      this.state = "ready";
      this.why = "";
      this.asOf = Date.now();
      if (shown.ledger === "supervisions") void this.#lookAfter(head.rows, signal);
    } catch (error) {
      if (signal.aborted) return;
      // what is shown stays shown: only an empty list is replaced by the failure
      if (this.rows.length === 0) this.state = "failed";
      this.why = (error instanceof Refused && error.message) || texts.noAnswer;
    } finally {
      if (!signal.aborted) this.refreshing = false;
    }
  }

  async showMore(): Promise<void> {
    const shown = this.#shown;
    const { next } = this;
    const { signal } = this.#stop;
    if (!shown || next === null || this.more === "loading") return;
    this.more = "loading";
    try {
      const found = await page<Row>(shown.ledger, shown.params, next, this.#size, signal);
      if (signal.aborted) return;
      await this.#readGaps(shown.params, found.rows, found.next, signal, false);
      if (signal.aborted) return;
      this.more = "idle";
      // a refresh began the list anew meanwhile: these rows do not follow on it
      if (this.next !== next) return;
      const known = new Set(this.rows.map((row) => row.id));
      this.rows = [...this.rows, ...found.rows.filter((row) => !known.has(row.id))];
      this.next = found.next;
    } catch {
      if (!signal.aborted) this.more = "failed";
    }
  }

  async #counted(ledger: Ledger, params: string, signal: AbortSignal): Promise<void> {
    try {
      const found = await count(ledger, params, signal);
      if (signal.aborted) return;
      this.count = found;
      this.countFailed = false;
    } catch {
      if (!signal.aborted) this.countFailed = this.count === null;
    }
  }

  /** As far down as the rows reach. */
  async #readGaps(
    params: string,
    rows: Row[],
    next: string | null,
    signal: AbortSignal,
    anew: boolean,
  ): Promise<void> {
    if (!this.#withGaps) return;
    const floor = next === null ? -Infinity : (rows.at(-1)?.started ?? -Infinity);
    let found = anew ? [] : this.gaps;
    let cursor = anew ? null : this.#gapsNext;
    let first = anew;
    while (first || (cursor !== null && (found.at(-1)?.started ?? Infinity) >= floor)) {
      const read = await gaps(params, cursor, signal);
      found = [...found, ...read.rows];
      cursor = read.next;
      first = false;
    }
    if (signal.aborted) return;
    this.gaps = found;
    this.#gapsNext = cursor;
  }

  /** A row that runs while many newer ones came is no more in the head when it ends. */
  async #lookAfter(head: Row[], signal: AbortSignal): Promise<void> {
    const fresh = new Set(head.map((row) => row.id));
    const running = this.rows.filter((row) => row.ended === null && !fresh.has(row.id));
    for (const { id } of running.slice(0, RUNNING_MOST)) {
      try {
        const detail = await supervision(id, signal);
        if (signal.aborted) return;
        const now = detail.supervision as unknown as Row;
        this.rows = this.rows.map((row) => (row.id === id ? now : row));
      } catch {
        return; // the next refresh tries again
      }
    }
  }
}
