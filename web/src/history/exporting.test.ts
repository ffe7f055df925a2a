import { describe, expect, it } from "vitest";
import { fileName, Lines, wholeJson } from "./exporting";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("rows of an export", () => {
  it("of CSV are its lines without the columns, however it is cut", () => {
    const lines = new Lines("csv");
    expect(lines.rows(9)).toBe(0);
    for (const part of ["id,ty", "pe\r\n1,a\r", "\n2,b\r\n"]) lines.take(bytes(part));
    expect(lines.rows(9)).toBe(2);
  });

  it("of JSON are its lines", () => {
    const lines = new Lines("json");
    lines.take(bytes('{"entries":[\n{"id":1},\n{"id":2}'));
    expect(lines.rows(9)).toBe(2);
  });

  it("are never more than there are", () => {
    const lines = new Lines("csv");
    lines.take(bytes('id\r\n"a\nb\nc"\r\n'));
    expect(lines.rows(1)).toBe(1);
  });
});

it("tells a whole JSON from a part", () => {
  expect(wholeJson('],"gaps":[],"complete":true,"rows":12}')).toBe(12);
  expect(wholeJson('],"gaps":[],"complete":true,"rows":1')).toBeNull();
  expect(wholeJson('{"id":"complete"},')).toBeNull();
});

it("takes the server's file name, and no path", () => {
  expect(fileName('attachment; filename="monitord-calls-1.csv"', "x")).toBe("monitord-calls-1.csv");
  expect(fileName('attachment; filename="../../etc/passwd"', "x")).toBe("x");
  expect(fileName(null, "x")).toBe("x");
});
