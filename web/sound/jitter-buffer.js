/**
 * The jitter buffer: takes chunks as they arrive, gives frames at the sound card's pace.
 *
 * It never allocates after construction, never plays a frame it wasn't given, and has no edge: it fades out
 * before it runs dry, fades in when it is full enough, and crossfades wherever it has to move.
 */

import { FrameRing } from "./frame-ring.js";
import { Sinc } from "./sinc.js";
import { Steering, Target } from "./steering.js";

const RING_BITS = 18;
const FADE_OUT_S = 0.02;
const FADE_IN_S = 0.06;
const JOIN_S = 0.02;
const SEEK_S = 0.04;
const HALF_CHUNK_MS = 50;
const LEAST_START_MS = 100;
/** The part of the ring that may wait to be heard; the rest is history that a hold may return to. */
const HELD_SHARE = 0.75;

const smooth = (x) => x * x * (3 - 2 * x);

/** Frames in at `streamRate` Hz as 16-bit chunks, frames out at `deviceRate` Hz as floats. */
export class JitterBuffer {
  constructor({ streamRate, deviceRate, ringBits = RING_BITS }) {
    this.streamRate = streamRate;
    this.deviceRate = deviceRate;
    this.step = streamRate / deviceRate;
    this.ring = new FrameRing(ringBits);
    this.sinc = new Sinc(this.step);
    this.steering = new Steering();
    this.target = new Target();
    this.fadeOutFrames = Math.round(FADE_OUT_S * streamRate);
    this.fadeInStep = 1 / (FADE_IN_S * deviceRate);
    this.seekStep = 1 / (SEEK_S * deviceRate);
    this.holdFrames = HELD_SHARE * this.ring.capacity;
    this.underruns = 0;
    this.seeks = 0;
    this.joins = 0;
    this.clear();
  }

  /** Forget what is held; the next frames fade in. Counters and what was learned of the clocks stay. */
  clear() {
    this.playing = false;
    this.ending = false;
    this.read = this.ring.written;
    this.oldest = this.ring.written;
    this.fraction = 0;
    this.gain = 0;
    this.dipping = false;
    this.phaseMs = HALF_CHUNK_MS;
    this.seekFrom = 0;
    this.seekGain = 1;
    this.ring.nextFrame = NaN;
  }

  /** Nothing more is coming until `clear`: to run dry is no fault now. */
  end() {
    this.ending = true;
  }

  /** Frames of the stream that are held and not yet heard. */
  get fillFrames() {
    return this.ring.written - this.read - this.fraction;
  }

  get fillMs() {
    return (this.fillFrames * 1000) / this.streamRate;
  }

  /** The stream frame that is given next, with its fraction; NaN before anything arrived. */
  get position() {
    return this.ring.locate(this.read) + this.fraction;
  }

  /**
   * Take a chunk: `samples` are interleaved 16-bit stereo from `streamFrame` on. `phaseMs` says how long
   * after its regular arrival it came (NaN: unknown), `join` that it doesn't continue the one before.
   * What doesn't fit is dropped: the next chunk that fits is joined, and one crossfade catches up.
   */
  push(samples, streamFrame, phaseMs, join) {
    const frames = samples.length / 2;
    if (this.fillFrames + frames > this.holdFrames) return;
    const broken = join || streamFrame !== this.ring.nextFrame;
    this.ring.append(samples, streamFrame, broken ? this.#overlap(frames) : 0);
    if (broken) this.joins += 1;
    this.phaseMs = Number.isNaN(phaseMs) ? HALF_CHUNK_MS : phaseMs;
  }

  /** How much of what is held a join may still blend: nothing that the interpolation has already touched. */
  #overlap(frames) {
    const untouched = this.ring.written - this.read - this.sinc.half - 1;
    return Math.max(0, Math.min(untouched, frames, Math.round(JOIN_S * this.streamRate)));
  }

