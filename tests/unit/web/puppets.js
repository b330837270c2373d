/** Stand-ins for the facts about the stream: a greeting, frames, and a socket that does as it is told. */

export const HELLO = {
  type: "hello", channel: "main", epoch_us: 1, sample_rate: 48000, channels: 2, frames_per_chunk: 4800,
  codec: "pcm", controls: {}, revision: 0, live_seq: 7,
};

export function frame({ version = 1, codec = 0, flags = 0, revision = 0, seq = 0, dueUs = 0, bytes = 17640 } = {}) {
  const view = new DataView(new ArrayBuffer(24 + bytes));
  view.setUint8(0, version);
  view.setUint8(1, codec);
  view.setUint16(2, flags, true);
  view.setUint32(4, revision, true);
  view.setBigUint64(8, BigInt(seq), true);
  view.setBigInt64(16, BigInt(dueUs), true);
  return view.buffer;
}

/** A WebSocket that does what the test says. */
export class PuppetSocket {
  static all = [];

  constructor(url, protocol) {
    Object.assign(this, { url, protocol, sent: [], closed: false, readyState: 1 });
    PuppetSocket.all.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }
}
