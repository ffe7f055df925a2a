// GENERATED from monitord/api/wire/ by `python web/generate_types.py`. Do not edit.
// Instants are milliseconds UTC since 1970, lengths are milliseconds.

export const PROTOCOL = 1;

export const SPY_TYPE = ["Unknown", "Monitor", "Coach", "Barge", "Barge-Kick"] as const;
export type SpyType = (typeof SPY_TYPE)[number];

export const PROVENANCE = ["observed", "derived", "supplied", "unverified"] as const;
export type Provenance = (typeof PROVENANCE)[number];

export const DIRECTION = ["inbound", "outbound", "internal", "unknown"] as const;
export type Direction = (typeof DIRECTION)[number];

export const AGENT_STATUS = ["not logged in", "available", "ringing", "in call", "on hold", "wrap-up", "paused", "unknown"] as const;
export type AgentStatus = (typeof AGENT_STATUS)[number];

export const CALL_STATE = ["arriving", "queued", "ringing", "talking", "on hold", "ended"] as const;
export type CallState = (typeof CALL_STATE)[number];

export const SUPERVISION_STATE = ["active", "waiting", "ended"] as const;
export type SupervisionState = (typeof SUPERVISION_STATE)[number];

export const END_REASON = ["hung up", "disconnected", "call ended", "moved", "left", "PBX restarted", "lost"] as const;
export type EndReason = (typeof END_REASON)[number];

export const ALERT_KIND = ["no right", "never monitor", "payment"] as const;
export type AlertKind = (typeof ALERT_KIND)[number];

export const ALERT_ACT = ["told", "ending", "ended", "not ended"] as const;
export type AlertAct = (typeof ALERT_ACT)[number];

export const POLARITY = ["good", "bad"] as const;
export type Polarity = (typeof POLARITY)[number];

export const FLAG_STATE = ["open", "reviewed", "taken off"] as const;
export type FlagState = (typeof FLAG_STATE)[number];

export const FLAG_ADVICE = ["below the band", "within the band", "above the band", "share below target", "problem only", "most calls"] as const;
export type FlagAdvice = (typeof FLAG_ADVICE)[number];

export const REVIEW_PATTERN = ["one-week review", "just-in-time", "theme week", "positive recognition"] as const;
export type ReviewPattern = (typeof REVIEW_PATTERN)[number];

export const COMMITMENT_STATE = ["open", "kept", "not yet", "let go"] as const;
export type CommitmentState = (typeof COMMITMENT_STATE)[number];

export const SCORE_SOURCE = ["survey", "API", "import"] as const;
export type ScoreSource = (typeof SCORE_SOURCE)[number];

export const ANSWER_KIND = ["acknowledgement", "question", "context"] as const;
export type AnswerKind = (typeof ANSWER_KIND)[number];

export const LINK_STATE = ["connecting", "login refused", "starting up", "reading state", "live", "lost"] as const;
export type LinkState = (typeof LINK_STATE)[number];

export const AUDIT_KIND = ["supervision", "command", "sign-in", "people", "settings", "history", "export", "privacy", "flag", "score", "recording", "log"] as const;
export type AuditKind = (typeof AUDIT_KIND)[number];

export const CADENCE = ["weekly", "bi-weekly", "monthly"] as const;
export type Cadence = (typeof CADENCE)[number];

export const ROLE = ["administrator", "QA manager", "supervisor", "auditor", "agent"] as const;
export type Role = (typeof ROLE)[number];

export const SCOPE = ["all", "own team", "direct reports", "self"] as const;
export type Scope = (typeof SCOPE)[number];

export const OUTCOME_STATE = ["under way", "known", "unknown"] as const;
export type OutcomeState = (typeof OUTCOME_STATE)[number];

export const VAGUENESS = ["short", "judges", "no moment"] as const;
export type Vagueness = (typeof VAGUENESS)[number];

export const HOLD_KIND = ["person", "number", "supervision", "call", "all"] as const;
export type HoldKind = (typeof HOLD_KIND)[number];

export const HOW = ["queue", "agent", "supervisor"] as const;
export type How = (typeof HOW)[number];

export const HINDRANCE = ["not allowed", "runs", "not set", "no name", "elsewhere", "kind", "no file"] as const;
export type Hindrance = (typeof HINDRANCE)[number];

export const PERMISSION = ["agent.see", "call.see", "number.see", "supervision.see", "supervision.monitor", "supervision.coach", "supervision.barge", "supervision.barge-kick", "supervision.disconnect", "alert.see", "notice.see", "reason.give", "history.see", "history.export", "recording.play", "team.see", "view.share", "flag.see", "flag.make", "flag.answer", "flag.set", "csat.see", "csat.give", "csat.set", "audit.see", "roster.see", "roster.edit", "rights.edit", "session.end", "token.make", "privacy.see", "privacy.edit", "privacy.export"] as const;
export type Permission = (typeof PERMISSION)[number];

export const WHAT = ["new", "changed", "same"] as const;
export type What = (typeof WHAT)[number];

export const KIND = ["pbx", "agent", "call", "supervision", "alert", "notice", "flag"] as const;
export type Kind = (typeof KIND)[number];

export const VIEW_PAGE = ["coach-manager", "history", "live-calls", "team"] as const;
export type ViewPage = (typeof VIEW_PAGE)[number];

/**
 * A supervision that should not be.
 *
 * Shown until it is acknowledged, and as long as the supervision runs.
 */