  /** Fill two blocks with the next frames. */
  pull(left, right) {
    const frames = left.length;
    if (!this.playing && !this.#start()) {
      left.fill(0);
      right.fill(0);
      return;
    }
    this.#steer(frames / this.deviceRate);
    const step = this.step * (1 + this.steering.ppm * 1e-6);
    for (let i = 0; i < frames; i += 1) {
      this.#frame(step);
      left[i] = this.sinc.left;
      right[i] = this.sinc.right;
    }
  }

  /** Start when enough is held that, by the chunks' regular arrival, the mean fill will be the target. */
  #start() {
    const dueMs = this.target.ms + HALF_CHUNK_MS - this.phaseMs;
    const heldMs = this.fillMs;
    if (heldMs < dueMs || heldMs < this.target.ms - HALF_CHUNK_MS) return false;
    this.read = this.ring.written - this.#framesOf(Math.max(dueMs, LEAST_START_MS));
    this.fraction = 0;
    this.gain = 0;
    this.dipping = false;
    this.seekGain = 1;
    this.steering.restart(this.target.ms);
    this.playing = true;
    return true;
  }

  #framesOf(ms) {
    return Math.round((ms * this.streamRate) / 1000);
  }

  #steer(elapsedS) {
    const fillMs = this.fillMs;
    this.target.update(fillMs, elapsedS);
    this.steering.update(fillMs, this.target.ms, elapsedS);
    if (this.steering.far !== 0 && this.gain === 1 && this.seekGain === 1) this.#seek(this.steering.far);
  }

  /** Move by `ms` (positive: skip, negative: hold on to what was just heard) in one crossfade. */
  #seek(ms) {
    const oldest = Math.max(this.oldest, this.ring.written - this.holdFrames);
    this.seekFrom = this.read;
    this.read = Math.max(oldest, this.read + this.#framesOf(ms));
    this.seekGain = 0;
    this.seeks += 1;
    this.steering.restart(this.target.ms);
  }

  /** One output frame into the interpolator's `left` and `right`, and on by `step`. */
  #frame(step) {
    const remaining = this.ring.written - this.read - this.sinc.half;
    if (remaining <= 0) this.#runDry();
    if (!this.playing) {
      this.sinc.left = 0;
      this.sinc.right = 0;
      return;
    }
    this.#shape(remaining);
    this.#interpolate();
    this.fraction += step;
    const whole = Math.floor(this.fraction);
    this.read += whole;
    this.seekFrom += whole;
    this.fraction -= whole;
  }

  #runDry() {
    this.playing = false;
    if (!this.dipping) this.#countUnderrun();
  }

  #countUnderrun() {
    this.dipping = true;
    if (this.ending) return;
    this.underruns += 1;
    this.target.grow();
  }

  /** Rise gently; fall with what remains, so that silence is reached just as the last frame is. */
  #shape(remaining) {
    const allowed = remaining / this.fadeOutFrames;
    if (allowed < 1 && !this.dipping) this.#countUnderrun();
    this.gain = Math.min(1, allowed, this.gain + this.fadeInStep);
    if (this.gain === 1) this.dipping = false;
  }

  #interpolate() {
    const { sinc, ring } = this;
    const gain = smooth(this.gain);
    sinc.read(ring, this.read, this.fraction);
    if (this.seekGain < 1) this.#blendSeek();
    sinc.left *= gain;
    sinc.right *= gain;
  }

  #blendSeek() {
    const { sinc } = this;
    const { left, right } = sinc;
    const angle = this.seekGain * (Math.PI / 2);
    sinc.read(this.ring, this.seekFrom, this.fraction);
    sinc.left = Math.sin(angle) * left + Math.cos(angle) * sinc.left;
    sinc.right = Math.sin(angle) * right + Math.cos(angle) * sinc.right;
    this.seekGain = Math.min(1, this.seekGain + this.seekStep);
  }
}
