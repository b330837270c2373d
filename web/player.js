/**
 * The player without its page: one channel's stream, sound, controls and score, and their state.
 *
 * It reports by events: `state` (the description may have changed), `controls` (values from the server),
 * `audience` (the number of listeners), `ack`, `declined`, `access` (open, locked, asking, unlocked or rejected).
 */

import { ControlChanges } from "./net/control-changes.js";
import { localMs } from "./net/local-time.js";
import { RemoteStream } from "./net/remote-stream.js";
import { formatOf } from "./net/wire.js";
import { Score } from "./page/score.js";
import { describe } from "./page/words.js";
import { Sound, isSupported } from "./sound/sound.js";

const TICK_MS = 100;
const EAGER_TICK_MS = 20;
const STATS_MS = 10_000;
const RESUME_MS = 1500;
/** A silent page keeps its connection this long, so that a start is instant; then it stops using the network. */
const LINGER_MS = 60_000;
const UNAUTHORIZED = 401;

/** Plays `channel` from the gateway at `base` (a URL). */
export class Player extends EventTarget {
  wanted = false;
  failed = null;
  heardBefore = false;
  format = null;
  score = null;
  listeners = null;
  token = null;
  /** Changes that were declined for want of a token: sent again once there is one. */
  withheld = {};
  clickedMs = NaN;
  startMs = NaN;
  lingerUntilMs = 0;
  nextResumeMs = 0;
  nextStatsMs = 0;
  changes = new ControlChanges({ send: (message) => this.stream.send(message) });

  constructor(channel, base) {
    super();
    this.channel = channel;
    this.stream = new RemoteStream(base, channel, {
      receive: (message) => this.#message(message),
      changed: () => this.#linkChanged(),
    });
    this.sound = new Sound(this.stream, () => this.#refresh());
    this.described = describe(this.#facts());
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  // The connection

  /** Connect without playing, so that a start has its first chunks at once and the controls are live. */
  warm() {
    if (!isSupported()) return;
    this.lingerUntilMs = performance.now() + LINGER_MS;
    if (this.stream.state.name === "refused") return;
    this.stream.open();
    this.#tickSoon();
  }

  /** Try again now rather than when the next attempt is due. */
  hurry() {
    if (this.stream.state.name === "waiting") this.stream.open();
    this.sound.resume();
  }

  #linkChanged() {
    const { name } = this.stream.state;
    if (name !== "open" && name !== "connecting") this.changes.disconnected();
    this.#refresh();
  }

  // Sound

  /** Start playing; call it from a click or key press. */
  start() {
    if (this.wanted || !isSupported()) return;
    this.wanted = true;
    this.failed = null;
    this.clickedMs = performance.now();
    this.startMs = NaN;
    this.heardBefore = false;
    this.nextStatsMs = this.clickedMs + STATS_MS;
    this.sound.start();
    this.#prepareSound();
    this.stream.open();
    this.#refresh();
    this.#tickSoon();
  }

  /** Stop playing; the connection lingers for a minute. */
  stop() {
    this.wanted = false;
    this.heardBefore = true;
    this.sound.stop();
    this.lingerUntilMs = performance.now() + LINGER_MS;
    this.#refresh();
  }

  /** Retry what the browser or the server declined; call it from a click or key press. */
  retry() {
    this.failed = null;
    this.sound.start();
    this.#prepareSound();
    this.stream.open();
    this.#refresh();
  }

  #prepareSound() {
    this.sound.prepare(this.format?.rate).catch((error) => {
      this.failed = error.message;
      this.#refresh();
    });
  }

  // Messages

  #message(message) {
    const handlers = {
      hello: () => this.#greeted(message),
      state: () => this.#stateCame(message),
      score: () => this.score?.add(message),
      control_ack: () => this.#acknowledged(message),
      auth: () => this.#authorised(message.ok),
      error: () => this.#erred(message),
    };
    handlers[message.type]();
  }

