import { expect, it } from "vitest";
import { story as texts } from "../texts-calls";
import type { CallDetail, CallRow, CallSegment, FlagShown, StatusRow } from "../wire";
import { tell } from "./story";

const row: CallRow = {
  id: "c",
  pbx: "lab",
  call_id: "7.1",
  agent: { id: "ann", name: "Ann Agent", endpoint: "PJSIP/1001" },
  direction: "inbound",
  number: "•••34",
  queue: "support",
  campaign: null,
  list: null,
  result: null,
  started: 100_000,
  started_exact: true,
  answered: 110_000,
  ended: 200_000,
  ended_exact: true,
  end_reason: "call ended",
  talk_ms: 70_000,
  hold_ms: 20_000,
  wrap_up_ms: null,
  length_ms: 100_000,
};
const status = (id: string, of: StatusRow["status"], started: number, ended: number | null): StatusRow => ({
  id,
  pbx: "lab",
  agent: row.agent!,
  status: of,
  reason: "",
  started,
  started_exact: true,
  ended,
  ended_exact: true,
  length_ms: null,
});
const segment = (n: number, type: CallSegment["type"], started: number, ended: number | null): CallSegment => ({
  n,
  type,
  at_least: n === 2,
  type_provenance: "observed",
  started,
  started_exact: true,
  ended,
  ended_exact: true,
});
const flag = (id: string, moment: number | null) =>
  ({ id, moment, polarity: "good", comment: "Let her finish", by: { id: "sue", name: "Sue" } }) as FlagShown;
const detail: CallDetail = {
  call: row,
  supervisions: [
    {
      id: "s",
      supervisor: { id: "lee", name: "Lee Lead", endpoint: "PJSIP/2009" },
      segments: [segment(1, "Monitor", 120_000, 150_000), segment(2, "Coach", 150_000, 200_000)],
    },
  ],
  parts: [],
  statuses: [
    status("1", "available", 0, 105_000),
    status("2", "in call", 110_000, 160_000),
    status("3", "on hold", 160_000, 180_000),
    status("4", "wrap-up", 200_000, 210_000),
  ],
  flags: [flag("f", 150_000), flag("g", null)],
  scores: [],
  recordings: [],
  gaps: [{ pbx: "lab", started: 190_000, ended: 195_000, why: "connection lost" }],
  complete: true,
};

it("draws each lane over the call's own time", () => {
  const told = tell(detail, 999_000);
  expect(told.whole).toBe(100_000);
  expect(told.lanes.map((lane) => [lane.name, lane.bars.map(({ look, from, to }) => [look, from, to])])).toEqual([
    ["Call", [["waiting", 0, 0.1], ["talking", 0.1, 1]]],
    ["Agent’s telephone", [["available", 0, 0.05], ["in call", 0.1, 0.6], ["on hold", 0.6, 0.8]]],
    ["Lee Lead", [["Monitor", 0.2, 0.5], ["Coach", 0.5, 1]]],
  ]);
  expect(told.pins.map(({ id, at }) => [id, at])).toEqual([["f", 0.5]]);
  expect(told.gaps).toEqual([{ from: 0.9, to: 0.95 }]);
});

it("says in words what it draws, in its order, and the end last", () => {
  const told = tell(detail, 999_000);
  expect(told.lines.map(({ at, text, took }) => [at, text, took])).toEqual([
    [0, "The call began", ""],
    [0, "Agent’s telephone: free", "for 0:05"],
    [10_000, "Ann Agent answered", ""],
    [10_000, "Agent’s telephone: in a call", "for 0:50"],
    [20_000, "Lee Lead: Monitor", "for 0:30"],
    [50_000, "Lee Lead: at least Coach", "for 0:50"],
    [50_000, "Flag by Sue, Good work: Let her finish", ""],
    [60_000, "Agent’s telephone: on hold", "for 0:20"],
    [90_000, "The PBX could not be seen: connection lost", "for 0:05"],
    [100_000, "The call ended", ""],
    [null, "Flag by Sue, Good work: Let her finish", ""],
  ]);
  const bars = told.lanes.flatMap((lane) => lane.bars);
  expect(bars.every(({ from, to }) => from >= 0 && from <= to && to <= 1)).toBe(true);
});

it("draws what runs until now", () => {
  const call = { ...row, ended: null, end_reason: null, length_ms: null };
  const open = { ...detail, call, statuses: [status("2", "in call", 110_000, null)], gaps: [], flags: [] };
  const told = tell({ ...open, supervisions: [{ ...detail.supervisions[0]!, segments: [segment(1, "Barge", 120_000, null)] }] }, 140_000);
  expect(told).toMatchObject({ whole: 40_000, open: true });
  expect(told.lanes[2]!.bars).toEqual([{ look: "Barge", from: 0.5, to: 1 }]);
  expect(told.lines.filter((line) => line.took === texts.runs).map((line) => line.text)).toEqual([
    "Agent’s telephone: in a call",
    "Lee Lead: Barge",
  ]);
});

it("says what is not known, and guesses nothing", () => {
  const { answered, holdsNone, complete, end } = texts.unknown;
  expect(tell(detail, 0).unknown).toEqual([]);
  const blind = tell(
    { ...detail, call: { ...row, answered: null, started_exact: false, ended_exact: false }, statuses: [], complete: false },
    0,
  );
  expect(blind.unknown).toEqual([answered, end, holdsNone("0:20"), complete]);
  expect(blind.lanes[0]!.bars).toEqual([{ look: "whole", from: 0, to: 1 }]);
  expect(blind.lines[0]!.text).toBe(texts.beganBefore);
  const some = tell({ ...detail, statuses: [status("3", "on hold", 160_000, 170_000)] }, 0);
  expect(some.unknown[0]).toBe(texts.unknown.holds("0:20", "0:10"));
});

it("a call that nobody answered waited to its end", () => {
  const told = tell({ ...detail, call: { ...row, answered: null, talk_ms: 0, hold_ms: 0 }, statuses: [] }, 0);
  expect(told.lanes[0]!.bars).toEqual([{ look: "waiting", from: 0, to: 1 }]);
  expect(told.unknown).toEqual([]);
});

it("tells who had it before, and does not take the telephone of whoever has it now for theirs", () => {
  const bob = { id: "bob", name: "Bob Agent", endpoint: "PJSIP/1003" };
  const parts = [
    { agent: bob, started: 100_000, ended: 130_000, exact: true },
    { agent: null, started: 130_000, ended: 150_000, exact: false },
  ];
  const told = tell({ ...detail, parts }, 0);
  const lane = told.lanes.find((one) => one.key === "agents");
  expect(lane?.bars.map((bar) => [bar.from, bar.to])).toEqual([
    [0.1, 0.3],
    [0.3, 0.5],
    [0.5, 1],
  ]);
  const texts_ = told.lines.map((line) => line.text);
  expect(texts_).toContain(texts.answered("Bob Agent"));
  expect(texts_).toContain(texts.handed("Bob Agent", texts.otherAgent));
  expect(texts_).toContain(texts.handedAbout(texts.otherAgent, "Ann Agent"));
  const phone = told.lanes.find((one) => one.key === "agent");
  expect(phone?.bars[0]).toEqual({ look: "in call", from: 0.5, to: 0.6 });
});
