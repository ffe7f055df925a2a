/** Joins a freshly read first page of a list with the pages that are shown already. */
export interface Shown<Row> {
  rows: Row[];
  next: string | null;
}

export function merge<Row extends { id: string }>(
  shown: Row[],
  next: string | null,
  head: Shown<Row>,
): Shown<Row> {
  const fresh = new Set(head.rows.map((row) => row.id));
  const touches = shown.some((row) => fresh.has(row.id));
  // more came in between than one page holds: keeping the tail would hide rows in the middle
  if (!touches || head.next === null) return { rows: head.rows, next: head.next };
  const tail = shown.filter((row) => !fresh.has(row.id));
  // nothing beyond the head was shown, so what follows is what the head says
  if (tail.length === 0) return { rows: head.rows, next: head.next };
  return { rows: [...head.rows, ...tail], next };
}