export interface Alert {
  kind: "alert";
  /**
   * One for each supervision, kind and type: ``<supervision>.<type>`` where the right is missing,
   * else ``<supervision>.<about>.<type>``.
   */
  id: string;
  pbx: string;
  supervision: string;
  /** What is wrong with it; ``kind`` says of each entity that it is an alert. */
  about: AlertKind;
  supervisor: Party;
  agent: Party | null;
  type: SpyType;
  at_least: boolean;
  /** False: the type could not be learned, and this is for information only. */
  certain: boolean;
  /** Plain words: the right that is missing, the reason on the list, or that somebody pays. */
  why: string;
  raised: number;
  done: AlertAct;
  /** Plain words where there is more to say; else empty. */
  done_why: string;
  acknowledged: number | null;
  /** Name of the person. */
  acknowledged_by: string | null;
}

/**
 * A supervisor or an agent as people see them.
 *
 * ``id`` is stable: that of the person where the endpoint belongs to one, else the endpoint
 * with its PBX, ``pbx/PJSIP/1001``.
 */
export interface Party {
  id: string;
  name: string;
  endpoint: string;
}

/** Body of an acknowledgement; who and when, the server knows. */
export interface Acknowledge {
}

/** Newest first. A page may hold fewer rows than were asked for and yet not be the last. */
export interface AlertPage {
  rows: Alert[];
  next: string | null;
}

export interface AuditWho {
  /** Null for somebody who was erased. */
  id: string | null;
  name: string | null;
  /** Under which the log knows them, whatever becomes of their name. */
  pseudonym: string;
}

/** What became of an act; ``unknown``: it was sent, and nobody knows. */
export interface AuditOutcome {
  state: OutcomeState;
  outcome: string;
  why: string;
  /** Of the row that says so; null as long as there is none. */
  n: number | null;
  at: number | null;
}

export interface AuditRow {
  n: number;
  at: number;
  /** Null for an act that this version does not know. */
  kind: AuditKind | null;
  action: string;
  /** Null: monitord itself. */
  actor: AuditWho | null;
  target: string;
  /** Number of the row whose outcome this one is. */
  about: number | null;
  /** What the keys still open, by its own names. */
  detail: Record<string, unknown>;
  /** Pseudonyms of people and numbers whose values cannot be read any more. */
  erased: string[];
  hash: string;
  /** Only of an act that has one. */
  outcome: AuditOutcome | null;
  /** How many rows say what was observed of the same thing; this one is the last of them. */
  versions: number;
  /** Of a supervision: its segments, each as it was last seen. */
  parts: Record<string, unknown>[];
}

/** Newest first. */
export interface AuditPage {
  rows: AuditRow[];
  next: string | null;
}

/** A row as it stands in the table: the hash is made of these (docs/audit.md). */
export interface AuditRaw {
  n: number;
  at: number;
  action: string;
  actor: string | null;
  subject: string | null;
  number: string | null;
  target: string;
  about: number | null;
  body: string;
  hash: string;
}

export interface AuditDetail {
  row: AuditRow;
  raw: AuditRaw;
  /** Hash of the row before. */
  before: string;
  /** All that was observed of the same thing, its parts included, in the order of the log. */
  versions: AuditRow[];
}

/** The last row, signed. */
export interface AuditHead {
  n: number;
  hash: string;
  at: number;
  keys: string;
  signature: string;
  /** The key that verifies it: base64 of 32 bytes, Ed25519. */
  public: string;
}

/** A proof under way. */
export interface Proving {
  by: AuditWho;
  begun: number;
  /** The table that is looked at now; ``rows`` are the log's own. */
  what: string;
  done: number;
  of: number;
}

/** The last one that ended. */
export interface Proof {
  by: AuditWho | null;
  begun: number;
  ended: number;
  outcome: "broken" | "cancelled" | "failed" | "unknown" | "whole";
  why: string;
  rows: number;
  /** Signed heads that lie on the chain. */
  heads: number;
  /** Rows of the ledger that are as the log says. */
  ledger: number;
  /** The first broken row. */
  broken_at: number | null;
}

export interface ProofState {
  running: Proving | null;
  last: Proof | null;
}

export interface PersonNamed {
  id: string;
  /** As they are called now. */
  name: string;
}

/** Without those that were taken off. */
export interface FlagCount {
  good: number;
  bad: number;
  /** Calls that the agents answered; null of who makes flags. */
  calls: number | null;
}

/** Flags on one agent, or made by one person on the agents that are here. */
export interface FlagsOn {
  who: PersonNamed;
  /** No longer there, or not in the roster; the name is that of the flag. */
  left: boolean;
  /** As many as the balance has. */
  weeks: FlagCount[];
  total: FlagCount;
  advice: FlagAdvice[];
  /** How many more on good work would bring the share to the target. */
  good_missing: number;
}

export interface FlagBalance {
  at: number;
  /**
   * When each began, the oldest first; Monday in the zone that was asked for. The last one still
   * runs.
   */
  weeks: number[];
  /** Share of flags on good work. */
  target: number;
  low: number;
  /** Flags on one agent in one week, both included. */
  high: number;
  /** Flags below which no share is judged. */
  judged_from: number;
  /** By name. All numbers are of these agents. */
  agents: FlagsOn[];
  /** Agents that there is no room for; those without a flag are left out first. */
  more: number;
  /** By name. */
  authors: FlagsOn[];
  /** Of each week. */
  total: FlagCount[];
  /** Whom agents that the asker reaches report to, by name. */
  leaders: PersonNamed[];
}

export interface FlagShown {
  id: string;
  pbx: string;
  call: string;
  call_id: string;
  agent: Party;
  by: PersonNamed;
  polarity: Polarity;
  comment: string;
  wanted: string;
  themes: string[];
  /** When it happened; null where nobody said. */
  moment: number | null;
  /** The same from the start of the call. */
  offset_ms: number | null;
  state: FlagState;
  made: number;
  changed: number | null;
  /** When it was reviewed or taken off. */
  settled: number | null;
  /** Name. */
  settled_by: string | null;
  settled_why: string | null;
  /** The agent sees it. */
  visible: boolean;
  /** When it was shared with the agent's team. */
  shared: number | null;
  /** Why somebody may not know later what this was about; empty where it says enough. */
  vague: Vagueness[];
  answers: FlagAnswerRow[];
  /**
   * Whether the call's first score was there when it was made; null where it has none, and for
   * who may not see scores.
   */
  after_score: boolean | null;
  /** Whoever asks made it, and may change it and take it off. */
  mine: boolean;
}