  #greeted(hello) {
    const format = formatOf(hello);
    if (format.rate !== this.format?.rate || format.framesPerChunk !== this.format.framesPerChunk) {
      this.score = new Score(format.rate);
    }
    this.format = format;
    this.score.rejoin();
    this.#prepareSound();
    if (this.token !== null) this.stream.send({ type: "auth", token: this.token });
    const closed = this.token === null ? "locked" : "asking";
    this.#tell("access", hello.control_open === false ? closed : "open");
    this.#stateCame(hello);
    this.changes.flush();
  }

  #stateCame({ controls, listeners }) {
    if (Number.isFinite(listeners)) this.listeners = listeners;
    this.#tell("controls", controls);
    this.#tell("audience", this.listeners);
  }

  #acknowledged({ id, effective_seq: seq, revision }) {
    const change = this.changes.settle(id);
    // The server leaves the time open when no composer has answered.
    const frame = Number.isFinite(seq) ? seq * this.format.framesPerChunk : NaN;
    if (change !== null) this.#tell("ack", { ...change, revision, frame });
  }

  #erred({ id, status, title, detail }) {
    const change = id === undefined || id === null ? null : this.changes.settle(id);
    if (status === UNAUTHORIZED) {
      Object.assign(this.withheld, change?.set);
      this.#tell("access", "locked");
    }
    this.#tell("declined", { change, status, text: detail ? `${title}: ${detail}` : title });
  }

  // Permission to control

  /** Offer a token for control. */
  authorise(token) {
    this.token = token;
    this.warm();
    this.stream.send({ type: "auth", token });
  }

  #authorised(ok) {
    if (!ok) this.token = null;
    this.#tell("access", ok ? "unlocked" : "rejected");
    if (!ok) return;
    for (const [name, value] of Object.entries(this.withheld)) this.changes.change(name, value);
    this.withheld = {};
  }

  /** A control was turned by hand. */
  change(name, value) {
    this.warm();
    this.changes.change(name, value);
  }

  // Time

  #tickSoon() {
    if (this.ticking) return;
    this.ticking = true;
    this.#tick();
  }

  #tick() {
    const nowMs = performance.now();
    this.sound.poll();
    this.stream.report();
    this.#disconnectIfIdle(nowMs);
    if (this.wanted && nowMs >= this.nextStatsMs) this.#sendStats(nowMs);
    if (nowMs >= this.nextResumeMs) this.#wakeSound(nowMs);
    this.ticking = this.wanted || this.stream.state.name !== "closed";
    if (!this.ticking) return;
    setTimeout(() => this.#tick(), this.state === "buffering" ? EAGER_TICK_MS : TICK_MS);
  }

  #wakeSound(nowMs) {
    this.nextResumeMs = nowMs + RESUME_MS;
    this.sound.resume();
  }

  /** A page that doesn't play lets go of the network after a while. */
  #disconnectIfIdle(nowMs) {
    if (!this.wanted && nowMs > this.lingerUntilMs) this.stream.close();
  }

  #sendStats(nowMs) {
    const { buffer_ms, underruns, latency_ms, reconnects } = this.stats();
    if (this.stream.send({ type: "stats", buffer_ms, underruns, latency_ms, reconnects })) {
      this.nextStatsMs = nowMs + STATS_MS;
    }
  }

  /** When the stream's `frame` is heard here, in ms of `performance.now()`; NaN while nothing plays. */
  heardAtMs(frame) {
    const nowMs = performance.now();
    return nowMs + ((frame - this.sound.heardFrame(nowMs)) * 1000) / this.format.rate;
  }

  /** The stream frame that is heard now; NaN while nothing is. */
  get heardFrame() {
    return this.sound.heardFrame(performance.now());
  }

  /** From a frame's due time at the gateway to the ear, in ms; NaN while unknown. */
  get latencyMs() {
    const { epochUs, offsetUs } = this.stream.figures;
    const heardUs = epochUs + (this.heardFrame * 1e6) / this.format?.rate;
    return localMs() + (offsetUs - heardUs) / 1000;
  }

  // State

  #facts() {
    return {
      supported: isSupported(),
      failed: this.failed ?? this.stream.failed,
      wanted: this.wanted,
      context: this.sound.context?.state ?? "none",
      playing: this.sound.playing,
      heardBefore: this.heardBefore,
      channel: this.channel,
      link: this.stream.state,
    };
  }

  #refresh() {
    if (this.sound.playing && !(this.startMs >= 0)) this.startMs = performance.now() - this.clickedMs;
    if (this.sound.playing) this.heardBefore = true;
    this.described = describe(this.#facts());
    this.#tell("state", this.described);
  }

  /** The state's stable name, such as `playing` or `reconnecting`. */
  get state() {
    return this.described.name;
  }

  /** The figures of the health panel; null where one isn't known. Units are in the names. */
  stats() {
    const { status } = this.sound;
    const { figures } = this.stream;
    const known = (value) => (Number.isFinite(value) ? Math.round(value * 10) / 10 : null);
    return {
      buffer_ms: known(status?.fillMs),
      target_ms: known(status?.targetMs),
      latency_ms: known(this.latencyMs),
      round_trip_ms: known(figures.roundTripMs),
      start_ms: known(this.startMs),
      drift_ppm: known(status?.ppm),
      underruns: this.sound.count("underruns"),
      corrections: this.sound.count("seeks"),
      missing_chunks: figures.missing,
      duplicate_chunks: figures.duplicates,
      bad_frames: figures.badFrames,
      reconnects: figures.reconnects,
      last_seq: figures.lastSeq,
    };
  }
}
