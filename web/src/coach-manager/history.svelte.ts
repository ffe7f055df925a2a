/** The history of the selected user: all of it, and where filters are set what fits them. */
import { Listing } from "../history/listing.svelte";
import { parameters, type View } from "../history/view";
import type { SupervisionRow } from "../wire";

const PAGE = 25;
/** Several changes within this time (a call ends: segment, state, removal) are one refresh. */
const SETTLE_MS = 250;
const everything = (): View => ({ ledger: "supervisions", filters: {}, range: {} });

export class HistoryOf {
  id = $state<string | null>(null);
  /** Without `supervisor`, which is the selected user. */
  view = $state.raw<View>(everything());
  readonly #all = new Listing<SupervisionRow>(PAGE, SETTLE_MS, false);
  readonly #fitting = new Listing<SupervisionRow>(PAGE, SETTLE_MS, false);

  /** Newest first and unfiltered: what the rest of the page knows this user by. */
  get rows(): SupervisionRow[] {
    return this.#all.rows;
  }

  get state(): Listing<SupervisionRow>["state"] {
    return this.#all.state;
  }

  get filtered(): boolean {
    return Object.keys(this.view.filters).length > 0 || Object.keys(this.view.range).length > 0;
  }

  get shown(): Listing<SupervisionRow> {
    return this.filtered ? this.#fitting : this.#all;
  }

  /** The API's parameters of what is shown. */
  get parameters(): string {
    const { filters, range } = this.view;
    const view: View = { ledger: "supervisions", filters: { ...filters, supervisor: this.id ?? "" }, range };
    return parameters(view, Date.now()).toString();
  }

  show(id: string | null): void {
    if (id === this.id) return;
    this.id = id;
    this.view = everything();
    this.#all.clear();
    this.#fitting.clear();
    if (id !== null) this.#all.show("supervisions", this.parameters);
  }

  filter(view: View): void {
    this.view = view;
    if (this.filtered) this.#fitting.show("supervisions", this.parameters);
    else this.#fitting.clear();
  }

  refresh(): void {
    this.#all.refresh();
    if (this.filtered) this.#fitting.refresh();
  }
}