export interface FlagAnswerRow {
  kind: AnswerKind;
  text: string;
  at: number;
}

/** One call of the ledger. */
export interface CallRow {
  id: string;
  pbx: string;
  call_id: string;
  agent: Party | null;
  direction: Direction;
  number: string | null;
  queue: string;
  campaign: string | null;
  list: string | null;
  result: string | null;
  started: number;
  started_exact: boolean;
  answered: number | null;
  ended: number | null;
  ended_exact: boolean;
  end_reason: EndReason | null;
  talk_ms: number;
  hold_ms: number;
  wrap_up_ms: number | null;
  length_ms: number | null;
}

/** A time in which the daemon could not see a PBX: what happened in it may be missing. */
export interface Gap {
  pbx: string;
  started: number;
  ended: number | null;
  why: string;
}

/** One interval of an agent's status. */
export interface StatusRow {
  id: string;
  pbx: string;
  agent: Party;
  status: AgentStatus;
  reason: string;
  started: number;
  started_exact: boolean;
  ended: number | null;
  ended_exact: boolean;
  length_ms: number | null;
}

export interface Recording {
  /** 1 for the call's first. */
  n: number;
  started: number;
  /** Null while it runs, and where its end was not seen: then no later than the call's. */
  ended: number | null;
  /** Null: it can be played. */
  hindrance: Hindrance | null;
}

export interface ScoreShown {
  id: string;
  score: number;
  low: number;
  /** The scale of then, both included; the higher, the more satisfied. */
  high: number;
  at: number;
  /** When it came to monitord. */
  received: number;
  source: ScoreSource;
  /** Who sent it in; null where the PBX said it. */
  by: PersonNamed | null;
}

/** Part of a supervision, on this call, with one type. */
export interface CallSegment {
  n: number;
  type: SpyType;
  at_least: boolean;
  type_provenance: Provenance;
  started: number;
  started_exact: boolean;
  /** Null while it runs. */
  ended: number | null;
  ended_exact: boolean;
}

/** What somebody supervised of this call. */
export interface CallSupervision {
  id: string;
  supervisor: Party;
  segments: CallSegment[];
}

/** An agent who had the call before another one took it. */
export interface CallPart {
  /** Null where it is somebody whose calls whoever asks may not see. */
  agent: Party | null;
  started: number;
  ended: number;
  /** False: nobody saw when it changed hands; it was found so at ``ended``. */
  exact: boolean;
}

export interface CallDetail {
  call: CallRow;
  /** In the order in which they came to it. */
  supervisions: CallSupervision[];
  /** Agents who had it before its last one, in their order. */
  parts: CallPart[];
  /** Of the agent's telephone, of those that overlap the call, the first one first. */
  statuses: StatusRow[];
  /** Those that whoever asks may see, the first made first. */
  flags: FlagShown[];
  /** The customer's, the latest first, which counts; none for who may not see them. */
  scores: ScoreShown[];
  /** The first one first; empty where nothing recorded it. */
  recordings: Recording[];
  /** Times within the call in which its PBX could not be seen, the first one first. */
  gaps: Gap[];
  /** False: there is more than is given here. */
  complete: boolean;
}

/** Which calls a focus is about: each label that is given must match, whatever its case. */
export interface FocusRule {
  /** Result code. */
  result?: string | null;
  campaign?: string | null;
  list?: string | null;
  /** Id; flags are compared by it where no label of a call is given. */
  theme?: string | null;
}

/** What somebody looks for in an agent's next calls. */
export interface FocusShown {
  id: string;
  agent: PersonNamed;
  by: PersonNamed;
  rule: FocusRule;
  /** What was agreed; empty where the agent's calls are looked at for no commitment. */
  says: string;
  begin: number;
  end: number | null;
}

export interface FocusWeek {
  /** ms UTC. */
  begin: number;
  good: number;
  bad: number;
}

/** Flags that a focus is about, by week: some weeks before it began, and since. */
export interface FocusCompared {
  focus: FocusShown;
  /** The oldest first; the last one may still run. */
  weeks: FocusWeek[];
  /** Of the last one. */
  end: number;
}

export interface FocusList {
  /** Those that run, the first begun first. */
  rows: FocusShown[];
}

export interface CommitmentShown {
  id: string;
  agent: PersonNamed;
  by: PersonNamed;
  text: string;
  made: number;
  state: CommitmentState;
  settled: number | null;
  /** Name. */
  settled_by: string | null;
  settled_why: string | null;
  review: string | null;
}

export interface CommitmentList {
  /** The latest first, 200 at most. */
  rows: CommitmentShown[];
}

/** What became of it; ``open``: it is worked on again. */
export interface CommitmentSettled {
  state: CommitmentState;
  why?: string;
}

export interface CommitmentNew {
  /** The one observable thing that the agent will do. */
  text: string;
  /** What to look for until the next talk. */
  focus?: FocusRule | null;
}

export interface ReviewNew {
  /** Made up by who begins it: what is sent again after a lost answer is begun once. */
  id: string;
  agent: string;
  pattern: ReviewPattern;
  /** In the order in which they are walked through. */
  flags: string[];
}

export interface ReviewEnd {
  commitments: CommitmentNew[];
}

export interface ReviewShown {
  id: string;
  agent: PersonNamed;
  by: PersonNamed;
  pattern: ReviewPattern;
  begun: number;
  ended: number | null;
  /** In the order in which they are walked through, without what was removed since. */
  flags: FlagShown[];
  agreed: CommitmentShown[];
  mine: boolean;
}

