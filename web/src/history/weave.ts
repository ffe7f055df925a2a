/** Puts the times in which a PBX could not be seen between the rows of a ledger, by their start. */
import type { Gap } from "../wire";

export type Woven<Row> = { kind: "row"; key: string; row: Row } | { kind: "gap"; key: string; gap: Gap };

/**
 * Both lists are newest first. Gaps older than the oldest row shown wait until it is their turn:
 * `whole` says that no older rows follow.
 */
export function weave<Row extends { id: string; started: number }>(
  rows: readonly Row[],
  gaps: readonly Gap[],
  whole: boolean,
): Woven<Row>[] {
  const woven: Woven<Row>[] = [];
  let n = 0;
  const upTo = (started: number) => {
    for (let gap = gaps[n]; gap && gap.started >= started; gap = gaps[++n]) {
      woven.push({ kind: "gap", key: `gap ${gap.pbx} ${gap.started}`, gap });
    }
  };
  for (const row of rows) {
    upTo(row.started);
    woven.push({ kind: "row", key: row.id, row });
  }
  if (whole) upTo(-Infinity);
  return woven;
}
