/**
 * Every word that people read, in one place, so that a language can be added. Separate constants
 * per place: a bundle carries only what it shows (the sign-in page must stay small and know
 * nothing of the rest).
 */
import type { AgentStatus, EndReason, LinkState, Provenance, SpyType } from "./wire";

export const signIn = {
  title: "Sign in",
  lead: "Live view of coaching and monitoring on your Asterisk.",
  login: "Login",
  password: "Password",
  show: "Show",
  send: "Sign in",
  sending: "Signing in …",
  noScript: "This page needs JavaScript.",
  wrong: "Login and password do not belong together. Check both and try again.",
  tooMany: "Too many tries. Wait a little before you try again.",
  tooManyFor: "Too many tries. Try again in {s} seconds.",
  unreachable: "The server does not answer. Check your connection and try again.",
  failed: "The server could not sign you in. Try again; if it stays so, tell whoever runs monitord.",
  missing: "Enter your login and your password.",
};

export const frame = {
  product: "monitord",
  skip: "Skip to the content",
  navigation: "Main",
  quality: "Quality",
  qualityAssurance: "Quality Assurance",
  coachManager: "Coach Manager",
  viewer: "Signed in as",
  signOut: "Sign out",
  signOutFailed: "You could not be signed out: the server does not answer.",
  view: "View",
  rows: "Rows",
  comfortable: "Comfortable",
  compact: "Compact",
  theme: "Colours",
  themes: { system: "As the system", light: "Light", dark: "Dark" },
  keys: "Keys",
  notFound: "There is no page at this address.",
  notFoundHint: "It may have been mistyped, or belong to a newer version of this page.",
  toCoachManager: "Go to Coach Manager",
  noPermissionTitle: "You may not see this page",
  noPermission: "Your role does not allow you to see supervisions. Whoever runs monitord can change that.",
  loading: "Loading …",
  outdated: "monitord was updated on the server. Reload this page to go on.",
  reload: "Reload",
  close: "Close",
};

export const connection = {
  live: "Live",
  reconnecting: "Reconnecting",
  noData: "No data",
  lag: (ms: string) => `lag ${ms}`,
  lagUnknown: "lag unknown",
  button: "Connection",
  alertLost: "The connection to monitord is lost. What you see is kept, but it is old.",
  bannerReconnecting: (at: string, age: string) =>
    `Reconnecting. What you see is from ${at}, ${age} ago. Timers stand still and commands wait.`,
  bannerNoData: (at: string, age: string) =>
    `No data. What you see is from ${at}, ${age} ago; nothing has arrived since. Trying again.`,
  bannerNothing: "No data yet. Connecting to monitord …",
  serverSays: (why: string) => `The server says: ${why}`,
  notices: "State of the connection",
  pbxNotLive: (n: string, all: string) => `${n} of ${all} PBX not live`,
  pbxCaption: "Link and lag of each PBX",
  pbxName: "PBX",
  pbxLink: "Link",
  pbxLag: "Lag to here",
  pbxNone: "No PBX is configured.",
  pbxStale: (name: string, link: string, at: string, age: string) =>
    `${name}: ${link} since ${at} (${age}). Its rows are kept as they were.`,
  rowStale: (name: string, age: string) => `no data from ${name} for ${age}`,
  asOf: (at: string, age: string) => `as of ${at}, ${age} ago`,
  explainLag: "Time from Asterisk to this browser: measured to the daemon, plus half the round trip.",
  zone: (zone: string) => `Times in ${zone}`,
};