/** How one direct report stands. */
export interface ReviewDue {
  agent: PersonNamed;
  cadence: Cadence;
  pattern: ReviewPattern;
  /** Somebody chose the pattern; else it goes by how long the agent is there. */
  chosen: boolean;
  /** In their first 30 days. */
  new: boolean;
  /** Flags to be talked about. */
  open: number;
  /** When the last talk ended. */
  last: number | null;
  /** Until when to talk; null: there is nothing to talk about. */
  due: number | null;
  /** Id of a talk that whoever asks has begun. */
  under_way: string | null;
  /** That are open. */
  commitments: number;
}

/** Who is due first stands first. */
export interface ReviewsDue {
  at: number;
  /** 500 at most. */
  rows: ReviewDue[];
  /** How many are not given; ask for one leader's. */
  more: number;
  /** Whose direct reports can be asked for. */
  leaders: PersonNamed[];
  /** Id of the theme of this week. */
  theme: string | null;
}

/** What a talk with one agent can be about. */
export interface ReviewPlan {
  standing: ReviewDue;
  /** That are open, the newest first, 100 at most. */
  flags: FlagShown[];
  /** Ids that the pattern proposes, in order. */
  chosen: string[];
  low: number;
  /** How many flags a talk walks through. */
  high: number;
  /** Id of the theme of this week. */
  theme: string | null;
  /** That are open. */
  commitments: CommitmentShown[];
  /** That run. */
  focus: FocusShown[];
}

export interface PatternChosen {
  /** Null: as usual, by how long the agent is there. */
  pattern: ReviewPattern | null;
}

/** Body of a Disconnect User. */
export interface Disconnect {
  /**
   * The person was told that after a Barge-Kick the customer is on the supervisor's leg and goes
   * with it. Without it such a disconnect is refused.
   */
  drops_customer?: boolean;
  /** Why. Where the site requires one, a disconnect without it is refused. */
  reason?: string | null;
}

/** What became of a Disconnect User. */
export interface DisconnectOutcome {
  outcome: "confirmed" | "not_confirmed" | "refused";
  /** In plain words; empty where a disconnect was confirmed and there is nothing to add. */
  why: string;
}

/** A flag to be made. */
export interface FlagNew {
  /** Made up by who makes the flag: what is sent again after a lost answer is made once. */
  id: string;
  /** Internal id of the call, its Call ID, or any linkedid or uniqueid seen for it. */
  call: string;
  polarity: Polarity;
  comment: string;
  /** What the agent should do another time. */
  wanted?: string;
  /** Ids. */
  themes?: string[];
  /** When it happened, ms UTC; within the call. */
  moment?: number | null;
}

/** What is not given stays. */
export interface FlagEdit {
  polarity?: Polarity;
  comment?: string;
  wanted?: string;
  themes?: string[];
}

export interface FlagTakenOff {
  why?: string;
}

export interface FlagAnswerGiven {
  kind: AnswerKind;
  /** May be empty where it only acknowledges. */
  text?: string;
}

/** What it said before an edit. */
export interface FlagVersion {
  polarity: Polarity;
  comment: string;
  wanted: string;
  themes: string[];
  until: number;
}

/** Newest first. */
export interface FlagPage {
  rows: FlagShown[];
  next: string | null;
}

export interface FlagDetail {
  flag: FlagShown;
  versions: FlagVersion[];
}

export interface FlagLook {
  comment: string;
  /** One is pinned. */
  moment?: boolean;
}

export interface FlagVagueness {
  vague: Vagueness[];
}

export interface FlagTheme {
  id: string;
  name: string;
}

/** A week in which flags are about one thing. */
export interface FlagThemeWeek {
  /** Its date. */
  monday: string;
  /** Id. */
  theme: string;
}

export interface FlagSettingsShown {
  /** Agents see the flags that are made from now on, and answer. */
  visible: boolean;
  themes: FlagTheme[];
  /** In their order. */
  weeks: FlagThemeWeek[];
  /** Open flags that were made while agents saw none; for whoever may set this, else 0. */
  hidden: number;
}

export interface FlagSettingsPut {
  visible: boolean;
  themes: FlagTheme[];
  /** Those that are not given stay. */
  weeks?: FlagThemeWeek[];
  /** Also show agents the open flags that were made while they saw none; only with visible. */
  earlier?: boolean;
}

/** Why somebody did something, as they said. */
export interface Reason {
  act: "disconnect" | "supervision";
  text: string;
  /** Name of the person. */
  by: string;
  given: number;
  /** When it was last corrected; the versions before stand in the audit log. */
  changed: number | null;
}

/** Part of a supervision with one type and one call. */
export interface Segment {
  n: number;
  type: SpyType;
  at_least: boolean;
  type_provenance: Provenance;
  call_id: string | null;
  number: string | null;
  campaign: string | null;
  list: string | null;
  result: string | null;
  started: number;
  ended: number | null;
  length_ms: number | null;
}

/** One row of the Coaching / Monitoring History. */
export interface SupervisionRow {
  id: string;
  pbx: string;
  supervisor: Party;
  agent: Party | null;
  /** The strongest of its segments. */
  type: SpyType;
  at_least: boolean;
  type_provenance: Provenance;
  started: number;
  started_exact: boolean;
  /** Null while it runs. */
  ended: number | null;
  ended_exact: boolean;
  /** Where the end is not exact: it was still seen then, and ``ended`` is the latest it can be. */
  ended_after: number | null;
  end_reason: EndReason | null;
  ended_by: string | null;
  length_ms: number | null;
  waiting_ms: number;
  means: string;
  /** As it was then: of the last call under it. */
  campaign: string | null;
  /** Of the last call under it. */
  call_id: string | null;
  /** Of the calls before, where they were others. */
  earlier_campaigns: string[];
  /** Why the supervisor supervised, as they said. */
  reason: string | null;
}

