/** Who is signed in, for parts that are deep inside a page. */
import type { Me } from "../wire";

class Viewer {
  who = $state.raw<Me | null>(null);

  /** Whether a supervision is the viewer's own, whose reason is theirs to give. */
  supervised(supervisor: string): boolean {
    return this.who?.id === supervisor && this.who.permissions.includes("reason.give");
  }
}

export const me = new Viewer();
