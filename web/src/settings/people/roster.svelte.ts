/** The roster as this page knows it, read whole, and changes of it. */
import { Refused } from "../../api";
import { fmt } from "../../lib/format";
import { people as texts } from "../../texts-people";
import type { PersonRow, RosterChanged, TeamRow } from "../../wire";
import { change, peoplePage, teamPage, type Method } from "./api";

/** What is wrong with a form: by field, and as a whole under "". */
export type Faults = Record<string, string>;

export class Roster {
  state = $state<"loading" | "ready" | "failed">("loading");
  why = $state("");
  version = $state("");
  people = $state.raw<readonly PersonRow[]>([]);
  teams = $state.raw<readonly TeamRow[]>([]);
  /** What was done last, for those who listen. */
  said = $state("");
  readonly byId = $derived(new Map(this.people.map((one) => [one.id, one])));
  readonly teamById = $derived(new Map(this.teams.map((one) => [one.id, one])));
  readonly reports = $derived.by(() => {
    const found = new Map<string, number>();
    for (const one of this.people) {
      if (one.active && one.leader) found.set(one.leader, (found.get(one.leader) ?? 0) + 1);
    }
    return found;
  });
  #stop = new AbortController();

  /** All of it, of one version: where it changes between two pages it is read again. */
  async load(): Promise<void> {
    this.#stop.abort();
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    if (this.state === "failed") this.state = "loading";
    try {
      for (let tries = 0; tries < 5; tries += 1) {
        if (await this.#read(signal)) return;
      }
      throw new Refused(0, null);
    } catch (error) {
      if (signal.aborted) return;
      this.why = error instanceof Refused && error.problem ? error.problem.message : texts.noAnswer;
      this.state = "failed";
    }
  }

  async #read(signal: AbortSignal): Promise<boolean> {
    const teams = await teamPage(signal);
    const people: PersonRow[] = [];
    let cursor: string | null = null;
    do {
      const page = await peoplePage(cursor, signal);
      if (page.version !== teams.version) return false;
      people.push(...page.rows);
      cursor = page.next;
    } while (cursor !== null);
    this.#take(people, teams.rows, teams.version);
    return true;
  }

  #take(people: PersonRow[], teams: readonly TeamRow[], version: string): void {
    people.sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
    this.people = people;
    this.teams = [...teams].sort((a, b) => a.name.localeCompare(b.name));
    this.version = version;
    this.state = "ready";
  }

  name(id: string | null): string {
    return id === null ? "" : (this.byId.get(id)?.name ?? id);
  }

  stop(): void {
    this.#stop.abort();
  }

  /**
   * Carry out a change and take over what became different. Gives null where it was done, else
   * what is wrong; where somebody else was faster, the roster has been read anew.
   */
  async change(method: Method, path: string, body: unknown, what: string): Promise<Faults | null> {
    let done: RosterChanged;
    try {
      done = await change(method, path, this.version, body);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 412) await this.load();
      return faultsOf(error);
    }
    const different = new Map(done.people.map((one) => [one.id, one]));
    const kept = this.people.filter((one) => !different.has(one.id));
    this.#take([...kept, ...done.people], this.teams, done.version);
    if (path.startsWith("/teams") || done.people.length > 0) await this.#readTeams();
    const n = done.attributed;
    const rows = n === 1 ? texts.attributedOne : texts.attributed(fmt.number(n));
    this.said = texts.saved(what) + (n > 0 ? ` ${rows}` : "");
    return null;
  }

  /** A team's cadence is that of its people as well. */
  async #readTeams(): Promise<void> {
    try {
      const page = await teamPage(this.#stop.signal);
      if (page.version !== this.version) return await this.load();
      this.teams = [...page.rows].sort((a, b) => a.name.localeCompare(b.name));
      this.people = this.people.map((one) => {
        const cadence = one.cadence ?? this.teamById.get(one.team ?? "")?.cadence ?? "weekly";
        return cadence === one.cadence_in_force ? one : { ...one, cadence_in_force: cadence };
      });
    } catch {
      // the change itself is done; the next look reads it
    }
  }
}

export function faultsOf(error: Refused): Faults {
  if (error.status === 412) return { "": texts.changedMeanwhile };
  if (error.status === 0) return { "": texts.unreachable };
  if (error.problem === null) return { "": texts.otherwise };
  const field = (error.problem.field ?? "").replace(/^new\./, "").replace(/[.[].*$/, "");
  return { [field]: error.problem.message };
}
