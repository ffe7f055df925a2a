/**
 * The stream's connection: subscribes, measures, notices silence, comes back. Knows nothing of
 * what the frames mean but their place; it is tested with fake timers and a fake socket.
 */
import { parse } from "../lib/plain";
import { PROTOCOL, type ClientMessage, type Delta, type Lag, type ServerFrame } from "../wire";
import { backoff } from "./backoff";
import { Offset } from "./clock";

/** What people see: as text and shape. */
export type Link = "live" | "reconnecting" | "no data";

export interface Place {
  epoch: string;
  seq: number;
}

export interface Socket {
  send(data: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
}

export interface Surroundings {
  open(): Socket;
  now(): number;
  random(): number;
  /** Whether the server still takes us for signed in; false sends to the sign-in page. */
  signedIn(): Promise<boolean>;
}

export interface Listener {
  /** Takes a delta; "gap" makes the connection start over without a place. */
  delta(delta: Delta): "applied" | "repeated" | "gap";
  place(): Place | null;
  link(link: Link, why: string): void;
  /** After each measured round trip, and with each heartbeat. */
  measured(lags: Lag[], offset: Offset): void;
  signedOut(): void;
  /** The server speaks a newer protocol: only a reload of the page helps. */
  outdated(): void;
}

const PING_MS = 5_000;
/** Until the server has said its own heartbeat. */
const HEARTBEAT_MS = 10_000;
/** Values that nobody has confirmed for so long are no longer called "reconnecting". */
const NO_DATA_AFTER_MS = 30_000;

export class Connection {
  readonly offset = new Offset();
  #around: Surroundings;
  #to: Listener;
  #socket: Socket | null = null;
  #attempt = 0;
  #heartbeat = HEARTBEAT_MS;
  #lastFrame = 0;
  #pings = new Map<number, number>();
  #n = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pinger: ReturnType<typeof setInterval> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #lostSince: number | null = null;
  #why = "";
  #withPlace = true;
  #stopped = false;

  constructor(around: Surroundings, to: Listener) {
    this.#around = around;
    this.#to = to;
  }

  start(): void {
    this.#stopped = false;
    this.#watch = setInterval(() => this.#look(), 500);
    this.#lostSince = this.#around.now();
    this.#to.link("no data", "");
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    clearInterval(this.#watch);
    this.#drop();
  }

  /** The browser says that the network is back, or the page is looked at again: do not sit out the wait. */
  hurry(): void {
    if (this.#stopped || this.#socket) return;
    clearTimeout(this.#retry);
    this.#attempt = 0;
    this.#connect();
  }

  #connect(): void {
    this.#lastFrame = this.#around.now();
    const socket = this.#around.open();
    this.#socket = socket;
    socket.onopen = () => {
      const place = this.#withPlace ? this.#to.place() : null;
      this.#send(place ? { type: "subscribe", ...place } : { type: "subscribe" });
      // its answer says that everything before it has arrived, also where nothing was missed
      this.#ping();
      this.#pinger = setInterval(() => this.#ping(), PING_MS);
    };
    socket.onmessage = (event) => {
      if (typeof event.data === "string") this.#take(parse(event.data) as ServerFrame);
    };
    socket.onclose = () => this.#lost("");
  }

  #send(message: ClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #ping(): void {
    const n = ++this.#n;
    this.#pings.set(n, this.#around.now());
    this.#send({ type: "ping", n });
  }

  #take(frame: ServerFrame): void {
    const now = this.#around.now();
    this.#lastFrame = now;
    switch (frame.type) {
      case "hello":
        if (frame.protocol > PROTOCOL) {
          this.stop();
          this.#to.outdated();
          return;
        }
        this.#heartbeat = frame.heartbeat_ms;
        return;
      case "delta": {
        if (frame.reset) this.offset.guess(frame.at, now);
        if (this.#to.delta(frame) === "gap") {
          this.#withPlace = false;
          this.#lost("");
          return;
        }
        this.#withPlace = true;
        // what was missed may come in several frames, but the first reset is a whole state
        if (frame.reset || this.#lostSince === null) this.#alive();
        return;
      }
      case "pong": {
        const sent = frame.n === null ? undefined : this.#pings.get(frame.n);
        if (frame.n !== null && sent !== undefined) {
          this.#pings.delete(frame.n);
          this.offset.add({ sent, received: now, at: frame.at });
          if (this.#to.place() !== null && this.#withPlace) this.#alive();
        }
        this.#to.measured(frame.lags, this.offset);
        return;
      }
      case "bye":
        if (frame.code === "signed_out") {
          this.stop();
          this.#to.signedOut();
          return;
        }
        this.#why = frame.why;
        return;
    }
  }

  #alive(): void {
    this.#attempt = 0;
    this.#why = "";
    if (this.#lostSince === null) return;
    this.#lostSince = null;
    this.#to.link("live", "");
  }

  /** Twice a second: is it silent, and for how long has there been nothing? */
  #look(): void {
    const now = this.#around.now();
    if (this.#socket && now - this.#lastFrame > 2 * this.#heartbeat) this.#lost("");
    if (this.#lostSince !== null && now - this.#lostSince > NO_DATA_AFTER_MS) {
      this.#to.link("no data", this.#why);
    }
  }

  #drop(): void {
    clearInterval(this.#pinger);
    this.#pings.clear();
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #lost(why: string): void {
    this.#drop();
    if (this.#stopped) return;
    if (this.#lostSince === null) {
      this.#lostSince = this.#around.now();
      this.#to.link("reconnecting", why || this.#why);
    }
    const wait = backoff(this.#attempt, this.#around.random());
    this.#attempt += 1;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#again(), wait);
  }

  /** A refused upgrade looks like any failure to a browser, so the session is asked for by HTTP. */
  async #again(): Promise<void> {
    const signedIn = await this.#around.signedIn().catch(() => true);
    if (this.#stopped || this.#socket) return;
    if (!signedIn) {
      this.stop();
      this.#to.signedOut();
      return;
    }
    this.#connect();
  }
}
