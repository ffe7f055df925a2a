/** What a viewer chose for this browser. A browser that keeps nothing still works. */
const KEY = "monitord.prefs";

/** Of the list of users. */
export const ORDERS = ["name", "longest", "newest", "type"] as const;
export type Order = (typeof ORDERS)[number];

/** Of the live calls. */
export const CALL_LAYOUTS = ["cards", "rows"] as const;
export type CallLayout = (typeof CALL_LAYOUTS)[number];

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

interface Prefs {
  compact: boolean;
  singleKeys: boolean;
  theme: Theme;
  order: Order;
  calls: CallLayout;
}

const isFlag = (value: unknown) => typeof value === "boolean";
const isOneOf = (known: readonly string[]) => (value: unknown) => known.includes(value as string);
const VALID: Record<keyof Prefs, (value: unknown) => boolean> = {
  compact: isFlag,
  singleKeys: isFlag,
  theme: isOneOf(THEMES),
  order: isOneOf(ORDERS),
  calls: isOneOf(CALL_LAYOUTS),
};

function read(): Prefs {
  const chosen: Prefs = { compact: false, singleKeys: true, theme: "system", order: "name", calls: "cards" };
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (kept && typeof kept === "object") {
      for (const [name, valid] of Object.entries(VALID)) {
        const value = (kept as Record<string, unknown>)[name];
        if (valid(value)) Object.assign(chosen, { [name]: value });
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
