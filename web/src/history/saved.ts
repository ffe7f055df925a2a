/** Views that this browser remembers: a name and the query of an address. */
const KEY = "monitord.history.views";
export const MOST = 30;
export const NAME_MOST = 60;

export interface Saved {
  name: string;
  query: string;
}

type Storage = Pick<globalThis.Storage, "getItem" | "setItem">;

/** What is spoilt or of another program is left out. */
export function load(storage: Storage): Saved[] {
  try {
    const kept: unknown = JSON.parse(storage.getItem(KEY) ?? "[]");
    if (!Array.isArray(kept)) return [];
    return kept
      .filter(
        (one): one is Saved =>
          typeof one?.name === "string" && typeof one?.query === "string" && one.name.length <= NAME_MOST,
      )
      .map(({ name, query }) => ({ name, query }))
      .slice(0, MOST);
  } catch {
    return [];
  }
}

export function store(storage: Storage, views: readonly Saved[]): void {
  try {
    storage.setItem(KEY, JSON.stringify(views));
  } catch {
    // a browser that keeps nothing: remembered until the page is closed
  }
}

/** A name that is there already gets the new view. */
export function add(views: readonly Saved[], name: string, query: string): Saved[] {
  const others = views.filter((one) => one.name !== name);
  return [...others, { name, query }].sort((a, b) => a.name.localeCompare(b.name));
}
