/** Numbers, instants and lengths as people read them. Locale and zone are the viewer's. */
import { units } from "../texts";

const pad = (n: number) => String(n).padStart(2, "0");

/** 4:07, 1:02:03. A length never runs backwards because two clocks differ by a little. */
export function length(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const h = Math.floor(s / 3600);
  const m = Math.floor(s / 60) % 60;
  return h > 0 ? `${h}:${pad(m)}:${pad(s % 60)}` : `${m}:${pad(s % 60)}`;
}

/** The same as an ISO 8601 duration, for <time datetime>. */
export function isoLength(ms: number): string {
  return `PT${Math.max(0, Math.floor(ms / 1000))}S`;
}

/** One unit is enough for an age: 12 s, 4 min, 3 h, 2 d. */
export function age(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} ${units.s}`;
  if (s < 3600) return `${Math.floor(s / 60)} ${units.min}`;
  if (s < 86_400) return `${Math.floor(s / 3600)} ${units.h}`;
  return `${Math.floor(s / 86_400)} ${units.d}`;
}

export function lag(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ${units.ms}` : `${(ms / 1000).toFixed(1)} ${units.s}`;
}

export interface Formats {
  /** 10:32:05 */
  time(at: number): string;
  /** 22 Nov 2026, 10:32:05 */
  dateTime(at: number): string;
  /** A time alone where it is of the same day as `now`, else with its date. */
  when(at: number, now: number): string;
  number(n: number): string;
  /** Europe/Berlin (CET) */
  zone: string;
}

export function formats(locale?: string, timeZone?: string): Formats {
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "medium", timeZone });
  const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone });
  const both = new Intl.DateTimeFormat(locale, {
    dateStyle: "medium",
    timeStyle: "medium",
    timeZone,
  });
  const number = new Intl.NumberFormat(locale);
  const name = time.resolvedOptions().timeZone;
  const short = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: "short" })
    .formatToParts(new Date())
    .find((part) => part.type === "timeZoneName")?.value;
  return {
    time: (at) => time.format(at),
    dateTime: (at) => both.format(at),
    when: (at, now) => (day.format(at) === day.format(now) ? time.format(at) : both.format(at)),
    number: (n) => number.format(n),
    zone: short && short !== name ? `${name} (${short})` : name,
  };
}

/** In the viewer's own locale and zone. */
export const fmt = formats();
