/** The values of a row by their own names: an auditor sees what is written, not a choice of it. */

const MOST = 200;

function plain(value: unknown): string {
  if (value === null) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `agent.name` and its value, for each value inside; at most some hundreds. */
export function flat(values: Record<string, unknown>): [string, string][] {
  const found: [string, string][] = [];
  const walk = (at: string, value: unknown) => {
    if (found.length >= MOST) return;
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      for (const [name, inner] of Object.entries(value)) walk(at ? `${at}.${name}` : name, inner);
    } else found.push([at, plain(value)]);
  };
  walk("", values);
  return found;
}

/** Names of what a later version says otherwise, without the name of the row they stand in. */
export function differences(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  const was = new Map(flat(before));
  const is = new Map(flat(after));
  const names = new Set([...was.keys(), ...is.keys()]);
  return [...names].filter((name) => was.get(name) !== is.get(name)).map((name) => name.replace(/^row\./, ""));
}
