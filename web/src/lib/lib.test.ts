import { describe, expect, it } from "vitest";
import { SPY_TYPE } from "../wire";
import { age, formats, isoLength, lag, length } from "./format";
import { hearing, hears } from "./hearing";

describe("format", () => {
  it.each([
    [0, "0:00"],
    [-500, "0:00"],
    [247_999, "4:07"],
    [3_723_000, "1:02:03"],
    [360_000_000, "100:00:00"],
  ])("length of %d ms is %s", (ms, text) => expect(length(ms)).toBe(text));

  it.each([
    [12_000, "12 s"],
    [240_000, "4 min"],
    [10_800_000, "3 h"],
    [172_800_000, "2 d"],
  ])("age of %d ms is %s", (ms, text) => expect(age(ms)).toBe(text));

  it("other units", () => {
    expect(isoLength(61_500)).toBe("PT61S");
    expect(lag(24.4)).toBe("24 ms");
    expect(lag(1500)).toBe("1.5 s");
  });

  it("is of the viewer's zone and locale, and names the zone", () => {
    const at = Date.UTC(2026, 10, 22, 9, 32, 5);
    const berlin = formats("en-GB", "Europe/Berlin");
    expect(berlin.time(at)).toBe("10:32:05");
    expect(berlin.dateTime(at)).toBe("22 Nov 2026, 10:32:05");
    expect(berlin.zone).toContain("Europe/Berlin");
    expect(berlin.when(at, at + 60_000)).toBe("10:32:05");
    expect(berlin.when(at, at + 86_400_000)).toBe("22 Nov 2026, 10:32:05");
    expect(formats("de-DE", "UTC").number(12345)).toBe("12.345");
  });
});

describe("who hears whom", () => {
  const voice = (type: (typeof SPY_TYPE)[number]) => [
    hears(type, "agent", "supervisor"),
    hears(type, "customer", "supervisor"),
  ];

  it("Monitor: nobody hears the supervisor; Coach: the agent; Barge: both", () => {
    expect(voice("Monitor")).toEqual([false, false]);
    expect(voice("Coach")).toEqual([true, false]);
    expect(voice("Barge")).toEqual([true, true]);
  });

  it.each(["Monitor", "Coach", "Barge"] as const)("%s: the supervisor hears both, and they each other", (type) => {
    expect(hears(type, "supervisor", "agent") && hears(type, "supervisor", "customer")).toBe(true);
    expect(hears(type, "agent", "customer") && hears(type, "customer", "agent")).toBe(true);
  });

  it("Barge-Kick: supervisor and customer are alone", () => {
    expect(hearing("Barge-Kick").heard.flat()).not.toContain("agent");
    expect(voice("Barge-Kick")).toEqual([false, true]);
  });

  it("Unknown claims nothing", () => {
    expect(hearing("Unknown")).toEqual({ known: false, heard: [] });
  });
});
