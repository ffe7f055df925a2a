/** Whom the list shows: one of the built-in views or a saved one, kept on the server. */
import { untrack } from "svelte";
import { ask, Refused } from "../api";
import { keep, ORDERS, prefs, type Order } from "../lib/prefs.svelte";
import { live } from "../live/live.svelte";
import type { User } from "../live/queries";
import type { PutView, PutViews, Supervision, View, Views } from "../wire";

export const PAGE = "coach-manager";
export const MOST = 50;
export const NAME_MOST = 60;
export const SHOWS = ["mine", "all"] as const;
export type Show = (typeof SHOWS)[number];

export interface Filters {
  show: Show;
  search: string;
  order: Order | null;
}

const isShow = (value: string | undefined): value is Show => SHOWS.includes(value as Show);

/** What a saved view says, as far as this page understands it. */
export function filtersOf(view: string, saved: readonly View[]): Filters | null {
  if (isShow(view)) return { show: view, search: "", order: null };
  const found = saved.find((one) => one.id === view);
  if (!found) return null;
  const { show, search = "", order } = found.filters;
  return {
    show: isShow(show) ? show : "all",
    search,
    order: ORDERS.find((one) => one === order) ?? null,
  };
}

/** The supervisions that somebody carries out or that are on one of these people. */
export function concerning(users: readonly User[], mine: ReadonlySet<string>): User[] {
  const mineIs = (one: Supervision) =>
    mine.has(one.supervisor.id) || (one.agent !== null && mine.has(one.agent.id));
  return users.flatMap((user) => {
    const some = user.supervisions.filter(mineIs);
    return some.length > 0 ? [{ ...user, supervisions: some }] : [];
  });
}

/** As the server keeps them. */
export function keptOf(filters: Filters): Record<string, string> {
  return {
    show: filters.show,
    ...(filters.search ? { search: filters.search } : {}),
    ...(filters.order ? { order: filters.order } : {}),
  };
}

export class SavedViews {
  readonly #page: PutView["page"];
  data = $state.raw<Views | null>(null);
  failed = $state(false);
  /** Why the last change was not kept. */
  notKept = $state<string | null>(null);

  readonly saved = $derived((this.data?.views ?? []).filter((one) => one.page === this.#page));
  readonly mine = $derived(new Set(this.data?.mine ?? []));
  /** The one that opens where the address names none. */
  readonly usual = $derived.by(() => this.data?.chosen[this.#page] ?? "all");

  constructor(page: PutView["page"] = PAGE) {
    this.#page = page;
  }

  /** Reads them now, and again whenever a new picture came: rights or team may be others. */
  start(): () => void {
    const read = async () => {
      try {
        this.#take(await ask<Views>("/api/v1/views"));
        this.failed = false;
      } catch {
        this.failed = this.data === null;
      }
    };
    void read();
    const watch = (who: ReadonlySet<string> | "all") => {
      if (who === "all") void read();
    };
    live.watchers.add(watch);
    return () => live.watchers.delete(watch);
  }

  /** Remembered for the next time, in whatever browser. */
  choose(view: string): Promise<boolean> {
    return this.#put({ chosen: { [this.#page]: view } });
  }

  /** A name that is there already gets the new filters. */
  async save(name: string, filters: Record<string, string>, shared: boolean): Promise<View | null> {
    const same = (one: View) => one.own && one.page === this.#page && one.name.toLowerCase() === name.toLowerCase();
    const found = this.saved.find(same);
    const view: PutView = { page: this.#page, name, filters, shared, id: found?.id ?? null };
    const others = this.#own().filter((one) => one.id !== found?.id);
    if (!(await this.#put({ views: [...others, view] }))) return null;
    return this.saved.find(same) ?? null;
  }

  remove(id: string): Promise<boolean> {
    return this.#put({ views: this.#own().filter((one) => one.id !== id) });
  }

  /** Those of other pages too, since all are put at once. */
  #own(): PutView[] {
    return (this.data?.views ?? [])
      .filter((one) => one.own)
      .map(({ id, page, name, filters, shared }) => ({ id, page: page as PutView["page"], name, filters, shared }));
  }

  async #put(body: PutViews): Promise<boolean> {
    this.notKept = null;
    try {
      this.#take(
        await ask<Views>("/api/v1/views", {
          method: "PUT",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
      );
      return true;
    } catch (error) {
      this.notKept = error instanceof Refused ? error.message : "";
      return false;
    }
  }

  #take(views: Views): void {
    this.data = views;
  }
}

/** A saved order becomes the viewer's own. */
export function useOrder(order: Order | null): void {
  untrack(() => {
    if (order && order !== prefs.order) keep({ order });
  });
}
