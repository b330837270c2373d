/**
 * How often the sky is drawn: thirty times a second, and less often where a picture takes the machine longer.
 *
 * The music, which may be made on the same machine, needs the time more. What drifts moves by a pixel or two
 * from one picture to the next.
 */

const FASTEST_MS = 1000 / 30;
const SLOWEST_MS = 250;
/** The share of the last picture in what is expected of the next. */
const NEWS = 0.2;
/** A screen shows pictures at its own times: what is due a little later than one of them is drawn for it. */
const EARLY_MS = 4;

/** Says which of the pictures that the browser offers to draw; times are milliseconds of any clock. */
export class Pace {
  constructor() {
    /** From a picture to the next that the browser offers: what a picture takes it, if that is long. */
    this.tookMs = 0;
    this.drawnMs = -Infinity;
    this.offeredMs = NaN;
  }

  /** Whether to draw the picture offered at `nowMs`; asked for each of them. `leastMs`: no more often than this. */
  due(nowMs, leastMs = 0) {
    // A hidden page is offered none for hours: that is no picture's fault.
    const sinceMs = Math.min(SLOWEST_MS, nowMs - this.offeredMs);
    if (this.drawnMs === this.offeredMs) this.tookMs += NEWS * (sinceMs - this.tookMs);
    this.offeredMs = nowMs;
    if (nowMs - this.drawnMs < Math.max(this.everyMs, leastMs) - EARLY_MS) return false;
    this.drawnMs = nowMs;
    return true;
  }

  /** Between two pictures: about as long again as one takes. */
  get everyMs() {
    return Math.min(SLOWEST_MS, Math.max(FASTEST_MS, 2 * this.tookMs - FASTEST_MS));
  }
}
