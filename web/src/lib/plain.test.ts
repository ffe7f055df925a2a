import { expect, it } from "vitest";
import { parse } from "./plain";

const SHOWN = "\ufffd";

it.each([
  ["Zoë Müller", "Zoë Müller"],
  ["أحمد علي", "أحمد علي"],
  ["a\u200fb", "a\u200fb"],
  ["tab\tand\nbreak", "tab\tand\nbreak"],
  ["\u001b[31mred", `${SHOWN}[31mred`],
  ["\u0007\b\f\u0000", SHOWN.repeat(4)],
  ["\u007f\u0085\u009b", SHOWN.repeat(3)],
  ["\u202egnp.exe\u202c", `${SHOWN}gnp.exe${SHOWN}`],
  ["\u2066x\u2069", `${SHOWN}x${SHOWN}`],
  ["\\u001b is a text", "\\u001b is a text"],
  ['quote " and \\ stay', 'quote " and \\ stay'],
])("%j", (text, shown) => {
  expect(parse(JSON.stringify({ name: [text] }))).toEqual({ name: [shown] });
  // as a server may write it that escapes all it can
  const escaped = JSON.stringify({ name: [text] }).replace(
    /[\u007f-\uffff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  expect(parse(escaped)).toEqual({ name: [shown] });
});

it("leaves few marks on a letter, and all that a script needs", () => {
  expect(parse(`"Z${"\u0300\u0489".repeat(40)}!"`)).toBe(`Z${"\u0300\u0489".repeat(3)}!`);
  for (const name of ["Nguyễn", "בְּרֵאשִׁ֖ית", "བརྒྱུད", "किशोर"]) {
    expect(parse(JSON.stringify(name.normalize("NFD")))).toBe(name.normalize("NFD"));
  }
});

it("refuses what is no JSON", () => expect(() => parse("<html>")).toThrow());
