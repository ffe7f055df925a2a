/** The past of the list and the present of the stream, as one list. */
import type { Notice } from "../wire";

/** What the stream has is newer than what was read; newest start first, as the server orders. */
export function merged(read: readonly Notice[], live: Iterable<Notice>, whole: boolean): Notice[] {
  const found = new Map(read.map((notice) => [notice.id, notice]));
  const last = read.at(-1);
  for (const notice of live) {
    // earlier than what was read so far: its place is on a page that is not there yet
    if (!found.has(notice.id) && !whole && last !== undefined && before(last, notice) < 0) continue;
    found.set(notice.id, notice);
  }
  return [...found.values()].sort(before);
}

function before(a: Notice, b: Notice): number {
  return b.started - a.started || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

export interface Told {
  began: Notice[];
  ended: Notice[];
  /** Told only when it was over. */
  afterwards: Notice[];
}

/** What is new since the stream was looked at before, for those who listen to the page. */
export function news(before: ReadonlyMap<string, Notice>, now: Iterable<Notice>): Told {
  const found: Told = { began: [], ended: [], afterwards: [] };
  for (const notice of now) {
    const old = before.get(notice.id);
    if (notice.ended === null) {
      if (old === undefined || old.type !== notice.type) found.began.push(notice);
    } else if (old === undefined) found.afterwards.push(notice);
    else if (old.ended === null) found.ended.push(notice);
  }
  return found;
}
