/** Moments of a call as places in one of its recordings. Computed from when the recording began. */
import { length } from "../lib/format";
import { flags as flagTexts } from "../texts-flags";
import { player as texts } from "../texts-player";
import type { CallDetail, Polarity, Recording, SpyType } from "../wire";

export interface Mark {
  key: string;
  kind: Polarity | SpyType;
  /** ms from the start of the sound, never before it. */
  at: number;
  text: string;
}

/** Somebody who plays a moment wants to hear what led to it. */
export const BEFORE_MS = 5_000;

/** Where playing begins for a moment of the call, in ms of the recording; null where the recording did not run then. */
export function beginning(recording: Recording, moment: number, ended: number | null): number | null {
  const end = recording.ended ?? ended ?? Infinity;
  if (moment < recording.started || moment > end) return null;
  return Math.max(0, moment - recording.started - BEFORE_MS);
}

/** The recording in which a moment can be heard, the one that can be played first. */
export function holding(recordings: Recording[], moment: number, ended: number | null): Recording | null {
  const there = recordings.filter((one) => beginning(one, moment, ended) !== null);
  return there.find((one) => one.hindrance === null) ?? there[0] ?? null;
}

/** Flags and supervisions that fall into the recording, in their order. */
export function marksOf(detail: CallDetail, recording: Recording): Mark[] {
  const end = recording.ended ?? detail.call.ended ?? Infinity;
  const found: Mark[] = [];
  for (const one of detail.flags) {
    if (one.moment === null || one.moment < recording.started || one.moment > end) continue;
    const text = texts.flag(flagTexts.polarity[one.polarity], one.comment);
    found.push({ key: one.id, kind: one.polarity, at: one.moment - recording.started, text });
  }
  for (const supervision of detail.supervisions) {
    for (const part of supervision.segments) {
      if (part.started > end || (part.ended ?? end) < recording.started) continue;
      const at = Math.max(0, part.started - recording.started);
      const text = texts.supervision(supervision.supervisor.name, part.type);
      found.push({ key: `${supervision.id}-${part.n}`, kind: part.type, at, text });
    }
  }
  return found.sort((a, b) => a.at - b.at);
}

/** The loudest of each piece, 0 to 1, for a picture of so many bars. */
export function peaksOf(samples: Float32Array, bars: number): number[] {
  const each = samples.length / bars;
  const found: number[] = [];
  for (let n = 0; n < bars; n += 1) {
    let most = 0;
    const to = Math.min(samples.length, Math.ceil((n + 1) * each));
    for (let i = Math.floor(n * each); i < to; i += 1) most = Math.max(most, Math.abs(samples[i] ?? 0));
    found.push(most);
  }
  const loudest = Math.max(...found, 0.05);
  return found.map((one) => one / loudest);
}

export const place = (mark: Mark): string => length(mark.at);
