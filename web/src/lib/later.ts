/**
 * The pages that come after the first picture. Coach Manager is what people open, often on a slow
 * line; the other pages are half of all the code, and are fetched once it is drawn.
 */
import type { Component } from "svelte";
import type { Me } from "../wire";

export type Page = Component<{ viewer: Me }> | Component;

const fetched = new Map<Load, Page>();

export type Load = () => Promise<{ default: Page }>;

export const later = {
  audit: () => import("../audit/AuditPage.svelte"),
  flagBalance: () => import("../flags/BalancePage.svelte"),
  flagReview: () => import("../review/ReviewPage.svelte"),
  flags: () => import("../flags/FlagsPage.svelte"),
  flagSettings: () => import("../settings/flags/FlagSettings.svelte"),
  history: () => import("../history/HistoryPage.svelte"),
  liveCalls: () => import("../live-calls/LiveCallsPage.svelte"),
  myCalls: () => import("../told/MyCalls.svelte"),
  neverMonitor: () => import("../settings/never-monitor/NeverMonitorPage.svelte"),
  people: () => import("../settings/people/PeoplePage.svelte"),
  privacy: () => import("../settings/privacy/PrivacyPage.svelte"),
  scoreSettings: () => import("../settings/scores/ScoreSettings.svelte"),
  signIn: () => import("../settings/sign-in/SignInSettings.svelte"),
  team: () => import("../team/TeamPage.svelte"),
} satisfies Record<string, Load>;

/** The page itself where it is there already, so that going to it draws nothing in between. */
export const present = (load: Load): Page | undefined => fetched.get(load);

export async function fetchPage(load: Load): Promise<Page> {
  const page = (await load()).default;
  fetched.set(load, page);
  return page;
}

const AFTER_MS = 1000;

/** All of them, when the browser has nothing better to do; what fails is fetched when gone to. */
export function fetchSoon(): void {
  const all = () => {
    for (const load of Object.values(later)) fetchPage(load).catch(() => undefined);
    import("../flags/Composer.svelte").catch(() => undefined);
  };
  setTimeout(() => ("requestIdleCallback" in window ? requestIdleCallback(all) : all()), AFTER_MS);
}
