import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ServerFrame } from "../wire";
import { backoff } from "./backoff";
import { Connection, type Listener, type Place, type Socket } from "./connection";

class FakeSocket implements Socket {
  sent: unknown[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(data: string) {
    this.sent.push(JSON.parse(data));
  }
  close() {
    this.closed = true;
  }
  say(frame: ServerFrame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

const hello: ServerFrame = { type: "hello", protocol: 1, version: "1", heartbeat_ms: 4000 };
const reset: ServerFrame = { type: "delta", epoch: "e", seq: 5, at: 0, reset: true };

function build() {
  const sockets: FakeSocket[] = [];
  const links: string[] = [];
  const told = { signedOut: 0, outdated: 0, signedIn: true, deltas: 0 };
  let place: Place | null = null;
  let answer: "applied" | "gap" = "applied";
  const listener: Listener = {
    delta(frame) {
      told.deltas += 1;
      if (answer === "applied") place = { epoch: frame.epoch, seq: frame.seq };
      return answer;
    },
    place: () => place,
    link: (link) => {
      if (links.at(-1) !== link) links.push(link);
    },
    measured: () => undefined,
    signedOut: () => (told.signedOut += 1),
    outdated: () => (told.outdated += 1),
  };
  const connection = new Connection(
    {
      open: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket;
      },
      now: () => Date.now(),
      random: () => 0,
      signedIn: () => Promise.resolve(told.signedIn),
    },
    listener,
  );
  const last = () => sockets.at(-1) as FakeSocket;
  return { connection, sockets, last, links, told, say: (a: "applied" | "gap") => (answer = a) };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function alive() {
  const all = build();
  all.connection.start();
  all.last().onopen?.();
  all.last().say(hello);
  all.last().say(reset);
  return all;
}

describe("backoff", () => {
  it("grows from half a second to fifteen and stays there", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 60].map((n) => backoff(n, 1))).toEqual([
      500, 1000, 2000, 4000, 8000, 15000, 15000, 15000,
    ]);
  });
  it("is spread, and never shorter than the first", () => {
    expect(backoff(5, 0)).toBe(7500);
    expect(backoff(0, 0)).toBe(500);
  });
});

describe("connection", () => {
  it("subscribes first, then measures, and is live with the first whole state", () => {
    const { links, last } = alive();
    expect(last().sent).toEqual([{ type: "subscribe" }, { type: "ping", n: 1 }]);
    expect(links).toEqual(["no data", "live"]);
  });

  it("pings each 5 s and learns the clock's offset", () => {
    const { connection, last } = alive();
    vi.advanceTimersByTime(5000);
    expect(last().sent.at(-1)).toEqual({ type: "ping", n: 2 });
    vi.advanceTimersByTime(100);
    last().say({ type: "pong", n: 2, at: Date.now() + 60_000, lags: [] });
    expect(connection.offset.trip).toBe(100);
    expect(connection.offset.ms).toBe(60_050);
  });

  it("takes silence of twice the heartbeat for a loss and comes back to its place", async () => {
    const { links, sockets, last } = alive();
    await vi.advanceTimersByTimeAsync(8600);
    expect(sockets[0]?.closed).toBe(true);
    expect(links.at(-1)).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(500);
    expect(sockets).toHaveLength(2);
    last().onopen?.();
    expect(last().sent[0]).toEqual({ type: "subscribe", epoch: "e", seq: 5 });
    expect(links.at(-1)).toBe("reconnecting");
    const ping = last().sent[1] as { n: number };
    // nothing was missed, so no delta comes: the answer to the ping says that all is there
    last().say({ type: "pong", n: ping.n, at: 0, lags: [] });
    expect(links.at(-1)).toBe("live");
  });

  it("says no data when nothing has come back for half a minute", async () => {
    const { links, last } = alive();
    last().onclose?.();
    await vi.advanceTimersByTimeAsync(31_000);
    expect(links).toEqual(["no data", "live", "reconnecting", "no data"]);
  });

  it("starts over without a place after a gap", async () => {
    const { last, say, sockets } = alive();
    say("gap");
    last().say({ type: "delta", epoch: "e", seq: 9, at: 0 });
    await vi.advanceTimersByTimeAsync(500);
    expect(sockets).toHaveLength(2);
    last().onopen?.();
    expect(last().sent[0]).toEqual({ type: "subscribe" });
  });

  it("goes to the sign-in page when the server says so, by word or by 401, and stops", async () => {
    const word = alive();
    word.last().say({ type: "bye", code: "signed_out", why: "" });
    expect(word.told.signedOut).toBe(1);
    const refused = alive();
    refused.told.signedIn = false;
    refused.last().onclose?.();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(refused.told.signedOut).toBe(1);
    expect(refused.sockets).toHaveLength(1);
  });

  it("stops at a newer protocol, which only a reload understands", () => {
    const { connection, last, told } = build();
    connection.start();
    last().say({ ...hello, protocol: 2 } as ServerFrame);
    expect(told.outdated).toBe(1);
  });
});
