/**
 * Which rows of a long list to draw: those in sight and a few around them. Rows have heights of
 * their own, known once they were drawn; until then all are taken to be as high as the estimate.
 */

/** Where each row begins, in px from the list's top; one more than there are rows, for its end. */
export function layout(
  keys: readonly string[],
  heights: ReadonlyMap<string, number>,
  estimate: number,
): Float64Array {
  const tops = new Float64Array(keys.length + 1);
  for (let n = 0; n < keys.length; n++) {
    tops[n + 1] = tops[n]! + (heights.get(keys[n]!) ?? estimate);
  }
  return tops;
}

/** The row at a height: the last one that begins at or above it. */
export function rowAt(tops: Float64Array, y: number): number {
  let low = 0;
  let high = Math.max(0, tops.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle]! <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

export interface Slot {
  index: number;
  /** Empty space to leave above it, in px. */
  before: number;
}

export interface Drawn {
  slots: Slot[];
  /** Empty space under the last one, in px. */
  after: number;
}

/**
 * @param top upper edge of what is in sight, in px from the list's top
 * @param height of what is in sight
 * @param beyond px to draw above and below that, so that scrolling meets no blank
 * @param keep a row to draw wherever it is (the one that has the focus), or -1
 */
export function inSight(
  tops: Float64Array,
  top: number,
  height: number,
  beyond: number,
  keep = -1,
): Drawn {
  const count = tops.length - 1;
  if (count === 0) return { slots: [], after: 0 };
  const first = rowAt(tops, top - beyond);
  const last = rowAt(tops, top + height + beyond);
  const indices: number[] = [];
  for (let n = first; n <= last; n++) indices.push(n);
  if (keep >= 0 && keep < first) indices.unshift(keep);
  else if (keep > last && keep < count) indices.push(keep);
  let end = 0;
  const slots = indices.map((index) => {
    const before = tops[index]! - end;
    end = tops[index + 1]!;
    return { index, before };
  });
  return { slots, after: tops[count]! - end };
}
