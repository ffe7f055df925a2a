/**
 * The second hand of the page. `now` moves only while the connection is live, so that no length
 * grows without anybody knowing; `wall` moves always, for ages ("4 min ago"). Both are server time.
 */
export class Ticker {
  now = $state(Date.now());
  wall = $state(Date.now());
  #offset = 0;
  #running = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Server time at this moment, between two ticks as well. */
  get exact(): number {
    return Date.now() + this.#offset;
  }

  start(): void {
    this.#tick();
  }

  set offset(ms: number) {
    this.#offset = ms;
  }

  set running(on: boolean) {
    this.#running = on;
    this.#read();
  }

  #read(): void {
    this.wall = Date.now() + this.#offset;
    if (this.#running) this.now = this.wall;
  }

  #tick(): void {
    this.#read();
    clearTimeout(this.#timer);
    // on the server's full second: all lengths turn over together
    this.#timer = setTimeout(() => this.#tick(), 1000 - (this.wall % 1000));
  }
}
