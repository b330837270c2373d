/**
 * How often the sky is drawn: thirty times a second, and less often where drawing takes the machine longer.
 *
 * The music, which may be rendered on the same machine, needs the time more. What drifts moves by a pixel or two
 * from one drawing to the next.
 */

const FASTEST_MS = 1000 / 30;
const SLOWEST_MS = 250;
/** The weight of the latest drawing in the smoothed time that one takes. */
const SMOOTHING = 0.2;
/** The browser offers frames when the screen refreshes: a drawing due up to this much later is done now. */
const EARLY_MS = 4;

/** Decides which of the frames that the browser offers are drawn; times are milliseconds of any clock. */
export class Pace {
  constructor() {
    /** The smoothed time from a drawing to the next frame offered: what a drawing takes, if that is long. */
    this.tookMs = 0;
    this.drawnMs = -Infinity;
    this.offeredMs = NaN;
  }

  /** Whether to draw the frame offered at `nowMs`; call it for every frame. `leastMs`: the shortest interval. */
  due(nowMs, leastMs = 0) {
    // A hidden page may be offered no frame for hours, which says nothing about how long drawing takes.
    const sinceMs = Math.min(SLOWEST_MS, nowMs - this.offeredMs);
    if (this.drawnMs === this.offeredMs) this.tookMs += SMOOTHING * (sinceMs - this.tookMs);
    this.offeredMs = nowMs;
    if (nowMs - this.drawnMs < Math.max(this.everyMs, leastMs) - EARLY_MS) return false;
    this.drawnMs = nowMs;
    return true;
  }

  /** The interval between drawings: roughly twice the time that one takes. */
  get everyMs() {
    return Math.min(SLOWEST_MS, Math.max(FASTEST_MS, 2 * this.tookMs - FASTEST_MS));
  }
}