export interface SupervisionPage {
  rows: SupervisionRow[];
  /** Cursor of the following page, null at the end. Nothing is ever cut off. */
  next: string | null;
}

export interface SupervisionDetail {
  supervision: SupervisionRow;
  segments: Segment[];
  reasons: Reason[];
}

export interface CallPage {
  rows: CallRow[];
  next: string | null;
}

export interface StatusPage {
  rows: StatusRow[];
  next: string | null;
}

export interface GapPage {
  rows: Gap[];
  next: string | null;
}

/** How many rows fit the filters. */
export interface Count {
  rows: number;
  /** False: there are more; it was counted no further. */
  exact: boolean;
}

/** A value that a filter can be set to. */
export interface Choice {
  value: string;
  /** As people know it; the value itself where it has no other name. */
  name: string;
}

export interface Choices {
  /** In the names' order. */
  choices: Choice[];
  /** True: these are not all; type more of the name. */
  more: boolean;
}

/** Somebody to whom nobody may listen; either the person or the number is null. */
export interface NeverMonitorEntry {
  id: string;
  person: PersonNamed | null;
  /** A customer's, its digits only; masked for those who may not see numbers. */
  number: string | null;
  reason: string;
  /** Name of who put it there. */
  by: string;
  at: number;
}

export interface NeverMonitorList {
  rows: NeverMonitorEntry[];
}

/** Exactly one of person and number. */
export interface NeverMonitorNew {
  reason: string;
  /** Id of somebody on the roster. */
  person?: string | null;
  /** However it is written: only its digits count. */
  number?: string | null;
}

export interface HoldNew {
  kind: HoldKind;
  reason: string;
  /** Id of a person or of a supervision, a Call ID, or a number; empty for all. */
  value?: string;
}

/** Body of lifting a hold; who and when, the server knows. */
export interface HoldLift {
}

/** What is neither removed by its age nor erased. */
export interface HoldRow {
  id: string;
  kind: HoldKind;
  /** A number is masked for those who may not see numbers. */
  value: string;
  /** Of the person; empty for other kinds. */
  name: string;
  reason: string;
  since: number;
  /** Name of who made it. */
  by: string;
  /** null: in force. */
  lifted: number | null;
  lifted_by: string | null;
}

/** Of whom all that is held is asked for; in a body, since addresses get into logs. */
export interface NumberAsked {
  number: string;
}

export interface PersonErase {
  /** It stays, so it must not tell whom. */
  reason: string;
}

export interface NumberErase {
  number: string;
  reason: string;
}

/** Of an erasure, with no word of whom. */
export interface ReceiptRow {
  id: string;
  what: "number" | "person";
  /** The names under which the audit log knew them. */
  pseudonyms: string[];
  begun: number;
  /** null: the keys may still be there; the daemon's next start ends it. */
  done: number | null;
  /** How many were changed, by table. */
  rows: Record<string, number>;
}

/** Days for which rows are kept after their end; null: for ever. */
export interface KeptFor {
  supervisions: number | null;
  calls: number | null;
  agent_status: number | null;
  gaps: number | null;
  flags: number | null;
}

export interface RetentionRun {
  at: number;
  /** How many were removed, by table. */
  rows: Record<string, number>;
  /** Why nothing, or not all, was removed; empty where all was. */
  why: string;
}

export interface Privacy {
  kept: KeptFor;
  /** null: it has not run yet. */
  last_run: RetentionRun | null;
  /** Those in force, then those that were lifted; the newest first. */
  holds: HoldRow[];
  /** The latest first. */
  receipts: ReceiptRow[];
}

/** Why a request was not carried out, with the field that is to blame. */
export interface ProblemDetail {
  /** Stable, for programs: ``bad_request``, ``not_signed_in``, ``forbidden``, ``not_found`` ... */
  error: string;
  /** For people: the rule that was broken. */
  message: string;
  field?: string | null;
}

export interface PersonNew {
  name: string;
  /** Null: one is made from the name. */
  id?: string | null;
  team?: string | null;
  leader?: string | null;
  agent?: boolean;
  account_codes?: string[];
  hired?: string | null;
  cadence?: Cadence | null;
  endpoints?: EndpointGiven[];
  email?: string | null;
}

export interface EndpointGiven {
  endpoint: string;
  /** Null: from now on. */
  since?: number | null;
}

/** An endpoint that was seen at a PBX and is nobody's. */
export interface Proposal {
  pbx: string;
  endpoint: string;
  /** As a queue calls it; empty where none does. */
  name: string;
  how: How[];
  /** When it was first seen. */
  first: number;
  last: number;
  dismissed: boolean;
}

export interface Proposals {
  version: string;
  /** In the order of PBX and endpoint. */
  rows: Proposal[];
}

/** Whose the endpoint is: exactly one of ``person`` and ``new``. */
export interface ProposalTaken {
  endpoint: string;
  person?: string | null;
  new?: PersonNew | null;
  /** Null: since it was first seen. */
  since?: number | null;
}

export interface ProposalDismissed {
  pbx: string;
  endpoint: string;
  dismissed?: boolean;
}

/** Somebody begins to listen to a recording. */
export interface Play {
  /** From which the sound is fetched, by this session alone and for an hour. */
  address: string;
}

/** A role that somebody has. */
export interface RoleGiven {
  role: Role;
  /** On whom; null: the scopes that the role has of its own. */
  scope?: Scope | null;
}

/** Whose an endpoint is, from one time to another. */
export interface OwnershipRow {
  id: string;
  endpoint: string;
  person: string;
  /** 0: from the beginning, nobody said since when. */
  since: number;
  until: number | null;
}

