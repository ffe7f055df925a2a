/** Reads an export as it comes, counts its rows, and tells a whole one from a part. */

export type Format = "csv" | "segments" | "json" | "jsonl";

/** Rows are lines of both formats; CSV has one for the columns. */
export class Lines {
  #ends = 0;
  readonly #columns: number;

  constructor(format: Format) {
    this.#columns = format === "json" ? 0 : 1;
  }

  take(chunk: Uint8Array): void {
    for (const byte of chunk) if (byte === 10) this.#ends += 1;
  }

  /** Up to a total, because a cell can hold line ends of its own. */
  rows(total: number): number {
    return Math.max(0, Math.min(total, this.#ends - this.#columns));
  }
}

const WHOLE = /"complete":true,"rows":(\d+)\}\s*$/;

/** How many rows an export in JSON says it has, null where it says nothing: it is a part. */
export function wholeJson(end: string): number | null {
  const found = WHOLE.exec(end);
  return found ? Number(found[1]) : null;
}

const SIGNED = /^\{"summary":\{"rows":(\d+),.*"signature":"[^"]+"\}\n$/;

/** The same of an export in JSON lines, whose last one is signed. */
export function wholeLines(end: string): number | null {
  const found = SIGNED.exec(end.slice(end.lastIndexOf("\n", end.length - 2) + 1));
  return found ? Number(found[1]) : null;
}

export function fileName(disposition: string | null, otherwise: string): string {
  return /filename="([\w.-]{1,200})"/.exec(disposition ?? "")?.[1] ?? otherwise;
}
