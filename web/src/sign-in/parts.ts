/** What both pages for those who are not signed in need. */

export function need<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no #${id}`);
  return found;
}

/** A button that shows what is typed into password fields. */
export function showing(button: HTMLButtonElement, fields: HTMLInputElement[]): void {
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    for (const field of fields) field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  });
}