/** Somebody on the roster. */
export interface PersonRow {
  id: string;
  name: string;
  team: string | null;
  /** Whose direct report this is. */
  leader: string | null;
  roles: RoleGiven[];
  agent: boolean;
  account_codes: string[];
  /** ISO date. */
  hired: string | null;
  /** Of the one-to-ones with the leader; null: as the team has it. */
  cadence: Cadence | null;
  cadence_in_force: Cadence;
  /** False: has left. */
  active: boolean;
  /** Past, present and coming ones. */
  endpoints: OwnershipRow[];
  /** Null where there is none, and for those who may not change it. */
  login: string | null;
  email: string | null;
}

export interface PersonPage {
  /** Of the roster; to be sent back as If-Match with a change. */
  version: string;
  /** In the order of their ids. */
  rows: PersonRow[];
  next: string | null;
}

export interface TeamRow {
  id: string;
  name: string;
  /** Of those who have none of their own. */
  cadence: Cadence;
  /** Who have not left. */
  people: number;
}

export interface TeamPage {
  version: string;
  rows: TeamRow[];
}

/** A change that was carried out. */
export interface RosterChanged {
  version: string;
  /** Of what was made or changed. */
  id: string;
  /** All that are different now. */
  people: PersonRow[];
  /** Rows of the ledgers that became somebody's because an endpoint was theirs then. */
  attributed: number;
}

/** What is left out stays as it is. Roles and logins are changed elsewhere, by those who may. */
export interface PersonChange {
  name?: string;
  team?: string | null;
  leader?: string | null;
  agent?: boolean;
  account_codes?: string[];
  hired?: string | null;
  cadence?: Cadence | null;
  /** False: has left, with all endpoints from now on. */
  active?: boolean;
  email?: string | null;
}

/** All roles that somebody has from now on. */
export interface RolesChange {
  roles: RoleGiven[];
}

/** How somebody signs in; null: not any more. */
export interface LoginChange {
  login: string | null;
}

export interface TeamNew {
  name: string;
  /** Null: one is made from the name. */
  id?: string | null;
  cadence?: Cadence;
}

export interface TeamChange {
  name?: string;
  cadence?: Cadence;
}

/** An endpoint becomes somebody's. Whose it was then, theirs it was until then. */
export interface OwnershipNew {
  endpoint: string;
  person: string;
  /** Null: from now on. */
  since?: number | null;
  until?: number | null;
}

export interface OwnershipChange {
  since?: number;
  until?: number | null;
}

/** Why a file cannot be taken. */
export interface SheetFault {
  /** From 1; null where it is the file as a whole. */
  line: number | null;
  column: string | null;
  rule: string;
}

/** A customer's score to be kept. */
export interface ScoreNew {
  /** Internal id of the call, its Call ID, or any linkedid or uniqueid seen for it. */
  call: string;
  /** On the site's scale, with at most two decimals. */
  score: string | number | number;
  /** When the customer gave it, ms UTC; now where it is not given. */
  at?: number | null;
  /** By which the sender knows it again: what is sent twice under it is kept once. */
  reference?: string | null;
}

export interface ScoreGiven {
  /**
   * ``newer``: the call had another one, which is kept. ``waiting``: no call of that name is
   * known yet. ``repeated``: it was there already.
   */
  what: "new" | "newer" | "repeated" | "waiting";
  /** Internal id; null while it waits. */
  call: string | null;
  score: ScoreShown;
}

export interface ScoreSettingsShown {
  low: number;
  high: number;
  /** Scores of which no call is known. */
  waiting: number;
  /** Scores that belong to a call. */
  tied: number;
  /** What PBXs said since the start and is no score of the scale. */
  refused: number;
  refused_why: string;
}

export interface ScoreSettingsPut {
  low: number;
  high: number;
}

/** What a file would do; nothing is done. */
export interface ScorePreview {
  /** With which exactly this file is imported; null where there is nothing to import. */
  token: string | null;
  new: number;
  /** Of calls that have another score, which is kept. */
  newer: number;
  /** Of calls that are not known. */
  waiting: number;
  /** There already. */
  repeated: number;
  /** Lines that would be left out, and why. */
  faults: SheetFault[];
  more_faults: boolean;
}

/** An import that runs or has ended. */
export interface ScoreImport {
  id: string;
  /** That are imported. */
  lines: number;
  done: number;
  new: number;
  newer: number;
  waiting: number;
  repeated: number;
  state: "done" | "failed" | "running";
  /** Of a failure; what was done until then is kept, and the same file can be sent again. */
  why: string;
}

/** Flags on calls that have a score. */
export interface ScoredCount {
  scored: number;
  /** Of these, made when the score had come. */
  after: number;
}

/** Of one person. */
export interface ScoredOn {
  who: PersonNamed;
  weeks: ScoredCount[];
  total: ScoredCount;
  /** (Nearly) all of them were made after the score. */
  mostly_after: boolean;
}

export interface FlagsAfterScores {
  at: number;
  /** When each began, the oldest first; the last one still runs. */
  weeks: number[];
  /** Flags below which nothing is said. */
  judged_from: number;
  /** Of each week. */
  total: ScoredCount[];
  /** By name; those with a flag on a call that has a score. */
  agents: ScoredOn[];
  authors: ScoredOn[];
  /** Of the flags on each leader's direct reports. */
  leaders: ScoredOn[];
}

/** A person of the roster. */
export interface Someone {
  id: string;
  name: string;
}

/** One browser that is signed in. */
export interface SignInSession {
  id: string;
  person: Someone;
  how: "link" | "password" | "provider";
  address: string;
  /** As it names itself; nobody checks that. */
  browser: string;
  created: number;
  /** When it was last used, to a minute. */
  seen: number;
  expires: number;
  /** The one that asks. */
  this: boolean;
}

export interface SignInSessions {
  /** The latest first. */
  sessions: SignInSession[];
  /** True: there are older ones, which are not listed. */
  more: boolean;
}

export interface Ended {
  /** How many there were. */
  ended: number;
}

