import { expect, it } from "vitest";
import type { SupervisionRow } from "../wire";
import { merge } from "./merge";

const rows = (...ids: number[]) => ids.map((id) => ({ id: String(id) }) as SupervisionRow);
const ids = (shown: { rows: SupervisionRow[] }) => shown.rows.map((row) => Number(row.id));

it("puts new rows on top and keeps the pages that were opened", () => {
  const joined = merge(rows(5, 4, 3, 2), "after 2", { rows: rows(6, 5, 4), next: "after 4" });
  expect(ids(joined)).toEqual([6, 5, 4, 3, 2]);
  expect(joined.next).toBe("after 2");
});

it("starts over where more came than a page holds: no hole in the middle", () => {
  const joined = merge(rows(3, 2), "after 2", { rows: rows(9, 8, 7), next: "after 7" });
  expect(ids(joined)).toEqual([9, 8, 7]);
  expect(joined.next).toBe("after 7");
});

it("takes a first page that is everything as everything", () => {
  expect(merge(rows(2, 1), null, { rows: rows(3, 2), next: null })).toEqual({ rows: rows(3, 2), next: null });
});

it("follows the head's cursor where nothing beyond it was shown", () => {
  expect(merge(rows(3, 2), null, { rows: rows(4, 3, 2), next: "after 2" }).next).toBe("after 2");
});

it("keeps the end where the last page was already shown", () => {
  expect(merge(rows(3, 2, 1), null, { rows: rows(4, 3), next: "after 3" }).next).toBeNull();
});
