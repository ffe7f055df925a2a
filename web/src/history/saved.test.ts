import { expect, it } from "vitest";
import { add, load, MOST, store } from "./saved";

function memory(first: string | null = null) {
  let kept = first;
  return { getItem: () => kept, setItem: (_: string, value: string) => void (kept = value) };
}

it("keeps views by name, in their names' order, each once", () => {
  const storage = memory();
  store(storage, add(add(add([], "b", "x=1"), "a", "x=2"), "b", "x=3"));
  expect(load(storage)).toEqual([
    { name: "a", query: "x=2" },
    { name: "b", query: "x=3" },
  ]);
});

it.each(["{", "3", '{"name":1}', '[null,3,{"name":"a"}]', `[{"name":"${"x".repeat(61)}","query":""}]`])(
  "takes nothing from what is spoilt: %s",
  (text) => expect(load(memory(text))).toEqual([]),
);

it("has a bound, and stands a browser that keeps nothing", () => {
  const many = Array.from({ length: MOST + 5 }, (_, n) => ({ name: `${n}`, query: "" }));
  expect(load(memory(JSON.stringify(many)))).toHaveLength(MOST);
  const broken = { getItem: () => { throw new Error(); }, setItem: () => { throw new Error(); } };
  expect(load(broken)).toEqual([]);
  expect(() => store(broken, many)).not.toThrow();
});
