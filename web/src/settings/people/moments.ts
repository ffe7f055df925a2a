/** Instants as fields for a date and a time have them, in the viewer's zone. */

const two = (n: number) => String(n).padStart(2, "0");

/** For <input type="datetime-local">; empty for null and for the beginning of time. */
export function toField(at: number | null): string {
  if (at === null || at === 0) return "";
  const d = new Date(at);
  const day = `${String(d.getFullYear()).padStart(4, "0")}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  return `${day}T${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** Null where nothing was given. */
export function fromField(text: string): number | null {
  const at = new Date(text).getTime();
  return text === "" || Number.isNaN(at) ? null : Math.max(0, at);
}

/** As it was where the field still says the same: a field knows no seconds. */
export function kept(text: string, before: number | null): number | null {
  return text === toField(before) ? before : fromField(text);
}
