/**
 * Collects what comes and hands it on once for each picture that the screen draws: a busy site
 * sends more frames than that, and each one applied alone would cost a pass over the page.
 */
export class Batch<T> {
  #waiting: T[] = [];
  #cancel: (() => void) | null = null;
  readonly #take: (items: T[]) => void;
  readonly #plan: (run: () => void) => () => void;

  /** @param plan calls `run` when it is time; gives the way to call that off */
  constructor(take: (items: T[]) => void, plan: (run: () => void) => () => void) {
    this.#take = take;
    this.#plan = plan;
  }

  add(item: T): void {
    this.#waiting.push(item);
    this.#cancel ??= this.#plan(() => this.flush());
  }

  /** All that waits, now. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#waiting.length === 0) return;
    const items = this.#waiting;
    this.#waiting = [];
    this.#take(items);
  }
}

const BACKGROUND_MS = 250;

/** With the next picture; a page in the background draws none, so there a timer does. */
export function nextPicture(run: () => void): () => void {
  const picture = requestAnimationFrame(run);
  const timer = setTimeout(run, BACKGROUND_MS);
  return () => {
    cancelAnimationFrame(picture);
    clearTimeout(timer);
  };
}
