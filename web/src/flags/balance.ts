/** What the pictures of the balance are drawn from. Pure. */
import type { FlagAdvice, FlagBalance, FlagCount, FlagsOn } from "../wire";

export const ORDERS = ["name", "advice"] as const;
export type Order = (typeof ORDERS)[number];

export const WEEKS = [4, 8, 13, 26] as const;

export const flagsOf = (count: FlagCount): number => count.good + count.bad;

/** Null where there is nothing to have a share of. */
export function shareOf(count: FlagCount): number | null {
  const all = flagsOf(count);
  return all === 0 ? null : count.good / all;
}

/** Null where no call was handled. */
export function rateOf(count: FlagCount): number | null {
  return count.calls ? flagsOf(count) / count.calls : null;
}

/** Never rounded up: what is below 70% must not read as 70%. */
export function percent(share: number, locale?: string): string {
  const digits = share > 0 && share < 0.1 ? 1 : 0;
  const unit = 100 * 10 ** digits;
  // 0.07 * 1000 is a little more than 70, and 0.29 * 100 a little less than 29
  const floor = Math.floor(share * unit + 1e-9) / unit;
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: digits }).format(floor);
}

const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** 12 Oct, in the viewer's zone. */
export const day = (at: number): string => DAY.format(at);

/** Of a band's picture: as far as the most flags need, but twice the band's end at most. */
export function topOf(agents: readonly FlagsOn[], high: number): number {
  const most = Math.max(0, ...agents.flatMap(({ weeks }) => weeks.slice(-2).map(flagsOf)));
  return Math.min(Math.max(high + 5, most), 2 * high);
}

/** Where a number stands, 0 to 1; what is beyond the top stands at it. */
export const along = (n: number, top: number): number => Math.min(1, Math.max(0, n / top));

export interface Bar {
  x: number;
  width: number;
  /** Heights, 0 to 1; both 0 where the week has no flag. */
  good: number;
  bad: number;
}

/** Of equal places in a width of 1, the oldest week first. */
export function bars(weeks: readonly FlagCount[]): Bar[] {
  const place = 1 / Math.max(1, weeks.length);
  return weeks.map((week, n) => {
    const good = shareOf(week);
    return { x: (n + 0.15) * place, width: 0.7 * place, good: good ?? 0, bad: good === null ? 0 : 1 - good };
  });
}

/** Weeks whose names are written under the picture: always the last, and no more than there is room for. */
export function labelled(weeks: number, most: number): number[] {
  const step = Math.max(1, Math.ceil(weeks / most));
  return Array.from({ length: weeks }, (_, n) => n).filter((n) => (weeks - 1 - n) % step === 0);
}

/** What somebody may want to do something about. */
export const suggests = (one: { advice: readonly FlagAdvice[] }): boolean =>
  one.advice.some((word) => word !== "within the band");

/** They come by name, and stay so among those with advice and the rest. */
export function ordered(some: readonly FlagsOn[], order: Order): FlagsOn[] {
  return order === "name" ? [...some] : [...some].sort((a, b) => Number(suggests(b)) - Number(suggests(a)));
}

export const anyFlag = (found: FlagBalance): boolean => found.total.some((week) => flagsOf(week) > 0);
