/** What somebody looks at in the audit log. It lives in the address, so that a link is the view. */
import { isSet, type Range, readRange, span, writeRange } from "../history/view";
import { AUDIT_KIND, type AuditKind } from "../wire";

export const TEXTS = ["actor", "person", "number", "target", "supervision"] as const;
export type TextFilter = (typeof TEXTS)[number];

export interface View {
  kind?: AuditKind;
  texts: Partial<Record<TextFilter, string>>;
  range: Range;
  /** One row that is shown above the others. */
  row?: number;
}

const LONGEST: Record<TextFilter, number> = { actor: 300, person: 300, number: 300, target: 300, supervision: 100 };

export function read(query: URLSearchParams): View {
  const view: View = { texts: {}, range: readRange(query) };
  const kind = AUDIT_KIND.find((name) => name === query.get("kind"));
  if (kind) view.kind = kind;
  for (const name of TEXTS) {
    const value = query.get(name);
    if (value && value.length <= LONGEST[name]) view.texts[name] = value;
  }
  const row = query.get("row") ?? "";
  if (/^[1-9]\d{0,14}$/.test(row)) view.row = Number(row);
  return view;
}

/** The query of its address, without the question mark. */
export function write(view: View): string {
  const query = new URLSearchParams();
  if (view.kind) query.set("kind", view.kind);
  for (const name of TEXTS) {
    const value = view.texts[name];
    if (value !== undefined) query.set(name, value);
  }
  writeRange(view.range, query);
  if (view.row !== undefined) query.set("row", String(view.row));
  return query.toString();
}

export function countOf(view: View): number {
  return (view.kind ? 1 : 0) + Object.keys(view.texts).length + (isSet(view.range) ? 1 : 0);
}

/** The API's parameters; an export takes the same. */
export function parameters(view: View, now: number): URLSearchParams {
  const query = new URLSearchParams();
  if (view.kind) query.set("kind", view.kind);
  for (const name of TEXTS) {
    const value = view.texts[name];
    if (value !== undefined) query.set(name, value);
  }
  const { from, to } = span(view.range, now);
  if (from !== undefined) query.set("begin", String(from));
  if (to !== undefined) query.set("end", String(to));
  return query;
}
