/**
 * Where a jump is heard least: the place whose sound goes on as the present one would.
 *
 * Waveform similarity as in WSOLA (Verhelst and Roelands, ICASSP 1993): the normalised cross-correlation of
 * the frames that a crossfade blends, first on a coarse grid of places, then frame by frame around the best.
 */

const COARSE = 16;
/** Every so manyth frame of a stretch is compared: enough to tell, few enough for the audio thread. */
const STRIDE = 8;

/** Finds places in a `FrameRing`, for crossfades of `frames` frames. */
export class Likeness {
  constructor(ring, frames) {
    this.ring = ring;
    this.frames = frames;
    /** The place found last (a ring frame), and how like it is: 1 the same, 0 unrelated. */
    this.place = 0;
    this.likeness = 0;
  }

  /** Sets `place` to the one of `first`…`last` that is likest to what begins at `from`. */
  find(from, first, last) {
    this.place = first;
    this.likeness = -1;
    for (let place = first; place <= last; place += COARSE) this.#compare(from, place);
    const [low, high] = [this.place - COARSE + 1, this.place + COARSE - 1];
    for (let place = Math.max(first, low); place <= Math.min(last, high); place += 1) this.#compare(from, place);
    this.likeness = Math.max(0, this.likeness);
  }

  #compare(from, place) {
    const { left, right, mask } = this.ring;
    let product = 0;
    let here = 1e-9;
    let there = 1e-9;
    for (let i = 0; i < this.frames; i += STRIDE) {
      const [a, b] = [(from + i) & mask, (place + i) & mask];
      product += left[a] * left[b] + right[a] * right[b];
      here += left[a] * left[a] + right[a] * right[a];
      there += left[b] * left[b] + right[b] * right[b];
    }
    const likeness = product / Math.sqrt(here * there);
    if (likeness <= this.likeness) return;
    this.likeness = likeness;
    this.place = place;
  }
}
