/** A refusal as what is wrong with a form: by field, and as a whole under "". */
import type { Faults } from "../people/roster.svelte";
import { why } from "../sign-in/why";

export function faultsOf(error: unknown): Faults {
  const { text, field } = why(error);
  return { [field ?? ""]: text };
}
