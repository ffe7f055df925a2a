/** One export, from the click to the saved file. */
import { Refused, toSignIn } from "../api";
import { exporting as texts } from "../texts";
import type { ProblemDetail } from "../wire";
import { fileName, type Format, Lines, wholeJson, wholeLines } from "./exporting";

/** Of a file, in which it says that it is whole. */
const TAIL = 1_000;
const ENDING: Record<Format, string> = { csv: "csv", segments: "csv", json: "json", jsonl: "jsonl" };

export class Export {
  state = $state<"idle" | "running" | "done" | "failed" | "cancelled">("idle");
  rows = $state(0);
  /** Null until the server has told. */
  total = $state<number | null>(null);
  why = $state("");
  name = $state("");
  #stop = new AbortController();

  async start(address: string, format: Format): Promise<void> {
    this.#stop = new AbortController();
    this.state = "running";
    this.rows = 0;
    this.total = null;
    this.why = "";
    const { signal } = this.#stop;
    try {
      const file = await this.#receive(address, format, signal);
      if (signal.aborted) return;
      save(file, this.name);
      this.state = "done";
    } catch (error) {
      if (signal.aborted) return;
      this.state = "failed";
      this.why = error instanceof Refused ? error.message : "";
    }
  }

  cancel(): void {
    if (this.state !== "running") return;
    this.#stop.abort();
    this.state = "cancelled";
  }

  async #receive(address: string, format: Format, signal: AbortSignal): Promise<Blob> {
    const answer = await fetch(address, { signal, cache: "no-store" });
    if (!answer.ok || !answer.body) {
      if (answer.status === 401) toSignIn();
      throw new Refused(answer.status, (await answer.json().catch(() => null)) as ProblemDetail | null);
    }
    const total = Number(answer.headers.get("Monitord-Rows") ?? 0);
    this.total = total;
    this.name = fileName(answer.headers.get("Content-Disposition"), `monitord.${ENDING[format]}`);
    const lines = new Lines(format);
    const parts: BlobPart[] = [];
    const reader = answer.body.getReader();
    for (;;) {
      // a CSV that broke off ends here with an error: its last chunk is missing
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      lines.take(value);
      this.rows = lines.rows(total);
    }
    const file = new Blob(parts, { type: answer.headers.get("Content-Type") ?? "" });
    if (format === "json" || format === "jsonl") {
      const end = await file.slice(-TAIL).text();
      const told = format === "json" ? wholeJson(end) : wholeLines(end);
      if (told === null) throw new Error(texts.failed);
      this.rows = told;
    }
    return file;
  }
}

function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // the browser has begun to read it by then
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
