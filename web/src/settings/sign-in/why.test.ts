import { describe, expect, it } from "vitest";
import { Refused } from "../../api";
import { browserName, why } from "./why";

describe("a browser's name", () => {
  it.each([
    ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"],
    ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"],
    ["Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari, iOS"],
    ["curl/8.5 <script>", "curl/8.5 <script>"],
    ["", "does not say"],
  ])("%s", (agent, name) => expect(browserName(agent)).toBe(name));
});

describe("why", () => {
  it("is a sentence, with the field", () => {
    const problem = { error: "bad_request", message: "must be given", field: "name" };
    expect(why(new Refused(400, problem))).toEqual({ text: "Must be given.", field: "name" });
  });
  it("says that nothing came", () => {
    expect(why(new Refused(0, null)).text).toMatch(/does not answer/);
  });
});