export interface NewToken {
  /** What it is for. */
  name: string;
  permissions: Permission[];
  /** Until it expires. */
  days?: number;
}

export interface ApiToken {
  id: string;
  person: Someone;
  name: string;
  /** Of these it may what its person may as well. */
  permissions: Permission[];
  created: number;
  expires: number;
  /** When it was last used, to ten minutes; null: never. */
  used: number | null;
}

export interface ApiTokens {
  /** The latest first. */
  tokens: ApiToken[];
  /** What the one who asks may give a new one; empty where they may make none. */
  grantable: Permission[];
}

export interface MadeToken {
  token: ApiToken;
  /** What the program sends. It is told this once and kept nowhere. */
  text: string;
}

export interface SheetCell {
  column: string;
  old: string;
  new: string;
}

/** What one line would do. */
export interface SheetStep {
  line: number;
  id: string;
  name: string;
  what: What;
  changes: SheetCell[];
  /** Endpoints that were somebody else's, with their name. */
  taken: string[];
}

/** What a file would do; nothing is done. */
export interface SheetPreview {
  /** With which exactly this is carried out; null where there are faults. */
  token: string | null;
  new: number;
  changed: number;
  same: number;
  /** Teams that would be made. */
  teams: string[];
  /** Those that do something. */
  steps: SheetStep[];
  faults: SheetFault[];
  /** True: there are more than these. */
  more_faults: boolean;
}

export interface SheetDone {
  version: string;
  new: number;
  changed: number;
  attributed: number;
}

export interface SignIn {
  login: string;
  password: string;
}

/** Who is signed in. */
export interface Me {
  id: string;
  name: string;
  permissions: Permission[];
}

/** How one can sign in here. */
export interface Ways {
  /** What the button to the site's own provider says; null where there is none. */
  provider: string | null;
}

/** How the one who asks signs in. */
export interface Account {
  login: string | null;
  has_password: boolean;
  /** Their account is tied to one at the site's own provider. */
  by_provider: boolean;
  password_rules: string;
}

export interface PasswordChange {
  old: string;
  new: string;
}

export interface LinkToken {
  token: string;
}

/** What a one-time link is for. */
export interface LinkPurpose {
  purpose: "administrator" | "password";
  /** Whose password; null where it makes the first administrator. */
  name: string | null;
  login: string | null;
  password_rules: string;
}

export interface LinkUse {
  token: string;
  password: string;
  /** Of the first administrator, as the following; must be missing otherwise. */
  name?: string | null;
  login?: string | null;
}

export interface NewLink {
  /** For somebody who has none yet. */
  login?: string | null;
}

export interface MadeLink {
  /** Path and fragment of the link. It is told this once and kept nowhere. */
  path: string;
  expires: number;
}

/** One Asterisk and how the daemon stands with it. */
export interface Pbx {
  kind: "pbx";
  id: string;
  name: string;
  link: LinkState;
  /** When ``link`` became what it is. */
  since: number;
  /** Plain words for a person: why it is not live, what is done about it. Empty when live. */
  detail: string;
  version: string;
}

/** An agent's live status. */
export interface Agent {
  kind: "agent";
  id: string;
  pbx: string;
  party: Party;
  status: AgentStatus;
  /** Of a pause, as the queue gives it; else empty. */
  reason: string;
  since: number;
  /** False where the status was already so when the daemon attached. */
  since_exact: boolean;
  provenance: Provenance;
}

/** What a customer and an agent share, while it lives. */
export interface Call {
  kind: "call";
  id: string;
  pbx: string;
  /** The linkedid it began with: what people call the Call ID. */
  call_id: string;
  state: CallState;
  direction: Direction;
  /** The customer's side, inbound or outbound. */
  number: Value | null;
  agent: Party | null;
  agent_provenance: Provenance | null;
  queue: string;
  campaign: Value | null;
  list: Value | null;
  result: Value | null;
  started: number;
  started_exact: boolean;
  /** When customer and agent first heard each other. */
  answered: number | null;
  /** Somebody pays on it now. */
  payment?: boolean;
}

/** A label and how it was learned. Where nobody supplied one the field is null. */
export interface Value {
  value: string;
  provenance: Provenance;
}

/** One supervisor attached to one agent, while it lasts. */
export interface Supervision {
  kind: "supervision";
  id: string;
  pbx: string;
  state: SupervisionState;
  supervisor: Party;
  agent: Party | null;
  agent_provenance: Provenance | null;
  /** ``id`` of the live call under it; null while waiting. */
  call: string | null;
  /** Of the segment that runs now (while waiting: of the last one). */
  type: SpyType;
  /** True where the type may have become stronger without Asterisk saying so. */
  at_least: boolean;
  type_provenance: Provenance;
  /**
   * How it was started: ``dialplan`` (a feature code, or an Originate into one), ``application``
   * (Originate of the application itself) or ``unknown``.
   */
  means: string;
  started: number;
  /** False: it ran already when the daemon attached, so the start is at or before. */
  started_exact: boolean;
  /** Start of the segment, or of the waiting. */
  since: number;
  /** Name of the person whose disconnect was sent and is not confirmed yet. */
  disconnect_by: string | null;
  /** Somebody pays on the call under it; also for those who do not see that call. */
  payment?: boolean;
}

/**
 * What an agent is told of a supervision on them; nobody else gets it.
 *
 * On the stream while it runs, and for some minutes after it was told as ended.
 */
export interface Notice {
  kind: "notice";
  /** The supervision's. */
  id: string;
  pbx: string;
  agent: Party;
  /** Null where the policy does not say who it was. */
  supervisor: Party | null;
  /** The strongest so far. */
  type: SpyType;
  at_least: boolean;
  started: number;
  started_exact: boolean;
  /** Null while it runs. */
  ended: number | null;
  ended_exact: boolean;
  /** Where the end is not exact: it was still seen then. */
  ended_after: number | null;
  /** As the supervisor gave it; null where there is none, or the policy does not show it. */
  reason: string | null;
  /** When the agent was told first. */
  told: number;
}

