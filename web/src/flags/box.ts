/**
 * Where this browser keeps flags that were begun. IndexedDB and not localStorage: that one is
 * written seconds later, and a browser that is killed meanwhile has kept nothing.
 */
import { type Draft, DRAFTS_MOST, draftsOf } from "./drafts";

const STORE = "drafts";

function opened(): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    try {
      const asked = indexedDB.open("monitord", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
      asked.onsuccess = () => resolve(asked.result);
      // a browser that keeps nothing: until the page is closed
      asked.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}

let database: Promise<IDBDatabase | null> | undefined;
const there = () => (database ??= opened());

/** Those of one person. */
export async function readDrafts(person: string): Promise<Draft[]> {
  const db = await there();
  if (!db) return [];
  return new Promise((resolve) => {
    const asked = db.transaction(STORE).objectStore(STORE).get(person);
    asked.onsuccess = () => resolve(draftsOf(asked.result));
    asked.onerror = () => resolve([]);
  });
}

export async function writeDrafts(person: string, drafts: readonly Draft[]): Promise<void> {
  const db = await there();
  db?.transaction(STORE, "readwrite").objectStore(STORE).put(drafts.slice(-DRAFTS_MOST), person);
}
