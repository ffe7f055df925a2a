/**
 * The pages: their address, what it takes to see them, and what stands around them. Coach Manager
 * comes with the first fetch; `load` fetches the others (lib/later.ts says why).
 */
import { type Load, later } from "./lib/later";
import {
  AUDIT,
  COACH_MANAGER,
  FLAG_BALANCE,
  FLAG_REVIEW,
  FLAG_SETTINGS,
  SCORE_SETTINGS,
  FLAGS,
  HISTORY,
  LIVE_CALLS,
  MY_CALLS,
  NEVER_MONITOR,
  PEOPLE,
  PRIVACY,
  SIGN_IN_SETTINGS,
  TEAM,
} from "./lib/router.svelte";
import { frame } from "./texts";
import { flags, flagSettings } from "./texts-flags";
import { never } from "./texts-never";
import { people } from "./texts-people";
import { privacy } from "./texts-privacy";
import { told } from "./texts-told";
import type { Permission } from "./wire";

/** `live`: how the link stands, and what is announced. `watch`: alerts and questions as well. */
type Around = "nothing" | "live" | "watch";

export interface Place {
  /** Absent for Coach Manager. */
  load?: Load;
  needs?: Permission;
  /** What is told to whoever lacks it. */
  forbidden?: string;
  around: Around;
}

export const PLACES: Readonly<Record<string, Place>> = {
  [COACH_MANAGER]: { needs: "supervision.see", forbidden: frame.noPermission, around: "watch" },
  [LIVE_CALLS]: {
    load: later.liveCalls,
    needs: "supervision.see",
    forbidden: frame.noPermissionCalls,
    around: "watch",
  },
  [HISTORY]: {
    load: later.history,
    needs: "supervision.see",
    forbidden: frame.noPermission,
    around: "watch",
  },
  [FLAGS]: { load: later.flags, needs: "flag.see", forbidden: flags.forbidden, around: "watch" },
  [FLAG_BALANCE]: { load: later.flagBalance, needs: "flag.see", forbidden: flags.forbidden, around: "watch" },
  [FLAG_REVIEW]: { load: later.flagReview, needs: "flag.make", forbidden: flags.forbidden, around: "watch" },
  [TEAM]: { load: later.team, needs: "team.see", forbidden: frame.noPermissionTeam, around: "watch" },
  [MY_CALLS]: { load: later.myCalls, needs: "notice.see", forbidden: told.forbidden, around: "live" },
  [AUDIT]: {
    load: later.audit,
    needs: "audit.see",
    forbidden: frame.noPermissionAudit,
    around: "nothing",
  },
  [PEOPLE]: {
    load: later.people,
    needs: "roster.see",
    forbidden: people.forbidden,
    around: "nothing",
  },
  [PRIVACY]: {
    load: later.privacy,
    needs: "privacy.see",
    forbidden: privacy.forbidden,
    around: "nothing",
  },
  [NEVER_MONITOR]: {
    load: later.neverMonitor,
    needs: "privacy.see",
    forbidden: never.forbidden,
    around: "nothing",
  },
  [FLAG_SETTINGS]: {
    load: later.flagSettings,
    needs: "flag.set",
    forbidden: flagSettings.forbidden,
    around: "nothing",
  },
  [SCORE_SETTINGS]: {
    load: later.scoreSettings,
    needs: "csat.set",
    forbidden: frame.scoresForbidden,
    around: "nothing",
  },
  [SIGN_IN_SETTINGS]: { load: later.signIn, around: "nothing" },
};
