/** A row of the audit log as a person reads it: a sentence, and what there is to add. */
import { fmt, length } from "../lib/format";
import { current, words } from "../texts";
import { outcomes, says } from "../texts-audit";
import { SPY_TYPE, type AuditRow, type EndReason, type SpyType } from "../wire";

export interface Sentence {
  text: string;
  facts: string[];
  /** Of a supervision. */
  type?: SpyType;
  /** Something that people should not pass over. */
  mark?: "bad" | "gap";
}

type Values = Record<string, unknown>;

const values = (value: unknown): Values => (value !== null && typeof value === "object" ? (value as Values) : {});
const text = (value: unknown): string => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");
const whole = (value: unknown): number | null => (typeof value === "number" ? value : null);
/** A word that a later version may have more of. */
const worded = (catalogue: Record<string, string>, word: string) => catalogue[word] ?? word;

export function actorOf(row: AuditRow): string {
  if (row.actor === null) return says.itself;
  return row.actor.name ?? row.actor.id ?? says.erased;
}

export function sentence(row: AuditRow): Sentence {
  switch (row.action) {
    case "observe supervision":
      return supervision(row);
    case "observe gap":
      return gap(values(row.detail["row"]));
    case "observe alert":
      return alert(values(row.detail["row"]));
    case "observe segment": {
      const part = values(row.detail["row"]);
      return { text: says.segment(text(part["n"]), text(part["type"])), facts: [] };
    }
    case "disconnect": {
      const { supervisor, agent } = row.detail;
      const own = row.actor?.id != null && values(supervisor)["id"] === row.actor.id;
      const said = says.disconnect(
        actorOf(row),
        own ? says.themselves : text(values(supervisor)["name"]) || says.erased,
        text(values(agent)["name"]) || says.anybody,
      );
      return settled(row, said, []);
    }
    case "export": {
      const rows = whole(row.detail["rows"]);
      const facts = [...filtersOf(row), ...(rows === null ? [] : [says.rows(fmt.number(rows))])];
      return settled(row, says.exported(actorOf(row), worded(says.things, row.target)), facts);
    }
    case "prove log":
      return settled(row, says.other(actorOf(row), "").replace(": ", ` ${says.acts["prove log"]}`), []);
    case "view history": {
      const one = /^[0-9a-f]{20}$/.test(row.target)
        ? says.oneSupervision
        : /^call [0-9a-f]{20}$/.test(row.target)
          ? says.oneCall
          : null;
      const known = one ?? worded(says.things, row.target);
      return { text: says.viewed(actorOf(row), known), facts: filtersOf(row) };
    }
    case "view audit log":
      return { text: says.viewedLog(actorOf(row)), facts: row.target === "rows" ? filtersOf(row) : [row.target] };
    case "fail sign-in": {
      const login = text(row.detail["login"]);
      return { text: login ? says.failedSignIn(login) : says.failedSignInHow, facts: from(row), mark: "bad" };
    }
    case "refuse sign-ins": {
      const where = text(row.detail["address"]) || says.anybody;
      return { text: says.refusedSignIns(fmt.number(whole(row.detail["tries"]) ?? 0), where), facts: [], mark: "bad" };
    }
  }
  if (row.about !== null) return { text: says.outcomeOf(fmt.number(row.about)), facts: [outcome(row.detail)] };
  return plain(row);
}

function plain(row: AuditRow): Sentence {
  const act = says.acts[row.action];
  if (act === undefined) return { text: says.other(actorOf(row), row.action), facts: from(row) };
  const own = row.actor !== null && row.target === row.actor.id;
  const named = text(row.detail["name"]) || (own ? "" : row.target);
  return { text: says.named(actorOf(row), act, named).trim(), facts: from(row) };
}

const from = (row: AuditRow) => (text(row.detail["address"]) ? [says.address(text(row.detail["address"]))] : []);

function filtersOf(row: AuditRow): string[] {
  return Object.entries(values(row.detail["filters"])).map(([name, value]) => {
    const at = (name === "begin" || name === "end") && /^\d+$/.test(text(value)) ? fmt.dateTime(Number(value)) : text(value);
    return says.filter(name, at);
  });
}

const outcome = (of: Values) => [worded(outcomes, text(of["outcome"])), text(of["why"])].filter(Boolean).join(": ");

function settled(row: AuditRow, said: string, facts: string[]): Sentence {
  const became = row.outcome;
  if (became === null) return { text: said, facts };
  if (became.state === "under way") return { text: said, facts: [...facts, outcomes["under way"]!] };
  if (became.state === "unknown") return { text: said, facts: [...facts, outcomes["unknown"]!], mark: "bad" };
  const good = ["confirmed", "complete", "whole"].includes(became.outcome);
  return { text: said, facts: [...facts, outcome({ ...became })], ...(good ? {} : { mark: "bad" as const }) };
}

function supervision(row: AuditRow): Sentence {
  const seen = values(row.detail["row"]);
  const type = SPY_TYPE.find((one) => one === seen["type"]) ?? "Unknown";
  const who = text(seen["supervisor_name"]) || actorOf(row);
  // an agent without a key was erased, one without an id was never known
  const agent = text(seen["agent_name"]) || ("agent_id" in seen ? says.agentUnknown : says.erased);
  const started = whole(seen["started"]) ?? row.at;
  const ended = whole(seen["ended"]);
  const took = whole(seen["length_ms"]);
  const facts = [
    ...(seen["at_least"] === true ? [says.atLeast(type)] : []),
    ended === null
      ? says.from(fmt.dateTime(started))
      : says.fromTo(fmt.dateTime(started), fmt.when(ended, started)) + (took === null ? "" : ` (${length(took)})`),
  ];
  const means = text(seen["means"]);
  if (means && means !== "unknown") facts.push(says.by(worded(current.how, means)));
  const numbers = [...new Set(row.parts.map((part) => text(part["number"])).filter(Boolean))];
  if (numbers.length > 0) facts.push(says.callOf(numbers.join(", ")));
  const campaign = text(seen["campaign"]);
  if (campaign) facts.push(says.campaign(campaign));
  const why = text(seen["end_reason"]);
  if (why) {
    const worded_ = words.ended[why as EndReason] ?? why;
    const by = text(seen["ended_by_name"]);
    facts.push(by ? says.endedBy(by, worded_) : says.ended(worded_));
  }
  return { text: says.supervised(who, type, agent, ended === null), facts, type };
}

function gap(seen: Values): Sentence {
  const started = whole(seen["started"]) ?? 0;
  const ended = whole(seen["ended"]);
  const pbx = text(seen["pbx"]);
  const said =
    ended === null
      ? says.gapOpen(pbx, fmt.dateTime(started))
      : says.gap(pbx, fmt.dateTime(started), fmt.when(ended, started));
  return { text: said, facts: text(seen["why"]) ? [text(seen["why"])] : [], mark: "gap" };
}

function alert(seen: Values): Sentence {
  const who = text(seen["supervisor_name"]) || says.erased;
  const whom = text(seen["agent_name"]) || says.agentUnknown;
  return {
    text: says.alert(who, text(seen["type"]), whom),
    facts: [text(seen["done"]), text(seen["done_why"])].filter(Boolean),
    mark: "bad",
  };
}