export const words = {
  type: {
    Unknown: "Unknown",
    Monitor: "Monitor",
    Coach: "Coach",
    Barge: "Barge",
    "Barge-Kick": "Barge-Kick",
  } satisfies Record<SpyType, string>,
  doing: {
    Unknown: "Attached to",
    Monitor: "Monitoring",
    Coach: "Coaching",
    Barge: "Barged into the call of",
    "Barge-Kick": "Took over the call of",
  } satisfies Record<SpyType, string>,
  status: {
    "not logged in": "not logged in",
    available: "available",
    ringing: "ringing",
    "in call": "in call",
    "on hold": "on hold",
    "wrap-up": "wrap-up",
    paused: "paused",
    unknown: "status unknown",
  } satisfies Record<AgentStatus, string>,
  link: {
    connecting: "connecting",
    "login refused": "login refused",
    "starting up": "starting up",
    "reading state": "reading state",
    live: "live",
    lost: "lost",
  } satisfies Record<LinkState, string>,
  ended: {
    "hung up": "hung up",
    disconnected: "disconnected",
    "call ended": "call ended",
    moved: "moved to another agent",
    left: "left for something else",
    "PBX restarted": "PBX restarted",
    lost: "gone when the PBX could be seen again",
  } satisfies Record<EndReason, string>,
  provenance: {
    observed: "Asterisk said so.",
    supplied: "Supplied by the dialler, the dialplan or a setting.",
    derived: "Concluded from what Asterisk said; Asterisk did not say it itself.",
    unverified: "Believed, but nothing has confirmed it yet.",
  } satisfies Record<Provenance, string>,
  atLeast: (type: string) => `at least ${type}`,
  atLeastTip:
    "The supervisor may have switched to a stronger type; Asterisk does not report every switch.",
  unknownTypeTip: "Asterisk does not say how this supervision was started, so its type is not known.",
  startTip: "It was already so when monitord attached to the PBX: the real start is then or earlier.",
  atOrBefore: (at: string) => `at or before ${at}`,
  endTip: "The PBX could not be seen when it ended; the end lies between these two times.",
  between: (from: string, to: string) => `between ${from} and ${to}`,
  mark: "How this is known:",
  waiting: "Waiting",
  unknownAgent: "agent not known",
  notSupplied: "not supplied",
  since: (at: string) => `since ${at}`,
  customer: "customer",
};

export const users = {
  title: "Coaching / Monitoring Users",
  one: "1 person",
  many: (n: string) => `${n} people`,
  emptyTitle: "Nobody is coaching or monitoring now",
  empty:
    "A supervisor appears here the moment they begin to listen, coach or barge, for example by dialling your feature code for Monitor and then an agent’s extension. Nothing has to be reloaded.",
  emptyNoData: "No data yet. As soon as monitord answers, everybody who coaches or monitors is listed here.",
  disconnectBy: (who: string) => `disconnect requested by ${who}`,
  waitingSince: (at: string) => `no call since ${at}`,
  search: "Search by name, agent or type",
  searchShort: "Search",
  found: (n: string, all: string) => `${n} of ${all}`,
  noneFound: (text: string) => `Nobody here matches “${text}”.`,
  clear: "Clear the search",
  order: "Order of the list",
  orders: { name: "By name", longest: "Longest first", newest: "Newest first", type: "By type" },
  holding: "order held while you are here",
};

export const selected = {
  title: "Selected User",
  nobody: "Nobody is selected.",
  choose: "Choose a name under “Coaching / Monitoring Users” to see what they do now, the call under it and their history.",
  chooseNobody: "As soon as somebody coaches or monitors, choose their name to see the details here.",
  status: "Current status",
  waiting: (agent: string) => `Waiting for the next call of ${agent}`,
  none: "No supervision now",
  ended: "The supervision has ended.",
  endedAt: (at: string, why: string) => `The supervision ended at ${at}${why ? `: ${why}` : ""}.`,
  historyStays: "The history below stays.",
  unknownPerson: "Unknown user",
  disconnect: "Disconnect User",
  disabledNotLive: "Waits until the connection is live again.",
  disabledPbx: (pbx: string) => `Waits until ${pbx} can be reached again.`,
  mayNot: "Your role may see supervisions, not disconnect them.",
  by: (who: string) => `Disconnect requested by ${who}; not confirmed yet.`,
};

export const disconnect = {
  question: (who: string) => `Disconnect ${who}?`,
  which: "Which supervision?",
  supervisor: "Supervisor",
  agent: "Agent",
  type: "Type",
  what: (who: string) => `${who} is removed from the call. The agent and the customer go on talking.`,
  whatWaiting: (who: string) => `${who} leaves and will not be attached to the agent’s next call.`,
  whatKick: (who: string) =>
    `After a Barge-Kick the customer is connected to ${who} alone. Disconnecting ends the customer’s call as well.`,
  whatUnknown: (who: string) =>
    `${who} is removed from the call. The type is not known: if the supervisor has taken the call over (Barge-Kick), the customer’s call would end as well.`,
  ok: "Disconnect",
  okKick: "Disconnect and end the call",
  cancel: "Cancel",
  gone: "The supervision has ended meanwhile. Nothing is left to disconnect.",
  requested: (who: string, agent: string) => `Disconnecting ${who} from ${agent}: requested …`,
  confirmed: (who: string, agent: string) => `${who} was disconnected from ${agent}. Confirmed by Asterisk.`,
  refused: (who: string, why: string) => `${who} was not disconnected. ${why}`,
  notConfirmed: (who: string, why: string) =>
    `The disconnect of ${who} was sent but is not confirmed. ${why}`,
  forbidden: "Your role does not allow it.",
  notFound: "The supervision is gone.",
  unreachable: "The server does not answer; whether it was carried out is not known.",
  dismiss: "Dismiss",
};

