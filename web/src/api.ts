/** The HTTP API as functions. A refusal is a value with its reason, never an empty screen. */
import { parse } from "./lib/plain";
import type {
  DisconnectOutcome,
  Me,
  ProblemDetail,
  SupervisionDetail,
} from "./wire";

export class Refused extends Error {
  readonly status: number;
  readonly problem: ProblemDetail | null;

  /** @param status 0 where no answer came at all */
  constructor(status: number, problem: ProblemDetail | null) {
    super(problem?.message ?? "");
    this.status = status;
    this.problem = problem;
  }
}

export async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      ...init,
      headers: { accept: "application/json", ...init?.headers },
      cache: "no-store",
    });
  } catch (error) {
    if (init?.signal?.aborted) throw error;
    throw new Refused(0, null);
  }
  if (answer.status === 204) return undefined as T;
  let body: unknown = null;
  try {
    body = parse(await answer.text());
  } catch (error) {
    if (init?.signal?.aborted) throw error;
    if (answer.ok) throw new Refused(0, null); // one that was cut off is none
  }
  if (answer.ok) return body as T;
  if (answer.status === 401) toSignIn();
  throw new Refused(answer.status, body as ProblemDetail | null);
}

let leaving = false;

/** There is nothing to see for somebody who is not signed in; afterwards they come back to here. */
export function toSignIn(): void {
  if (leaving) return; // they have just signed out, and are on their way
  const here = location.pathname + location.search;
  location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
}

const POST_EMPTY: RequestInit = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: "{}",
};

export const me = () => ask<Me>("/api/v1/session");

export async function signOut(): Promise<void> {
  leaving = true;
  try {
    await ask<void>("/api/v1/session", { method: "DELETE" });
  } catch (error) {
    leaving = false;
    throw error;
  }
}

/** For the stream, whose refused upgrade a browser does not explain. */
export async function signedIn(): Promise<boolean> {
  const answer = await fetch("/api/v1/session", { cache: "no-store" });
  return answer.status !== 401;
}

export const supervision = (id: string, signal: AbortSignal) =>
  ask<SupervisionDetail>(`/api/v1/supervisions/${encodeURIComponent(id)}`, { signal });

/** `dropsCustomer`: the person was told that the customer's call ends as well. */
export const disconnect = (id: string, dropsCustomer: boolean, reason: string | null) =>
  ask<DisconnectOutcome>(`/api/v1/supervisions/${encodeURIComponent(id)}/disconnect`, {
    ...POST_EMPTY,
    body: JSON.stringify({ drops_customer: dropsCustomer, reason }),
  });
