/** What the picture of flags before and after scores is drawn from. Pure. */
import type { ScoredCount } from "../wire";

export interface Column {
  x: number;
  width: number;
  /** Heights, 0 to 1 of the week with most flags. */
  before: number;
  after: number;
}

/** Of equal places in a width of 1, the oldest week first; a week without any stays empty. */
export function columns(weeks: readonly ScoredCount[]): Column[] {
  const most = Math.max(1, ...weeks.map((week) => week.scored));
  const place = 1 / Math.max(1, weeks.length);
  return weeks.map((week, n) => ({
    x: (n + 0.2) * place,
    width: 0.6 * place,
    before: (week.scored - week.after) / most,
    after: week.after / most,
  }));
}
