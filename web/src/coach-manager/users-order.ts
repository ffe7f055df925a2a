/** Which users the left list shows, and in what order. */
import type { Order } from "../lib/prefs.svelte";
import type { User } from "../live/queries";
import { words } from "../texts";
import type { SpyType } from "../wire";

/** The stronger, the further up; what is not known stands before what is harmless. */
const STRENGTH: Record<SpyType, number> = { "Barge-Kick": 4, Barge: 3, Coach: 2, Unknown: 1, Monitor: 0 };

const collator = new Intl.Collator(undefined, { numeric: true });
const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function says(user: User): string {
  const said = [user.name];
  for (const one of user.supervisions) {
    said.push(one.supervisor.endpoint, one.agent?.name ?? words.unknownAgent, one.agent?.endpoint ?? "");
    said.push(words.type[one.type]);
    if (one.state === "waiting") said.push(words.waiting);
  }
  return plain(said.join("\n"));
}

/** Those of whom every word of `text` is somewhere in name, agents, endpoints or types. */
export function matching(users: readonly User[], text: string): User[] {
  const wanted = plain(text).split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [...users];
  return users.filter((user) => {
    const said = says(user);
    return wanted.every((word) => said.includes(word));
  });
}

/** By instants, never by lengths: an order by what ticks would be the same, and costs more. */
export function ordered(users: readonly User[], by: Order): User[] {
  const oldest = (user: User) => Math.min(...user.supervisions.map((one) => one.started));
  const newest = (user: User) => Math.max(...user.supervisions.map((one) => one.started));
  const strongest = (user: User) => Math.max(...user.supervisions.map((one) => STRENGTH[one.type]));
  const name = (a: User, b: User) => collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1);
  const rule = {
    name,
    longest: (a: User, b: User) => oldest(a) - oldest(b) || name(a, b),
    newest: (a: User, b: User) => newest(b) - newest(a) || name(a, b),
    type: (a: User, b: User) => strongest(b) - strongest(a) || name(a, b),
  }[by];
  return [...users].sort(rule);
}

/** Nothing changes its place under somebody's hand: who was there stays, who is new comes last. */
export function held<Item extends { id: string }>(before: readonly string[], now: readonly Item[]): Item[] {
  const byId = new Map(now.map((one) => [one.id, one]));
  const stay = before.flatMap((id) => byId.get(id) ?? []);
  for (const one of stay) byId.delete(one.id);
  return [...stay, ...byId.values()];
}
