/** How long to wait before trying again: from half a second to fifteen, never all at once. */
const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/**
 * @param attempt 0 for the first try after a loss
 * @param random  0..1; spreads the pages of a whole floor that lost the same server
 */
export function backoff(attempt: number, random: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.max(FIRST_MS, Math.round(full * (0.5 + random / 2)));
}
