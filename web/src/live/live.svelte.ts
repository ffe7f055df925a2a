/** The live state of the page: store, connection and clock put together for components. */
import { SvelteMap, SvelteSet } from "svelte/reactivity";
import { signedIn, toSignIn } from "../api";
import { fmt } from "../lib/format";
import type { Delta, Pbx } from "../wire";
import { comings, join, sentences, type Comings } from "./announce";
import { Batch, nextPicture } from "./batch";
import { Connection, type Link, type Socket } from "./connection";
import { apply, judge, type Applied, type Place, type Store } from "./store";
import { Ticker } from "./ticker.svelte";

const FRESH_MS = 4_000;
/** What comes and goes within this time is said together: nobody can listen faster. */
const SAY_MS = 800;

function socket(): Socket {
  const address = new URL("/api/v1/stream", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(address) as Socket;
}

export interface Staleness {
  /** Server time that the values are from. */
  at: number;
  pbx: Pbx | null;
}

class Live {
  readonly store: Store = {
    place: null,
    pbx: new SvelteMap(),
    agent: new SvelteMap(),
    call: new SvelteMap(),
    supervision: new SvelteMap(),
    alert: new SvelteMap(),
    notice: new SvelteMap(),
    flag: new SvelteMap(),
    agentsOf: new SvelteMap(),
    supervisionsOn: new SvelteMap(),
  };
  readonly clock = new Ticker();
  readonly fresh = new SvelteSet<string>();
  link = $state<Link>("no data");
  why = $state("");
  outdated = $state(false);
  /** Server time of the last frame before the link was lost; null while nothing ever came. */
  lastAt = $state<number | null>(null);
  lags = $state.raw<ReadonlyMap<string, number | null>>(new Map());
  trip = $state<number | null>(null);
  /** For the polite live region. */
  said = $state<{ n: number; text: string }>({ n: 0, text: "" });
  /** Which supervisors' supervisions changed; "all" after a reset. */
  readonly watchers = new Set<(supervisors: ReadonlySet<string> | "all") => void>();
  #connection: Connection;
  #frames = new Batch<Delta>((deltas) => this.#apply(deltas), nextPicture);
  /** Place of the last frame that came, which may still wait to be applied. */
  #ahead: Place | null = null;
  #unsaid: Comings[] = [];
  #saying: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#connection = new Connection(
      { open: socket, now: () => Date.now(), random: () => Math.random(), signedIn },
      {
        delta: (delta) => this.#take(delta),
        place: () => this.#ahead,
        link: (link, why) => this.#linked(link, why),
        measured: (lags, offset) => {
          this.lags = new Map(lags.map((lag) => [lag.pbx, lag.ms]));
          this.trip = offset.trip;
          this.clock.offset = offset.ms;
          this.lastAt = Date.now() + offset.ms;
        },
        signedOut: toSignIn,
        outdated: () => (this.outdated = true),
      },
    );
  }

  start(): void {
    this.clock.start();
    this.#connection.start();
    addEventListener("online", () => this.#connection.hurry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#connection.hurry();
    });
  }

  stop(): void {
    this.#connection.stop();
  }

  get isLive(): boolean {
    return this.link === "live";
  }

  /** The lag of one PBX to this browser in ms, null where unknown. */
  lagOf(pbx: string): number | null {
    const ms = this.lags.get(pbx);
    if (ms === null || ms === undefined || this.trip === null) return null;
    return ms + this.trip / 2;
  }

  /** The worst of those that are live: what a viewer has to reckon with. */
  get lag(): number | null {
    let worst: number | null = null;
    for (const pbx of this.store.pbx.values()) {
      const ms = pbx.link === "live" ? this.lagOf(pbx.id) : null;
      if (ms !== null && (worst === null || ms > worst)) worst = ms;
    }
    return worst;
  }

  /** Null while a PBX's values are current, else since when they are not. */
  stale(pbxId: string): Staleness | null {
    const pbx = this.store.pbx.get(pbxId) ?? null;
    if (pbx && pbx.link !== "live") return { at: pbx.since, pbx };
    if (!this.isLive) return { at: this.lastAt ?? this.clock.now, pbx: null };
    return null;
  }

  /** The time that lengths of this PBX are counted to: it stands still while nobody can know. */
  nowFor(pbxId: string): number {
    const pbx = this.store.pbx.get(pbxId);
    return pbx && pbx.link !== "live" ? Math.min(pbx.since, this.clock.now) : this.clock.now;
  }

  /** Says something in the polite live region. */
  say(text: string): void {
    this.said = { n: this.said.n + 1, text };
  }

  #take(delta: Delta): Applied {
    const judged = judge(this.#ahead, delta);
    if (judged === "applied") {
      this.#ahead = { epoch: delta.epoch, seq: delta.seq };
      this.#frames.add(delta);
    }
    return judged;
  }

  #apply(deltas: Delta[]): void {
    const touched = new Set<string>();
    let everything = false;
    for (const delta of deltas) {
      const happened = comings(delta, this.store.supervision);
      const some = this.#touched(delta);
      if (some === "all") everything = true;
      else for (const who of some) touched.add(who);
      apply(this.store, delta);
      this.lastAt = delta.at;
      this.#mark(happened);
    }
    if (everything || touched.size > 0) {
      for (const watch of this.watchers) watch(everything ? "all" : touched);
    }
  }

  #mark(happened: Comings): void {
    for (const { id } of happened.started) {
      this.fresh.add(id);
      setTimeout(() => this.fresh.delete(id), FRESH_MS);
    }
    if (happened.started.length + happened.ended.length === 0) return;
    this.#unsaid.push(happened);
    this.#saying ??= setTimeout(() => {
      this.#saying = undefined;
      this.say(sentences(join(this.#unsaid.splice(0)), fmt.number).join(". "));
    }, SAY_MS);
  }

  #touched(delta: Delta): Set<string> | "all" {
    if (delta.reset) return "all";
    const found = new Set<string>();
    const known = (id: string) => {
      const old = this.store.supervision.get(id);
      if (old) found.add(old.supervisor.id);
    };
    for (const entity of delta.add ?? []) {
      if (entity.kind === "supervision") found.add(entity.supervisor.id);
    }
    for (const patch of delta.change ?? []) if (patch.kind === "supervision") known(patch.id);
    for (const ref of delta.remove ?? []) if (ref.kind === "supervision") known(ref.id);
    return found;
  }

  #linked(link: Link, why: string): void {
    this.#frames.flush(); // "live" must not be said of a picture that is still to come
    this.clock.offset = this.#connection.offset.ms;
    this.clock.running = link === "live";
    this.link = link;
    this.why = why;
  }
}

export const live = new Live();
