/** Which keys do something where; the dialog of the keys lists them. */
import { keys } from "../texts";

export type PageWithKeys = keyof typeof keys.pages;

/** Key and meaning, each key once. `page`: null for one that has no keys of its own. */
export function keysOn(page: PageWithKeys | null): readonly (readonly string[])[] {
  return [...(page === null ? [] : keys.pages[page]), ...keys.everywhere];
}
