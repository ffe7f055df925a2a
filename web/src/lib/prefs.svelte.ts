/** What a viewer chose for this browser. A browser that keeps nothing still works. */
const KEY = "monitord.prefs";

interface Prefs {
  compact: boolean;
  singleKeys: boolean;
}

function read(): Prefs {
  const chosen: Prefs = { compact: false, singleKeys: true };
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (kept && typeof kept === "object") {
      for (const name of ["compact", "singleKeys"] as const) {
        const value = (kept as Record<string, unknown>)[name];
        if (typeof value === "boolean") chosen[name] = value;
      }
    }
  } catch {
    // storage forbidden or spoilt: the defaults
  }
  return chosen;
}

export const prefs = $state(read());

export function keep(change: Partial<Prefs>): void {
  Object.assign(prefs, change);
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // remembered until the page is closed
  }
}
