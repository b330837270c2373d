/**
 * The AudioWorklet: a jitter buffer on the audio thread.
 *
 * Chunks arrive as messages on a port that the page passes in at the start; `process` only reads what is there,
 * and never posts or allocates anything, so the page asks for the status when it wants it.
 */

import { JitterBuffer } from "./jitter-buffer.js";

class AuralisStream extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.buffer = new JitterBuffer({ streamRate: processorOptions.streamRate, deviceRate: sampleRate });
    this.port.onmessage = ({ data }) => this.#asked(data);
  }

  #asked(message) {
    if (message.type === "source") message.port.onmessage = ({ data }) => this.#receive(data);
    else this.port.postMessage(this.#status());
  }

  #receive(message) {
    if (message.type === "chunk") this.#push(message);
    else if (message.type === "clear") this.buffer.clear();
    else this.buffer.end();
  }

  #push({ data, offset, frame, phaseMs, join }) {
    this.buffer.push(new Int16Array(data, offset), frame, phaseMs, join);
  }

  #status() {
    const { buffer } = this;
    return {
      time: currentTime,
      frame: buffer.position,
      playing: buffer.playing,
      fillMs: buffer.steering.smoothMs,
      heldMs: buffer.fillMs,
      targetMs: buffer.target.ms,
      ppm: buffer.steering.ppm,
      driftPpm: buffer.steering.driftPpm,
      underruns: buffer.underruns,
      seeks: buffer.seeks,
    };
  }

  process(_inputs, [output]) {
    this.buffer.pull(output[0], output[1]);
    return true;
  }
}

registerProcessor("auralis-stream", AuralisStream);
