/**
 * The server's clock as seen from here. Lengths are counted from the server's instants, and a
 * browser's own clock may be minutes off.
 */
export interface Sample {
  sent: number;
  received: number;
  /** Server time in the answer. */
  at: number;
}

const KEPT = 12;

export class Offset {
  #samples: { offset: number; trip: number }[] = [];
  #guess = 0;

  /** Server time minus ours, in ms; from the fastest of the last round trips, which is the least wrong. */
  get ms(): number {
    return this.#best?.offset ?? this.#guess;
  }

  /** The last round trip in ms, null before the first. */
  get trip(): number | null {
    return this.#samples.at(-1)?.trip ?? null;
  }

  get #best() {
    let best = this.#samples[0];
    for (const sample of this.#samples) if (best && sample.trip < best.trip) best = sample;
    return best;
  }

  add({ sent, received, at }: Sample): void {
    const trip = Math.max(0, received - sent);
    this.#samples.push({ offset: at - (sent + trip / 2), trip });
    if (this.#samples.length > KEPT) this.#samples.shift();
  }

  /** A first guess from a frame that came unasked: too small by the way here, better than nothing. */
  guess(at: number, received: number): void {
    this.#guess = at - received;
  }
}
