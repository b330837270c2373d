/**
 * Where a seek is least audible: the place where the sound goes on as it would at the current one.
 *
 * Waveform similarity as in WSOLA (Verhelst and Roelands, ICASSP 1993): the normalised cross-correlation of
 * the frames that a crossfade blends, first on a coarse grid of places, then frame by frame around the best.
 */

const COARSE_FRAMES = 16;
/** One frame in this many is compared: enough to tell, few enough for the audio thread. */
const STRIDE_FRAMES = 8;

/** Searches `ring` (a `FrameRing`), comparing stretches of `frames` frames. */
export class Similarity {
  constructor(ring, frames) {
    this.ring = ring;
    this.frames = frames;
    /** The last result: a frame of the ring, and its correlation from 0 (unrelated) to 1 (the same). */
    this.place = 0;
    this.correlation = 0;
  }

  /** Set `place` to the ring frame in `first`…`last` at which the ring is most similar to what begins at `from`. */
  find(from, first, last) {
    this.place = first;
    this.correlation = -1;
    for (let place = first; place <= last; place += COARSE_FRAMES) this.#compare(from, place);
    const low = Math.max(first, this.place - COARSE_FRAMES + 1);
    const high = Math.min(last, this.place + COARSE_FRAMES - 1);
    for (let place = low; place <= high; place += 1) this.#compare(from, place);
    this.correlation = Math.max(0, this.correlation);
  }

  #compare(from, place) {
    const { left, right, mask } = this.ring;
    let product = 0;
    let here = 1e-9;
    let there = 1e-9;
    for (let i = 0; i < this.frames; i += STRIDE_FRAMES) {
      const a = (from + i) & mask;
      const b = (place + i) & mask;
      product += left[a] * left[b] + right[a] * right[b];
      here += left[a] * left[a] + right[a] * right[a];
      there += left[b] * left[b] + right[b] * right[b];
    }
    const correlation = product / Math.sqrt(here * there);
    if (correlation <= this.correlation) return;
    this.correlation = correlation;
    this.place = place;
  }
}
