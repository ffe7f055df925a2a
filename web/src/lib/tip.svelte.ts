/** The one tip that may be open: shown by pointer or focus, gone with Esc (WCAG 1.4.13). */
class Tip {
  text = $state("");
  anchor = $state.raw<HTMLElement | null>(null);

  show(anchor: HTMLElement, text: string): void {
    this.anchor = anchor;
    this.text = text;
  }

  hide(): void {
    this.anchor = null;
    this.text = "";
  }
}

export const tip = new Tip();
