import { prefs } from "./prefs.svelte";

/** Whether a single key is meant as a command: not typed into a field, not while a dialog asks. */
export function plainKey(event: KeyboardEvent): boolean {
  if (!prefs.singleKeys || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (document.querySelector("dialog[open]")) return false;
  const at = event.target;
  return !(at instanceof HTMLElement && at.closest("input, textarea, select, [contenteditable]"));
}
