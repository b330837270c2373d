/** Delays between attempts to reconnect: exponential with full jitter, so that clients don't all return at once. */

const FLOOR_S = 0.5;
const CEILING_S = 15;
const HINTED_FLOOR_S = 5;
const PROMPT_S = 0.2;

/** Gives the delay before each attempt, in seconds. */
export class Backoff {
  /** @param {() => number} random uniform in 0–1 */
  constructor(random = Math.random) {
    this.random = random;
    this.attempt = 0;
  }

  /** The next delay, 0.5–15 s; if `busy` (the server said "try later"), at least 5 s. */
  next(busy = false) {
    const floor = busy ? HINTED_FLOOR_S : FLOOR_S;
    this.attempt += 1;
    const ceiling = Math.min(CEILING_S, floor * 2 ** Math.min(this.attempt, 10));
    return floor + this.random() * (ceiling - floor);
  }

  /** At first at most 0.2 s, for a server that announced its shutdown: another one may already answer. */
  prompt() {
    if (this.attempt > 0) return this.next();
    this.attempt += 1;
    return this.random() * PROMPT_S;
  }

  /** Forget past failures: the connection holds again. */
  reset() {
    this.attempt = 0;
  }
}
