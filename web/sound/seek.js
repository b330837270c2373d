/** A seek in what is read: one crossfade from the present place to the most similar one of those allowed. */

import { Similarity } from "./similarity.js";

const CROSSFADE_S = 0.04;

/** Reads through `sinc` from `ring` (a `FrameRing`); rates in Hz, places and lengths in frames of the ring. */
export class Seek {
  constructor({ ring, sinc, streamRate, deviceRate }) {
    this.ring = ring;
    this.sinc = sinc;
    /** What either side of a seek needs from its beginning on. */
    this.frames = Math.round(CROSSFADE_S * streamRate) + 2 * sinc.half;
    this.similarity = new Similarity(ring, this.frames);
    this.step = 1 / (CROSSFADE_S * deviceRate);
    this.end();
  }

  /** Leave nothing of the old place. */
  end() {
    this.from = 0;
    this.progress = 1;
  }

  get running() {
    return this.progress < 1;
  }

  /** Seek from `read` to the best of `first`…`last`, which is returned. */
  begin(read, first, last) {
    this.similarity.find(read, first, last);
    this.from = read;
    this.progress = 0;
    return this.similarity.place;
  }

  /** Blend what the interpolator has just read at the new place with the old one, `fraction` of a frame on. */
  blend(fraction) {
    const { sinc } = this;
    const { left, right } = sinc;
    const angle = this.progress * (Math.PI / 2);
    // Equal power, whether the two are unrelated or the same.
    const level = 1 / Math.sqrt(1 + this.similarity.correlation * Math.sin(2 * angle));
    const rise = level * Math.sin(angle);
    const fall = level * Math.cos(angle);
    sinc.read(this.ring, this.from, fraction);
    sinc.left = rise * left + fall * sinc.left;
    sinc.right = rise * right + fall * sinc.right;
    this.progress = Math.min(1, this.progress + this.step);
  }

  /** The old place goes on by `frames`, too. */
  advance(frames) {
    this.from += frames;
  }
}
