/** What somebody types at the end of a talk stays in this browser until the talk has ended. */
export interface Item {
  text: string;
  look: boolean;
  result: string;
  campaign: string;
  list: string;
  theme: string;
}
export const EMPTY: Item = { text: "", look: false, result: "", campaign: "", list: "", theme: "" };

const key = (talk: string) => `monitord.talk.${talk}`;

export function kept(talk: string): Item[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(key(talk)) ?? "[]");
    if (Array.isArray(found) && found.length === 2) return found.map((one: Partial<Item>) => ({ ...EMPTY, ...one }));
  } catch {
    // a browser that keeps nothing, or what is no longer understood: it begins empty
  }
  return [{ ...EMPTY }, { ...EMPTY }];
}

export function keep(talk: string, items: readonly Item[] | null): void {
  try {
    if (items === null) localStorage.removeItem(key(talk));
    else localStorage.setItem(key(talk), JSON.stringify(items));
  } catch {
    // it still stands on the page
  }
}
