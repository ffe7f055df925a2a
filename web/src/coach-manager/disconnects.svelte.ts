/** Disconnects that this viewer sent, from "requested" to what became of them. */
import { disconnect, Refused } from "../api";
import { disconnect as texts, words } from "../texts";
import type { Supervision } from "../wire";

export interface Sent {
  n: number;
  state: "requested" | "confirmed" | "failed";
  text: string;
}

const CONFIRMED_SHOWN_MS = 12_000;

function reason(error: unknown): string {
  if (!(error instanceof Refused)) return texts.unreachable;
  if (error.problem?.message) return error.problem.message;
  if (error.status === 403) return texts.forbidden;
  if (error.status === 404) return texts.notFound;
  return texts.unreachable;
}

export class Disconnects {
  sent = $state<Sent[]>([]);
  #n = 0;

  async send(supervision: Supervision, because: string | null): Promise<void> {
    const who = supervision.supervisor.name;
    const agent = supervision.agent?.name ?? words.unknownAgent;
    const n = ++this.#n;
    this.sent.push({ n, state: "requested", text: texts.requested(who, agent) });
    try {
      // the dialog has said so: it shows what holds for the type that was current then
      const dropsCustomer = supervision.type === "Barge-Kick";
      const { outcome, why } = await disconnect(supervision.id, dropsCustomer, because);
      if (outcome === "confirmed") {
        this.#set(n, "confirmed", why || texts.confirmed(who, agent));
        setTimeout(() => this.dismiss(n), CONFIRMED_SHOWN_MS);
      } else {
        this.#set(n, "failed", (outcome === "refused" ? texts.refused : texts.notConfirmed)(who, why));
      }
    } catch (error) {
      // no answer is no refusal: it may have been carried out
      const unsure = !(error instanceof Refused) || error.status === 0 || error.status >= 500;
      this.#set(n, "failed", (unsure ? texts.notConfirmed : texts.refused)(who, reason(error)));
    }
  }

  dismiss(n: number): void {
    this.sent = this.sent.filter((one) => one.n !== n);
  }

  #set(n: number, state: Sent["state"], text: string): void {
    const one = this.sent.find((found) => found.n === n);
    if (one) Object.assign(one, { state, text });
  }
}
