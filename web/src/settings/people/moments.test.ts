import { describe, expect, it } from "vitest";
import { fromField, kept, toField } from "./moments";

describe("moments", () => {
  it("come back as they were, to the minute", () => {
    const at = new Date(2026, 2, 31, 8, 5).getTime();
    expect(toField(at)).toBe("2026-03-31T08:05");
    expect(fromField(toField(at))).toBe(at);
  });
  it("keep their seconds where nobody changed the field", () => {
    const at = new Date(2026, 2, 31, 8, 5, 59, 123).getTime();
    expect(kept(toField(at), at)).toBe(at);
    expect(kept("2026-03-31T08:06", at)).toBe(new Date(2026, 2, 31, 8, 6).getTime());
    expect(kept("", null)).toBeNull();
    expect(kept("", 0)).toBe(0);
  });
  it("are nothing where nothing sensible was typed", () => {
    expect(fromField("")).toBeNull();
    expect(fromField("soon")).toBeNull();
    expect(toField(null)).toBe("");
  });
});
