/** A seek of the read position: one crossfade from the current place to the most similar one in a given range. */

import { Similarity } from "./similarity.js";

const CROSSFADE_S = 0.04;

/** Reads through `sinc` from `ring` (a `FrameRing`); rates in Hz, places and lengths in frames of the ring. */
export class Seek {
  constructor({ ring, sinc, streamRate, deviceRate }) {
    this.ring = ring;
    this.sinc = sinc;
    /** The frames that each side of a seek needs from its place on. */
    this.frames = Math.round(CROSSFADE_S * streamRate) + 2 * sinc.half;
    this.similarity = new Similarity(ring, this.frames);
    this.step = 1 / (CROSSFADE_S * deviceRate);
    this.end();
  }

  /** End the crossfade: nothing of the old place is left. */
  end() {
    this.from = 0;
    this.progress = 1;
  }

  get running() {
    return this.progress < 1;
  }

  /** Begin a seek from `read` to the best place in `first`…`last`, which is returned. */
  begin(read, first, last) {
    this.similarity.find(read, first, last);
    this.from = read;
    this.progress = 0;
    return this.similarity.place;
  }

  /** Blend what the interpolator has just read at the new place with the old one, at the same `fraction` of a frame. */
  blend(fraction) {
    const { sinc } = this;
    const { left, right } = sinc;
    const angle = this.progress * (Math.PI / 2);
    // Equal power, whether the two signals are unrelated or the same.
    const level = 1 / Math.sqrt(1 + this.similarity.correlation * Math.sin(2 * angle));
    const rise = level * Math.sin(angle);
    const fall = level * Math.cos(angle);
    sinc.read(this.ring, this.from, fraction);
    sinc.left = rise * left + fall * sinc.left;
    sinc.right = rise * right + fall * sinc.right;
    this.progress = Math.min(1, this.progress + this.step);
  }

  /** Advance the old place by `frames`, too. */
  advance(frames) {
    this.from += frames;
  }
}
