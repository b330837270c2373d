/**
 * The preallocated ring of stereo frames that have arrived and wait to be heard.
 *
 * Frames are counted from the ring's beginning (`written`); their positions in the stream are kept separately,
 * because the stream may jump. Joining two stretches overlaps them in one crossfade.
 */

const SCALE = 1 / 32768;
const MAX_STRETCHES = 64;

/** Where each stretch in the ring belongs in the stream: a short history of (ring frame → stream frame). */
class Stretches {
  constructor() {
    this.ringFrame = new Float64Array(MAX_STRETCHES);
    this.streamFrame = new Float64Array(MAX_STRETCHES);
    this.count = 0;
  }

  begin(ringFrame, streamFrame) {
    const slot = this.count % MAX_STRETCHES;
    this.ringFrame[slot] = ringFrame;
    this.streamFrame[slot] = streamFrame;
    this.count += 1;
  }

  /** The stream frame of ring frame `at`; NaN before the first stretch. */
  locate(at) {
    const oldest = Math.max(0, this.count - MAX_STRETCHES);
    for (let index = this.count - 1; index >= oldest; index -= 1) {
      const slot = index % MAX_STRETCHES;
      if (this.ringFrame[slot] <= at) return this.streamFrame[slot] + at - this.ringFrame[slot];
    }
    return NaN;
  }
}

/** A ring of `2 ** bits` stereo frames, floats in −1…1. */
export class FrameRing {
  constructor(bits) {
    this.capacity = 2 ** bits;
    this.mask = this.capacity - 1;
    this.left = new Float32Array(this.capacity);
    this.right = new Float32Array(this.capacity);
    this.written = 0;
    /** The stream frame that continues what was written last. */
    this.nextFrame = NaN;
    this.stretches = new Stretches();
  }

  /**
   * Write `samples` (interleaved stereo, 16 bit), which begin at `streamFrame`. When that isn't where the
   * last ones ended, the last `overlap` frames written and the first new ones are crossfaded.
   */
  append(samples, streamFrame, overlap) {
    if (streamFrame !== this.nextFrame || overlap > 0) {
      this.written -= overlap;
      this.stretches.begin(this.written, streamFrame);
    }
    const frames = samples.length / 2;
    for (let i = 0; i < frames; i += 1) {
      const fade = i < overlap ? ((i + 0.5) / overlap) * (Math.PI / 2) : Math.PI / 2;
      this.#mix((this.written + i) & this.mask, samples[2 * i] * SCALE, samples[2 * i + 1] * SCALE, fade);
    }
    this.written += frames;
    this.nextFrame = streamFrame + frames;
  }

  #mix(slot, left, right, fade) {
    // Equal power: the signals that meet at a join are uncorrelated, so a linear fade would dip.
    const kept = fade < Math.PI / 2 ? Math.cos(fade) : 0;
    const gain = Math.sin(fade);
    this.left[slot] = kept * this.left[slot] + gain * left;
    this.right[slot] = kept * this.right[slot] + gain * right;
  }

  /** The stream frame of ring frame `at` (a fraction is kept). */
  locate(at) {
    return this.stretches.locate(at);
  }
}
