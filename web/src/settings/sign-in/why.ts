/** Refusals as sentences. */
import { Refused } from "../../api";
import { signInSettings as texts } from "../../texts";

/** What to tell of it, and the field that is to blame. */
export function why(error: unknown): { text: string; field: string | null } {
  if (!(error instanceof Refused) || error.problem === null) return { text: texts.noAnswer, field: null };
  const { message, field } = error.problem;
  return { text: texts.fieldIs(message), field: field ?? null };
}

/** A browser's name for itself in the few words that people know it by. */
export function browserName(agent: string): string {
  const of = (names: [RegExp, string][]) => names.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = of([
    [/Edg\//, "Edge"],
    [/OPR\//, "Opera"],
    [/Firefox\//, "Firefox"],
    [/Chrome\//, "Chrome"],
    [/Version\/.*Safari\//, "Safari"],
  ]);
  const system = of([
    [/Windows/, "Windows"],
    [/Android/, "Android"],
    [/iPhone|iPad/, "iOS"],
    [/Mac OS X/, "macOS"],
    [/Linux/, "Linux"],
  ]);
  if (browser === undefined) return agent || texts.unknownBrowser;
  return system === undefined ? browser : `${browser}, ${system}`;
}