/**
 * A moment of a call that is worth talking about.
 *
 * On the stream while its call lives, and for some minutes after.
 */
export interface Flag {
  kind: "flag";
  id: string;
  pbx: string;
  /** ``id`` of the call. */
  call: string;
  call_id: string;
  agent: Party;
  /** Id of the person who made it. */
  by: string;
  by_name: string;
  polarity: Polarity;
  comment: string;
  /** What the agent should do another time; empty where nothing was said. */
  wanted: string;
  themes: string[];
  /** When it happened; null where nobody said. */
  moment: number | null;
  /** The same from the start of the call. */
  offset_ms: number | null;
  state: FlagState;
  made: number;
  /** When it was last edited. */
  changed: number | null;
  /** The agent sees it. */
  visible: boolean;
  answers: FlagAnswer[];
}

/** What the agent said to a flag. */
export interface FlagAnswer {
  kind: AnswerKind;
  text: string;
  at: number;
}

/** New values of some fields of one entity. */
export interface Patch {
  kind: Kind;
  id: string;
  set: Record<string, unknown>;
}

export interface Ref {
  kind: Kind;
  id: string;
}

/** First frame of a connection. */
export interface Hello {
  type: "hello";
  protocol: number;
  /** Of monitord. */
  version: string;
  /** The server sends a frame at least this often; twice as long without one is a lost link. */
  heartbeat_ms: number;
}

/** What became different at one place in the stream. */
export interface Delta {
  type: "delta";
  /** Another one for another run of the server, and for other rights. */
  epoch: string;
  /** Grows, but not by one: a frame of which this client may see nothing is not sent to it. */
  seq: number;
  /** Server time when the change was made. */
  at: number;
  /**
   * ``seq`` of the frame before it, or an earlier one: a client that has not come so far has
   * missed something. Means nothing where ``reset`` is set.
   */
  after?: number;
  /** True: forget everything first. */
  reset?: boolean;
  add?: Entity[];
  change?: Patch[];
  remove?: Ref[];
}

/** Measured delay between one PBX and the daemon, null while unknown. */
export interface Lag {
  pbx: string;
  ms: number | null;
}

/** Answer to a ``ping``, or unasked as the heartbeat (``n`` is then null). */
export interface Pong {
  type: "pong";
  n: number | null;
  /** Server time, from which the client measures its clock's offset. */
  at: number;
  lags: Lag[];
}

/** Last frame before the server closes: why, in plain words. */
export interface Bye {
  type: "bye";
  code: "bad_message" | "shutdown" | "signed_out" | "too_slow";
  why: string;
}

/**
 * Must be the first message. With the last seen place, what was missed is sent instead of
 * everything, if it is still known; a delta with ``reset`` says that it was not.
 */
export interface Subscribe {
  type: "subscribe";
  epoch?: string | null;
  seq?: number | null;
}

export interface Ping {
  type: "ping";
  n: number;
}

/** The latest supervision on an agent. */
export interface LastHeard {
  by: Party;
  /** The strongest of its segments. */
  type: SpyType;
  at_least: boolean;
  started: number;
  /** Null while it runs. */
  ended: number | null;
}

/** An agent of the team view, without what the stream tells. */
export interface TeamAgent {
  id: string;
  name: string;
  team: string | null;
  /** Calls that began today. */
  calls: number;
  /**
   * For how long they were under supervision today, up to ``at``. Two at once count twice; a
   * supervisor's waiting between calls does not count.
   */
  supervised_ms: number;
  /** Null where there never was one. */
  last: LastHeard | null;
}

export interface TeamName {
  id: string;
  name: string;
}

export interface TeamView {
  at: number;
  /** When today began. */
  begin: number;
  /** Of the agents that are here. */
  teams: TeamName[];
  agents: TeamAgent[];
}

/** Why the one who asks supervised. */
export interface ReasonGiven {
  text: string;
}

/** A supervision of one's own, whose reason is asked for and not given. */
export interface Question {
  supervision: string;
  agent: Party | null;
  type: SpyType;
  at_least: boolean;
  started: number;
  ended: number | null;
}

/** Newest first, 50 at most. */
export interface Questions {
  rows: Question[];
}

/** What the agent who asks was told, newest first. */
export interface NoticePage {
  rows: Notice[];
  next: string | null;
}

/** What a Disconnect User of this supervision takes. */
export interface DisconnectTerms {
  reason: "asked" | "never" | "required";
}

/** A name for some filters of a page. */
export interface View {
  id: string;
  page: string;
  name: string;
  /** As the page's address has them. */
  filters: Record<string, string>;
  shared: boolean;
  /** Name of whose it is. */
  by: string;
  own: boolean;
}

export interface Views {
  /** Ids of those whom the view "mine" is about: oneself, the own team, direct reports. */
  mine: string[];
  views: View[];
  /**
   * By page: the id of the view that was chosen last, or the name of a built-in one (Coach
   * Manager and Live calls have "mine" and "all").
   */
  chosen: Record<string, string>;
}

export interface PutView {
  page: ViewPage;
  name: string;
  filters: Record<string, string>;
  shared?: boolean;
  /** Of one's own that it replaces; else it is a new one. */
  id?: string | null;
}

/** What is null stays as it is. */
export interface PutViews {
  /** All of one's own. */
  views?: PutView[] | null;
  /** Only the pages of which it is to become another one. */
  chosen?: Record<string, string> | null;
}

export type Entity = Pbx | Agent | Call | Supervision | Alert | Notice | Flag;

export type ServerFrame = Hello | Delta | Pong | Bye;

export type ClientMessage = Subscribe | Ping;
