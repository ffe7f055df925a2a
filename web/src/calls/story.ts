/**
 * What happened on a call, as lanes over its time and as sentences in their order: the same twice,
 * from the ledger's rows. What is not known is said and not drawn.
 */
import { length } from "../lib/format";
import { flags as flagTexts } from "../texts-flags";
import { callPanel, story as texts } from "../texts-calls";
import { words } from "../texts";
import type { AgentStatus, CallDetail, CallPart, Polarity, SpyType } from "../wire";

export type Look = "waiting" | "talking" | "whole" | SpyType | AgentStatus;

export interface Bar {
  look: Look;
  /** From the start of the picture, of its whole length: 0 to 1. */
  from: number;
  to: number;
}
export interface Lane {
  key: string;
  name: string;
  kind: "call" | "agent" | "supervisor";
  bars: Bar[];
}
export interface Pin {
  id: string;
  polarity: Polarity;
  at: number;
}
export interface Line {
  key: string;
  /** ms from the start of the call; null where nobody said. */
  at: number | null;
  text: string;
  /** How long it took, or that it is still on. */
  took: string;
}
export interface Story {
  /** ms of the picture. */
  whole: number;
  open: boolean;
  lanes: Lane[];
  /** Times in which nobody could look. */
  gaps: { from: number; to: number }[];
  pins: Pin[];
  lines: Line[];
  unknown: string[];
}

/** Less than this is the difference of two clocks, no missing hold. */
const SLACK_MS = 2_000;

/** @param now server time, to which what runs is drawn */
export function tell(detail: CallDetail, now: number): Story {
  const { call } = detail;
  const from = call.started;
  const to = Math.max(from + 1, call.ended ?? now);
  const whole = to - from;
  const place = (at: number) => Math.min(1, Math.max(0, (at - from) / whole));
  const bar = (look: Look, start: number, end: number | null): Bar => ({ look, from: place(start), to: place(end ?? to) });
  const lines: Line[] = [];
  const unknown: string[] = [];
  const say = (key: string, at: number | null, text: string, end?: number | null) => {
    const took = end === undefined || at === null ? "" : end === null ? texts.runs : texts.for(length(end - at));
    lines.push({ key, at: at === null ? null : Math.max(0, at - from), text, took });
  };

  const agent = call.agent?.name ?? words.unknownAgent;
  const nameOf = (part: CallPart) => part.agent?.name ?? texts.otherAgent;
  const [first] = detail.parts;
  /** When the last agent got it. */
  const got = Math.min(to, Math.max(from, detail.parts.at(-1)?.ended ?? from));
  say("began", from, call.started_exact ? texts.began : texts.beganBefore);
  const lane: Bar[] = [];
  if (call.answered === null) {
    lane.push(bar(call.talk_ms > 0 || !call.started_exact ? "whole" : "waiting", from, to));
    if (call.talk_ms > 0 || !call.started_exact) unknown.push(texts.unknown.answered);
  } else {
    if (call.answered > from) lane.push(bar("waiting", from, call.answered));
    lane.push(bar("talking", call.answered, to));
    say("answered", call.answered, texts.answered(first ? nameOf(first) : agent));
  }
  const lanes: Lane[] = [{ key: "call", name: callPanel.lanes.call, kind: "call", bars: lane }];

  if (detail.parts.length > 0) {
    let since = call.answered ?? from;
    const bars: Bar[] = [];
    detail.parts.forEach((part, n) => {
      const next = detail.parts[n + 1];
      const taker = next ? nameOf(next) : agent;
      bars.push(bar("talking", since, part.ended));
      say(`part-${n}`, part.ended, (part.exact ? texts.handed : texts.handedAbout)(nameOf(part), taker));
      since = part.ended;
    });
    lanes.push({ key: "agents", name: callPanel.lanes.agents, kind: "agent", bars: [...bars, bar("talking", since, to)] });
  }
  // what the telephone did before and after is of other calls
  const statuses = detail.statuses.filter((one) => (one.ended ?? to) > got && one.started < to);
  if (statuses.length > 0) {
    const bars = statuses.map((one) => bar(one.status, Math.max(got, one.started), one.ended));
    lanes.push({ key: "agent", name: callPanel.lanes.agent, kind: "agent", bars });
  }
  let held = 0;
  for (const one of statuses) {
    const start = Math.max(got, one.started);
    const end = one.ended === null ? null : Math.min(to, one.ended);
    if (one.status === "on hold") held += (end ?? to) - start;
    const open = end === null && call.ended === null;
    say(`status-${one.id}`, start, texts.status(texts.statuses[one.status]), open ? null : (end ?? to));
  }
  for (const supervision of detail.supervisions) {
    const who = supervision.supervisor.name;
    const bars = supervision.segments.map((one) => bar(one.type, one.started, one.ended));
    lanes.push({ key: supervision.id, name: who, kind: "supervisor", bars });
    for (const one of supervision.segments) {
      const end = one.ended === null && call.ended === null ? null : Math.min(to, one.ended ?? to);
      say(`${supervision.id}-${one.n}`, Math.max(from, one.started), texts.supervised(who, one.type, one.at_least), end);
    }
  }
  const pins: Pin[] = [];
  for (const one of detail.flags) {
    if (one.moment !== null) pins.push({ id: one.id, polarity: one.polarity, at: place(one.moment) });
    say(`flag-${one.id}`, one.moment, texts.flag(flagTexts.polarity[one.polarity], one.by.name, one.comment));
  }
  for (const gap of detail.gaps) {
    say(`gap-${gap.started}`, Math.max(from, gap.started), texts.unseen(gap.why), gap.ended === null ? null : Math.min(to, gap.ended));
  }
  if (call.ended !== null) {
    // that the people on it hung up needs no reason
    const why = call.end_reason === null || call.end_reason === "call ended" ? "" : words.ended[call.end_reason];
    say("ended", call.ended, why ? texts.endedWhy(why) : texts.ended);
    if (!call.ended_exact) unknown.push(texts.unknown.end);
    if (call.hold_ms > held + SLACK_MS) {
      unknown.push(
        held > 0 ? texts.unknown.holds(length(call.hold_ms), length(held)) : texts.unknown.holdsNone(length(call.hold_ms)),
      );
    }
  }
  if (!detail.complete) unknown.push(texts.unknown.complete);

  // at one moment in the order in which they were said; the end is the end
  const rank = (line: Line) => (line.key === "ended" ? 1 : 0);
  lines.sort((a, b) => (a.at ?? Infinity) - (b.at ?? Infinity) || rank(a) - rank(b) || 0);
  return {
    whole,
    open: call.ended === null,
    lanes,
    gaps: detail.gaps.map((gap) => ({ from: place(gap.started), to: place(gap.ended ?? to) })),
    pins,
    lines,
    unknown,
  };
}
