/** The flag that is being made, whichever page it was begun on. */
import { Refused } from "../api";
import { me } from "../lib/viewer.svelte";
import { live } from "../live/live.svelte";
import { composer } from "../texts-flags";
import type { FlagSettingsShown, FlagShown } from "../wire";
import { edit, make, settings } from "./api";
import { readDrafts, writeDrafts } from "./box";
import { type Draft, hasWords } from "./drafts";

/** What is known of a call when somebody flags it. */
export type Flaggable = Pick<Draft, "call" | "callId" | "agent" | "started" | "startedExact" | "ended">;

class Flagging {
  /** What the dialog shows; null while it is closed. */
  draft = $state<Draft | null>(null);
  /** A flag that is changed instead of made. */
  old = $state.raw<FlagShown | null>(null);
  drafts = $state.raw<readonly Draft[]>([]);
  settings = $state.raw<FlagSettingsShown | null>(null);
  saving = $state(false);
  why = $state("");
  fault = $state.raw<{ field: string; message: string } | null>(null);
  /** Told when a flag was made or changed. */
  readonly watchers = new Set<(flag: FlagShown) => void>();

  #person(): string {
    return me.who?.id ?? "";
  }

  /** After the sign-in: what was begun before a reload. */
  async start(): Promise<void> {
    void this.#settings();
    const kept = (await readDrafts(this.#person())).filter(hasWords);
    const begun = new Set(this.drafts.map((one) => one.id));
    this.drafts = [...kept.filter((one) => !begun.has(one.id)), ...this.drafts];
  }

  async #settings(): Promise<void> {
    try {
      this.settings = await settings();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  /** The moment is that of the press; what was begun on this call before goes on. */
  begin(call: Flaggable): void {
    if (this.draft) return;
    const moment = call.ended === null ? Math.round(live.clock.exact) : null;
    const before = this.drafts.find((one) => one.call === call.call);
    this.old = null;
    this.#open(
      before ?? {
        id: Array.from(crypto.getRandomValues(new Uint8Array(10)), (n) => n.toString(16).padStart(2, "0")).join(""),
        ...call,
        moment,
        polarity: null,
        comment: "",
        wanted: "",
        themes: [],
        begun: Date.now(),
      },
    );
  }

  change(flag: FlagShown): void {
    const started = flag.moment !== null && flag.offset_ms !== null ? flag.moment - flag.offset_ms : 0;
    this.old = flag;
    this.#open({
      id: flag.id,
      call: flag.call,
      callId: flag.call_id,
      agent: flag.agent.name,
      started,
      startedExact: true,
      ended: 0,
      moment: flag.moment,
      polarity: flag.polarity,
      comment: flag.comment,
      wanted: flag.wanted,
      themes: flag.themes,
      begun: flag.made,
    });
  }

  goOn(draft: Draft): void {
    this.old = null;
    this.#open(draft);
  }

  #open(draft: Draft): void {
    this.why = "";
    this.fault = null;
    this.draft = { ...draft, themes: [...draft.themes] };
    void this.#settings();
  }

  /** With every change of the form. */
  keep(): void {
    const { draft } = this;
    if (!draft || this.old) return;
    const rest = this.drafts.filter((one) => one.id !== draft.id);
    this.drafts = hasWords(draft) ? [...rest, $state.snapshot(draft)] : rest;
    void writeDrafts(this.#person(), this.drafts);
  }

  close(): void {
    this.keep();
    this.draft = null;
    this.old = null;
  }

  discard(id: string): void {
    if (this.draft?.id === id) {
      this.draft = null;
      this.old = null;
    }
    this.drafts = this.drafts.filter((one) => one.id !== id);
    void writeDrafts(this.#person(), this.drafts);
  }

  /** True where it is saved. */
  async save(): Promise<boolean> {
    const { draft, old } = this;
    if (!draft || this.saving || draft.polarity === null) return false;
    this.saving = true;
    this.why = "";
    this.fault = null;
    const said = {
      polarity: draft.polarity,
      comment: draft.comment,
      wanted: draft.wanted,
      themes: $state.snapshot(draft.themes),
    };
    try {
      const flag = old
        ? await edit(old.id, said)
        : await make({ id: draft.id, call: draft.call, moment: draft.moment, ...said });
      this.discard(draft.id);
      for (const watch of this.watchers) watch(flag);
      live.say(composer.saved(draft.agent));
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const field = error.problem?.field;
      if (field) this.fault = { field, message: error.message };
      this.why = error.status === 0 ? composer.offline : error.message;
      return false;
    } finally {
      this.saving = false;
    }
  }
}

export const flagging = new Flagging();
