/** Which agents the team view shows, in what order, under which teams. */
import { agentOf, type Live } from "./live";
import { team as texts, words } from "../texts";
import type { Agent, Supervision, TeamAgent, TeamName, TeamView } from "../wire";

export const ORDERS = ["name", "status", "calls", "supervised", "heard"] as const;
export type Order = (typeof ORDERS)[number];

export interface Member extends TeamAgent {
  /** What the PBX tells of them now; null where it tells nothing. */
  now: Agent | null;
  /** Who is on them at this moment. */
  on: readonly Supervision[];
}
export type Row = { group: string; name: string; size: number } | { group: null; member: Member };

const collator = new Intl.Collator(undefined, { numeric: true });
const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export function members(view: TeamView, live: Live): Member[] {
  return view.agents.map((agent) => ({ ...agent, ...agentOf(live, agent.id) }));
}

/** Those of whom every word of `text` is in name, team or status. */
export function matching(all: readonly Member[], teams: readonly TeamName[], text: string): Member[] {
  const wanted = plain(text).split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [...all];
  const names = new Map(teams.map((team) => [team.id, team.name]));
  return all.filter((one) => {
    const status = one.now ? words.status[one.now.status] : "";
    const said = plain([one.name, one.id, names.get(one.team ?? "") ?? "", status].join("\n"));
    return wanted.every((word) => said.includes(word));
  });
}

/** By team where there are several, and in each by what was chosen. */
export function rows(all: readonly Member[], teams: readonly TeamName[], by: Order): Row[] {
  const groups = new Map<string, Member[]>();
  for (const one of all) {
    const group = one.team ?? "";
    const others = groups.get(group);
    if (others) others.push(one);
    else groups.set(group, [one]);
  }
  for (const some of groups.values()) some.sort(rule(by));
  const names = new Map(teams.map((team) => [team.id, team.name]));
  const name = (id: string) => names.get(id) ?? texts.noTeam;
  // those without a team come last
  const ordered = [...groups].sort(([a], [b]) =>
    Number(a === "") - Number(b === "") || collator.compare(name(a), name(b)),
  );
  return ordered.flatMap(([id, some]): Row[] => [
    ...(ordered.length > 1 ? [{ group: `team:${id}`, name: name(id), size: some.length }] : []),
    ...some.map((member) => ({ group: null, member })),
  ]);
}

function rule(by: Order): (a: Member, b: Member) => number {
  const name = (a: Member, b: Member) => collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1);
  const status = (one: Member) => (one.now ? words.status[one.now.status] : "￿");
  // whoever was never heard comes first: they are who is looked for
  const heard = (one: Member) => (one.on.length > 0 ? Infinity : (one.last?.started ?? -Infinity));
  const apart = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1);
  return {
    name,
    status: (a: Member, b: Member) => collator.compare(status(a), status(b)) || name(a, b),
    calls: (a: Member, b: Member) => b.calls - a.calls || name(a, b),
    supervised: (a: Member, b: Member) => b.supervised_ms - a.supervised_ms || name(a, b),
    heard: (a: Member, b: Member) => apart(heard(a), heard(b)) || name(a, b),
  }[by];
}
