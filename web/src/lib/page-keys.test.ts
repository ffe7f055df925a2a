import { expect, it } from "vitest";
import { keys } from "../texts";
import { keysOn, type PageWithKeys } from "./page-keys";

it.each([null, ...(Object.keys(keys.pages) as PageWithKeys[])])("lists no key twice on %s", (page) => {
  const found = keysOn(page).map(([key]) => key);
  expect(found).toContain("?");
  expect(new Set(found).size).toBe(found.length);
});
