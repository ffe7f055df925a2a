import { expect, test } from "vitest";
import type { FlagSettingsShown } from "../wire";
import { mondays, themeOf } from "./weeks";

test("weeks begin on Monday, over a change of the clocks and of the year", () => {
  expect(mondays(new Date(2026, 10, 22, 23, 59).getTime(), 2)).toEqual(["2026-11-16", "2026-11-23"]);
  expect(mondays(new Date(2026, 10, 23).getTime(), 1)).toEqual(["2026-11-23"]);
  expect(mondays(new Date(2026, 9, 22).getTime(), 2)).toEqual(["2026-10-19", "2026-10-26"]);
  expect(mondays(new Date(2026, 11, 30).getTime(), 2)).toEqual(["2026-12-28", "2027-01-04"]);
});

test("the theme of a week by its name, where there is one", () => {
  const settings: FlagSettingsShown = {
    visible: false,
    hidden: 0,
    themes: [{ id: "tone", name: "Tone" }],
    weeks: [{ monday: "2026-11-16", theme: "tone" }],
  };
  expect(themeOf(settings, new Date(2026, 10, 20).getTime())).toBe("Tone");
  expect(themeOf(settings, new Date(2026, 10, 23).getTime())).toBeUndefined();
  expect(themeOf(null, 0)).toBeUndefined();
});
