/** One jump of what is read, in one crossfade: from where it was, to the allowed place that sounds likest. */

import { Likeness } from "./likeness.js";

const CROSSFADE_S = 0.04;

/** Reads through `sinc` from `ring`, a `FrameRing`. */
export class Jump {
  constructor({ ring, sinc, streamRate, deviceRate }) {
    this.ring = ring;
    this.sinc = sinc;
    /** Frames that both sides of a jump need from its beginning on. */
    this.frames = Math.round(CROSSFADE_S * streamRate) + 2 * sinc.half;
    this.likeness = new Likeness(ring, this.frames);
    this.step = 1 / (CROSSFADE_S * deviceRate);
    this.end();
  }

  /** Leave nothing behind. */
  end() {
    this.from = 0;
    this.progress = 1;
  }

  get running() {
    return this.progress < 1;
  }

  /** Jump from `read` to the best of `first`…`last`, which is returned. */
  begin(read, first, last) {
    this.likeness.find(read, first, last);
    this.from = read;
    this.progress = 0;
    return this.likeness.place;
  }

  /** Blend what the interpolator has just read at the new place with the old one, `fraction` of a frame on. */
  blend(fraction) {
    const { sinc } = this;
    const { left, right } = sinc;
    const angle = this.progress * (Math.PI / 2);
    // Equal power, whether the two are unrelated or the same.
    const level = 1 / Math.sqrt(1 + this.likeness.likeness * Math.sin(2 * angle));
    const [rise, fall] = [level * Math.sin(angle), level * Math.cos(angle)];
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
