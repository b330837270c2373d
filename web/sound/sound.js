/** The sound: audio context, worklet, volume and analyser, and the time at which a frame is heard. */

const GUESSED_RATE = 44100;
const WORKLET = new URL("./worklet.js", import.meta.url);
const VOLUME_SMOOTHING_S = 0.04;
const PAUSE_AFTER_MS = 250;
const PLAUSIBLE_MS = 1000;

/** Whether this page can play sound as this player does: by an AudioWorklet, in a secure context. */
export function isSupported() {
  return "AudioContext" in globalThis && "audioWorklet" in AudioContext.prototype && globalThis.isSecureContext;
}

function createContext(rate) {
  try {
    return new AudioContext({ sampleRate: rate, latencyHint: "balanced" });
  } catch {
    return new AudioContext({ latencyHint: "balanced" });
  }
}

/**
 * The sound of one stream. `source` is told where its chunks go (`attach`) and when (`resume`, `pause`);
 * `changed()` is called when `context.state` or `status.playing` may have changed.
 */
export class Sound {
  constructor(source, changed) {
    this.source = source;
    this.changed = changed;
    this.context = null;
    this.node = null;
    this.status = null;
    this.rate = GUESSED_RATE;
    this.wanted = false;
    this.volume = 1;
    this.pausing = null;
    this.totals = { underruns: 0, seeks: 0 };
  }

  /** Make everything ready for a stream of `rate` Hz, silently. Rejects when the browser can't. */
  async prepare(rate = GUESSED_RATE) {
    this.context ??= this.#createGraph(rate);
    this.loaded ??= this.context.audioWorklet.addModule(WORKLET);
    try {
      await this.loaded;
    } catch (error) {
      this.loaded = null;
      throw error;
    }
    if (this.node !== null && this.rate === rate) return;
    this.rate = rate;
    this.#createNode();
    this.#resumeOrPause();
  }

  #createGraph(rate) {
    const context = createContext(rate);
    this.gain = new GainNode(context, { gain: 0 });
    this.analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0.85 });
    this.gain.connect(this.analyser).connect(context.destination);
    this.samples = new Float32Array(this.analyser.fftSize);
    context.onstatechange = () => this.#contextChanged();
    // Where a page may play without a click the context runs at once, and would burn power in silence.
    if (!this.wanted && context.state === "running") context.suspend();
    return context;
  }

  #createNode() {
    this.#retireNode();
    this.node = new AudioWorkletNode(this.context, "auralis-stream", {
      numberOfInputs: 0,
      outputChannelCount: [2],
      processorOptions: { streamRate: this.rate },
    });
    this.node.port.onmessage = ({ data }) => this.#report(data);
    this.node.connect(this.gain);
    const { port1, port2 } = new MessageChannel();
    this.node.port.postMessage({ type: "source", port: port1 }, [port1]);
    this.source.attach(port2, this.rate);
  }

  #retireNode() {
    if (this.node === null) return;
    for (const name of Object.keys(this.totals)) this.totals[name] += this.status?.[name] ?? 0;
    this.node.port.onmessage = null;
    this.node.disconnect();
    this.node = null;
    this.status = null;
  }

  #report(status) {
    const began = status.playing !== this.status?.playing;
    this.status = status;
    if (began) this.changed();
  }

  #contextChanged() {
    this.#resumeOrPause();
    this.changed();
  }

  /** Chunks flow while it runs. */
  #resumeOrPause() {
    if (this.running) this.source.resume();
    else this.source.pause();
  }

  get running() {
    return this.wanted && this.node !== null && this.context?.state === "running";
  }

  /** Whether the stream is heard right now. */
  get playing() {
    return this.running && this.status?.playing === true;
  }

  /** Start; must be called from a click or key press the first time. */
  start() {
    this.wanted = true;
    clearTimeout(this.pausing);
    this.context ??= this.#createGraph(this.rate);
    this.#applyVolume();
    this.#resumeOrPause();
    this.resume();
  }

  /** Try to wake a context that the browser put to sleep. */
  resume() {
    if (this.wanted && this.context !== null && this.context.state !== "running") this.context.resume().catch(() => {});
  }

  /** Fade out, then put the context to sleep. */
  stop() {
    this.wanted = false;
    if (this.context === null) return;
    this.#applyVolume();
    this.#resumeOrPause();
    this.pausing = setTimeout(() => {
      this.context.suspend();
      this.changed();
    }, PAUSE_AFTER_MS);
  }

  /** Set the loudness, 0–1, on a curve that feels even. */
  setVolume(volume) {
    this.volume = volume;
    if (this.context !== null) this.#applyVolume();
  }

  #applyVolume() {
    const level = this.wanted ? this.volume ** 2 : 0;
    this.gain.gain.setTargetAtTime(level, this.context.currentTime, VOLUME_SMOOTHING_S);
  }

  /** Ask the worklet for its status; `status` is updated a moment later. */
  poll() {
    this.node?.port.postMessage({ type: "status" });
  }

  /** How often something happened, over all formats of this stream: underruns or seeks. */
  count(name) {
    return this.totals[name] + (this.status?.[name] ?? 0);
  }

  /** The context time that is heard at `nowMs`: the browser's own estimate where that is plausible. */
  #heardTime(nowMs) {
    const { contextTime, performanceTime } = this.context.getOutputTimestamp?.() ?? {};
    const time = contextTime + (nowMs - performanceTime) / 1000;
    const lagMs = (this.context.currentTime - time) * 1000;
    if (performanceTime > 0 && lagMs > -20 && lagMs < PLAUSIBLE_MS) return time;
    return this.context.currentTime - (this.context.outputLatency || this.context.baseLatency || 0);
  }

  /** The stream frame that is heard at `nowMs` (of `performance.now()`); NaN while nothing is. */
  heardFrame(nowMs) {
    if (!this.playing) return NaN;
    return this.status.frame + (this.#heardTime(nowMs) - this.status.time) * this.rate;
  }

  /** The RMS level of what is heard now, 0–1. */
  rms() {
    if (!this.running) return 0;
    this.analyser.getFloatTimeDomainData(this.samples);
    return Math.sqrt(this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length);
  }
}
