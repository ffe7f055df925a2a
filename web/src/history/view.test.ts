import { describe, expect, it } from "vitest";
import { countOf, fromInput, parameters, read, span, toInput, turnTo, write } from "./view";

const of = (query: string) => read(new URLSearchParams(query));

describe("the address is the view", () => {
  it.each([
    "",
    "supervisor=sue&agent=ann&campaign=a+%26+b&type=Barge&possible=true&end_reason=hung+up&call=1.2&pbx=lab",
    "show=calls&number=%2B44+20&range=yesterday",
    "show=agent-status&status=paused&from=2026-11-22T09%3A00%3A00.000Z&to=2026-11-22T10%3A00%3A00.000Z",
  ])("comes back as it was: %s", (query) => expect(write(of(query))).toBe(query));

  it.each([
    ["show=nothing", ""],
    ["type=Whisper", ""],
    ["possible=true", ""],
    ["show=calls&supervisor=sue", "show=calls"],
    [`agent=${"x".repeat(301)}`, ""],
    ["range=tomorrow", ""],
    ["from=soon&to=-5", ""],
    ["from=2026-11-22T09:00:00Z&to=2026-11-22T08:00:00Z", "from=2026-11-22T09%3A00%3A00.000Z"],
  ])("is read as far as it makes sense: %s", (query, whole) => expect(write(of(query))).toBe(whole));

  it("keeps what the other ledger has too", () => {
    const calls = turnTo(of("supervisor=sue&agent=ann&type=Coach&range=today"), "calls");
    expect(write(calls)).toBe("show=calls&agent=ann&range=today");
  });

  it("counts its filters, the range as one", () => {
    expect(countOf(of(""))).toBe(0);
    expect(countOf(of("agent=ann&type=Coach&possible=true&range=today"))).toBe(3);
    expect(countOf(of("from=2026-11-22T09:00:00Z&to=2026-11-22T10:00:00Z"))).toBe(1);
  });
});

describe("a range", () => {
  const now = new Date(2026, 10, 22, 15, 30).getTime();
  const day = (n: number) => new Date(2026, 10, n).getTime();

  it("by the viewer's calendar", () => {
    expect(span({ preset: "today" }, now)).toEqual({ from: day(22), to: day(23) });
    expect(span({ preset: "yesterday" }, now)).toEqual({ from: day(21), to: day(22) });
    expect(span({ preset: "last7" }, now)).toEqual({ from: day(16), to: day(23) });
    expect(span({ from: 5 }, now)).toEqual({ from: 5 });
  });

  it("as the API asks for it", () => {
    const query = parameters(of("show=calls&agent=ann&range=yesterday"), now);
    expect(query.toString()).toBe(`agent=ann&begin=${day(21)}&end=${day(22)}`);
  });

  it("in an input and back", () => {
    const at = new Date(2026, 2, 4, 5, 6).getTime();
    expect(toInput(at)).toBe("2026-03-04T05:06");
    expect(fromInput("2026-03-04T05:06")).toBe(at);
    expect([toInput(undefined), fromInput(""), fromInput("x")]).toEqual(["", undefined, undefined]);
  });
});
