/** Theme weeks: which Mondays, and what a week is about. */
import type { FlagSettingsShown } from "../wire";

const pad = (n: number) => String(n).padStart(2, "0");
const iso = (day: Date) => `${day.getFullYear()}-${pad(day.getMonth() + 1)}-${pad(day.getDate())}`;

/** ISO dates of this week's Monday and of those after it, where the reader is. */
export function mondays(now: number, weeks: number): string[] {
  const day = new Date(now);
  day.setHours(12, 0, 0, 0); // no clock change is at noon
  day.setDate(day.getDate() - ((day.getDay() + 6) % 7));
  return Array.from({ length: weeks }, () => {
    const monday = iso(day);
    day.setDate(day.getDate() + 7);
    return monday;
  });
}

/** Name of the theme of this week. */
export function themeOf(settings: FlagSettingsShown | null, now: number): string | undefined {
  const [monday] = mondays(now, 1);
  const id = settings?.weeks.find((week) => week.monday === monday)?.theme;
  return settings?.themes.find((theme) => theme.id === id)?.name;
}
