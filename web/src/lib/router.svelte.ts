import type { Permission } from "../wire";

/** The address as state. The whole router: a path, a query, and the History API. */
class Router {
  path = $state(location.pathname);
  query = $state(new URLSearchParams(location.search));

  constructor() {
    addEventListener("popstate", () => this.#read());
  }

  go(to: string, how: "push" | "replace" = "push"): void {
    if (to === location.pathname + location.search) return;
    history[how === "push" ? "pushState" : "replaceState"](null, "", to);
    this.#read();
  }

  #read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }
}

export const router = new Router();

/** For links: a plain click stays in the page, anything else (new tab, copy) is the browser's. */
export function follow(event: MouseEvent): void {
  const link = event.currentTarget;
  if (!(link instanceof HTMLAnchorElement)) return;
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  router.go(link.pathname + link.search);
}

export const COACH_MANAGER = "/quality/quality-assurance/coach-manager";
export const HISTORY = "/quality/quality-assurance/history";
export const LIVE_CALLS = "/live-calls";
export const FLAGS = "/flags";
export const FLAG_REVIEW = "/flags/review";
export const FLAG_BALANCE = "/flags/balance";
export const AUDIT = "/audit";
export const TEAM = "/team";
export const MY_CALLS = "/my-calls";
export const PEOPLE = "/settings/people";
export const PRIVACY = "/settings/privacy";
export const NEVER_MONITOR = "/settings/never-monitor";
export const FLAG_SETTINGS = "/settings/flags";
export const SCORE_SETTINGS = "/settings/scores";
export const SIGN_IN_SETTINGS = "/settings/sign-in";

/** Where somebody begins: an agent has a page of their own, and may see no other. */
export function homeOf(permissions: readonly Permission[]): string {
  const only = permissions.includes("notice.see") && !permissions.includes("supervision.see");
  return only ? MY_CALLS : COACH_MANAGER;
}

/** With the view that the address names, which a link to somebody must not leave. */
export function userAddress(id: string): string {
  const view = router.path === COACH_MANAGER ? router.query.get("view") : null;
  const query = new URLSearchParams({ user: id, ...(view === null ? {} : { view }) });
  return `${COACH_MANAGER}?${query}`;
}
