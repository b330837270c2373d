/**
 * Keeps the buffer's fill at its target: a slow controller of the resampler's rate, and the adaptive target.
 *
 * Server and sound card run on different clocks, so the fill drifts for as long as the page is open. The rate
 * follows the smoothed fill within ±300 ppm (half a cent: inaudible). What that can't correct in time is
 * left to a seek, which `seekMs` asks for.
 */

export const MAX_PPM = 300;
const SMOOTHING_S = 4;
const PPM_PER_MS = 15;
const INTEGRAL_S = 400;
const WINDOW_S = 1;
const FAR_MS = 40;

const clamp = (value, limit) => Math.min(limit, Math.max(-limit, value));

/** Steers by the fill; call `update` with every block. */
export class Steering {
  constructor() {
    this.driftPpm = 0;
    this.restart(0);
  }

  /** Begin at `targetMs` with no error, keeping the drift that was learned. */
  restart(targetMs) {
    this.smoothMs = targetMs;
    this.ppm = this.driftPpm;
    this.#openWindow();
    this.previousMs = 0;
    /** How far (ms) the mean fill of the last second is from the target, if too far to steer back; else 0. */
    this.seekMs = 0;
  }

  #openWindow() {
    this.windowMs = 0;
    this.windowS = 0;
  }

  /** Take in the fill over the last `elapsedS` seconds; sets `ppm` (positive: play faster) and `seekMs`. */
  update(fillMs, targetMs, elapsedS) {
    this.smoothMs += (fillMs - this.smoothMs) * Math.min(1, elapsedS / SMOOTHING_S);
    const errorMs = this.smoothMs - targetMs;
    const wanted = PPM_PER_MS * errorMs + this.driftPpm;
    if (Math.abs(wanted) < MAX_PPM) {
      this.driftPpm = clamp(this.driftPpm + (PPM_PER_MS * errorMs * elapsedS) / INTEGRAL_S, MAX_PPM);
    }
    this.ppm = clamp(wanted, MAX_PPM);
    this.#watch(fillMs, targetMs, elapsedS);
  }

  /**
   * The mean over a whole second is free of the ripple of arriving chunks, but not of a hiccup of the network or
   * sound card, which passes, nor of late chunks still to come: so two in a row must be much the same.
   */
  #watch(fillMs, targetMs, elapsedS) {
    this.seekMs = 0;
    this.windowMs += fillMs * elapsedS;
    this.windowS += elapsedS;
    if (this.windowS < WINDOW_S) return;
    const errorMs = this.windowMs / this.windowS - targetMs;
    const leastMs = Math.min(Math.abs(errorMs), Math.abs(this.previousMs));
    const steady = Math.abs(errorMs - this.previousMs) < Math.max(FAR_MS, leastMs / 4);
    if (steady && leastMs > FAR_MS) this.seekMs = errorMs;
    this.previousMs = errorMs;
    this.#openWindow();
  }
}

const INITIAL_MS = 350;
const FLOOR_MS = 300;
const CEILING_MS = 1500;
const GROW_MS = 100;
const SHRINK_PPM = 250;
const SPARE_MS = 150;
const MEMORY_S = 60;

/** The fill to aim for: grows at an underrun, shrinks slowly while the lowest fill leaves room. */
export class Target {
  constructor() {
    this.ms = INITIAL_MS;
    this.#forget();
  }

  #forget() {
    this.lowestMs = Infinity;
    this.previousMs = -Infinity;
    this.memoryS = 0;
  }

  /** Raise the target: the buffer ran dry, or nearly so. */
  grow() {
    this.ms = Math.min(CEILING_MS, this.ms + GROW_MS);
    this.#forget();
  }

  /** Take in the fill over the last `elapsedS` seconds. */
  update(fillMs, elapsedS) {
    this.lowestMs = Math.min(this.lowestMs, fillMs);
    this.memoryS += elapsedS;
    if (this.memoryS > MEMORY_S) {
      this.previousMs = this.lowestMs;
      this.lowestMs = fillMs;
      this.memoryS = 0;
    }
    const spare = Math.min(this.lowestMs, this.previousMs) - SPARE_MS;
    if (spare > 0) this.ms = Math.max(FLOOR_MS, this.ms - elapsedS * SHRINK_PPM * 1e-3);
  }
}
