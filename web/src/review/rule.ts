/** Which calls a focus is about. The same rule as the server's (monitord/coaching/rules.py). */
import type { Call, FocusRule, FocusShown } from "../wire";

const same = (wanted: string | null | undefined, has: string | undefined) =>
  wanted == null || (has !== undefined && has.toLowerCase() === wanted.toLowerCase());

/** A focus on a theme alone lights up no call. */
export function matches({ rule, agent }: Pick<FocusShown, "rule" | "agent">, call: Pick<Call, "agent" | "result" | "campaign" | "list">): boolean {
  if (call.agent?.id !== agent.id) return false;
  if (rule.result == null && rule.campaign == null && rule.list == null) return false;
  return same(rule.result, call.result?.value) && same(rule.campaign, call.campaign?.value) && same(rule.list, call.list?.value);
}

const FIELDS = ["result", "campaign", "list", "theme"] as const;

/** What is left of what was typed; null where nothing is. */
export function ruleOf(typed: Readonly<Record<(typeof FIELDS)[number], string>>): FocusRule | null {
  const [result, campaign, list, theme] = FIELDS.map((name) => typed[name].trim() || null);
  if (!result && !campaign && !list && !theme) return null;
  return { result: result ?? null, campaign: campaign ?? null, list: list ?? null, theme: theme ?? null };
}