export const current = {
  title: "Currently Coaching / Monitoring",
  empty: "The agent who is coached or monitored, their live status, and who hears whom. Whoever is attached hears the call like this:",
  none: "Nobody is coached or monitored by this user now.",
  agent: "Agent",
  status: "Agent’s status",
  statusNone: "no live status",
  paused: (reason: string) => `paused: ${reason}`,
  holding: "call on hold",
  others: "Also on this agent",
  nobodyElse: "nobody else",
  means: "Started by",
  how: {
    dialplan: "feature code or dialplan",
    application: "an application",
    unknown: "not known",
  } as Record<string, string>,
  hearing: "Who hears whom",
  supervisor: "Supervisor",
  customer: "Customer",
  sentence: {
    Monitor: "The supervisor hears both. Nobody hears the supervisor.",
    Coach: "The supervisor hears both. The agent hears the supervisor, the customer does not.",
    Barge: "All three hear each other.",
    "Barge-Kick": "The supervisor and the customer hear each other. The agent is out of the call.",
    Unknown: "Not known: Asterisk does not say whether the agent or the customer can hear the supervisor.",
  } satisfies Record<SpyType, string>,
  atLeast: "This is the least: the supervisor may have switched to a stronger type unseen, and then the dashed lines are heard too.",
  waiting: "There is no call now. The supervisor waits for the agent’s next one.",
};

export const calls = {
  title: "Users",
  empty: "The call of the agent who is coached or monitored appears here, with its number, length, campaign, list and result code.",
  none: "No call is under supervision by this user now.",
  waiting: (agent: string) => `${agent} has no call now. The next one appears here by itself.`,
  callId: "Call ID",
  number: "Phone number",
  length: "Length",
  campaign: "Campaign",
  list: "List",
  result: "Result code",
  inbound: "calling in",
  outbound: "being called",
};

export const history = {
  title: "Coaching / Monitoring History",
  empty: "All supervisions carried out by the selected user, newest first.",
  none: "This user has no supervisions on record. Each one is kept here from the moment it starts.",
  loading: "Loading the history …",
  failed: "The history could not be loaded.",
  again: "Try again",
  type: "Type",
  start: "Start",
  end: "End",
  length: "Length",
  target: "Target user",
  campaign: "Target campaign",
  running: "running",
  by: (reason: string, who: string) => `${reason} by ${who}`,
  open: (type: string, at: string) => `Segments of ${type}, ${at}`,
  more: "Show more",
  shown: (n: string) => `${n} shown, older ones follow`,
  all: (n: string) => `All ${n} shown`,
  allOne: "The only one is shown",
  lengthUnknown: "not known",
};

export const segments = {
  caption: "Segments",
  strip: "Segments over time",
  n: "No.",
  type: "Type",
  callId: "Call ID",
  number: "Phone number",
  start: "Start",
  end: "End",
  length: "Length",
  campaign: "Campaign",
  list: "List",
  result: "Result code",
  waited: (length: string) => `Waited ${length} between calls.`,
  failed: "The segments could not be loaded.",
  none: "No segments are on record.",
};

export const announce = {
  started: (who: string, doing: string, agent: string) => `${who}: ${doing} ${agent}`,
  ended: (who: string, agent: string) => `${who} is no longer on ${agent}`,
  manyStarted: (n: string) => `${n} supervisions started`,
  manyEnded: (n: string) => `${n} supervisions ended`,
};

export const keys = {
  title: "Keys",
  list: [
    ["↑ ↓", "Go through the users"],
    ["Enter", "Select the user"],
    ["/", "Search the users; Esc clears"],
    ["D", "Disconnect the selected user (asks first)"],
    ["?", "Show the keys"],
    ["Esc", "Close"],
  ],
  single: "Single keys (D, /, ?) are on",
  singleHint: "Switch off if you steer by voice or type by accident.",
};

export const units = { s: "s", min: "min", h: "h", d: "d", ms: "ms" };
