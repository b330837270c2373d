/**
 * The jitter buffer: takes chunks as they arrive, delivers frames at the sound card's pace.
 *
 * It never allocates after construction, never plays a frame it wasn't given, and never clicks: it crossfades
 * wherever it has to jump, replays the last second once when it is nearly dry, fades out before it is
 * dry, and fades in when it is full enough.
 */

import { FrameRing } from "./frame-ring.js";
import { Seek } from "./seek.js";
import { Sinc } from "./sinc.js";
import { Steering, Target } from "./steering.js";

const RING_BITS = 18;
const FADE_OUT_S = 0.02;
const FADE_IN_S = 0.06;
const JOIN_S = 0.02;
/** How far from the wanted position a seek may land, to find the most similar sound. */
const SEEK_SLACK_MS = 15;
/** Below this fill there is no point in waiting longer; a crossfade and a fade-out still fit in. */
const NEARLY_DRY_MS = 90;
const REPLAY_MS = 1000;
const REPLAY_SLACK_MS = 100;
const LEAST_REPLAY_MS = 150;
const HALF_CHUNK_MS = 50;
const LEAST_START_MS = 100;
/** The part of the ring that may wait to be heard; the rest is history that a replay may return to. */
const MAX_FILL_SHARE = 0.75;

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
    this.joinFrames = Math.round(JOIN_S * streamRate);
    this.fadeInStep = 1 / (FADE_IN_S * deviceRate);
    this.seek = new Seek(this);
    this.maxFillFrames = MAX_FILL_SHARE * this.ring.capacity;
    this.underruns = 0;
    this.seeks = 0;
    this.joins = 0;
    this.clear();
  }

  /** Forget what is held; the next frames fade in. Counters, target and learned clock drift stay. */
  clear() {
    this.playing = false;
    this.ending = false;
    this.read = this.ring.written;
    this.oldest = this.ring.written;
    this.fraction = 0;
    this.gain = 0;
    this.dipping = false;
    this.phaseMs = HALF_CHUNK_MS;
    this.seek.end();
    /** Whether there has been a replay since the last chunk came. */
    this.replayed = false;
    this.ring.nextFrame = NaN;
  }

  /** Nothing more is coming until `clear`: running dry is not an underrun now. */
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

  /** The stream frame that is delivered next, with its fraction; NaN before anything has arrived. */
  get position() {
    return this.ring.locate(this.read) + this.fraction;
  }

  /**
   * Take a chunk: `samples` are interleaved 16-bit stereo from `streamFrame` on. `phaseMs` is how long
   * after its regular arrival it came (NaN: unknown); `join`: it doesn't continue the one before.
   * A chunk that doesn't fit is dropped, and the next one that fits is joined by one crossfade.
   */
  push(samples, streamFrame, phaseMs, join) {
    const frames = samples.length / 2;
    if (this.fillFrames + frames > this.maxFillFrames) return;
    const broken = join || streamFrame !== this.ring.nextFrame;
    if (broken) this.#join(samples, streamFrame, this.#overlap(frames));
    else this.ring.append(samples, streamFrame, 0);
    this.phaseMs = Number.isNaN(phaseMs) ? HALF_CHUNK_MS : phaseMs;
    this.replayed = false;
  }

  #join(samples, streamFrame, overlap) {
    // Without a full crossfade there is a step, which a fade hides only this once: no seek may go back over it.
    if (overlap < this.joinFrames) this.oldest = this.ring.written - overlap;
    this.ring.append(samples, streamFrame, overlap);
    this.joins += 1;
  }

  /** How many of the held frames a join may still blend: none that the interpolator has already read. */
  #overlap(frames) {
    const untouched = this.ring.written - this.read - this.sinc.half - 1;
    return Math.max(0, Math.min(untouched, frames, this.joinFrames));
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

  /** Start when enough is held for the mean fill to become the target, if chunks arrive regularly. */
  #start() {
    const dueMs = this.target.ms + HALF_CHUNK_MS - this.phaseMs;
    const heldMs = this.fillMs;
    if (heldMs < dueMs || heldMs < this.target.ms - HALF_CHUNK_MS) return false;
    this.read = this.ring.written - this.#framesOf(Math.max(dueMs, LEAST_START_MS));
    this.fraction = 0;
    this.gain = 0;
    this.dipping = false;
    this.seek.end();
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
    if (this.seek.running) return;
    if (fillMs < NEARLY_DRY_MS) this.#replay();
    else if (this.steering.seekMs !== 0 && this.gain === 1) this.#seekBy(this.steering.seekMs, SEEK_SLACK_MS);
  }

  /**
   * Nearly dry: replay the last second, which gives late chunks a second to arrive. Once they have, the
   * steering finds the buffer too full and seeks forward.
   */
  #replay() {
    const tooLate = this.dipping || this.fillFrames < this.seek.frames;
    if (this.replayed || this.ending || tooLate) return;
    const pastMs = ((this.read - this.#oldest) * 1000) / this.streamRate;
    const replayMs = Math.min(REPLAY_MS, pastMs - REPLAY_SLACK_MS);
    if (replayMs < LEAST_REPLAY_MS) return;
    this.replayed = true;
    this.target.grow();
    this.#seekBy(-replayMs, REPLAY_SLACK_MS);
  }

  get #oldest() {
    return Math.max(this.oldest, this.ring.written - this.maxFillFrames);
  }

  /** Move by `ms` (positive: skip, negative: replay what was just heard), give or take `slackMs`, in one crossfade. */
  #seekBy(ms, slackMs) {
    const wanted = this.read + this.#framesOf(ms);
    const slack = this.#framesOf(slackMs);
    const first = Math.max(this.#oldest, wanted - slack);
    const last = Math.min(wanted + slack, this.ring.written - this.#framesOf(LEAST_START_MS));
    if (first > last) return;
    this.read = this.seek.begin(this.read, first, last);
    this.seeks += 1;
    this.steering.restart(this.target.ms);
  }

  /** Compute one output frame in the interpolator's `left` and `right`, and advance by `step`. */
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
    this.seek.advance(whole);
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
    if (!this.replayed) this.target.grow();
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
    if (this.seek.running) this.seek.blend(this.fraction);
    sinc.left *= gain;
    sinc.right *= gain;
  }
}
