/** The server's clock as seen from here: the offset of the quickest recent ping, as its error is the smallest. */

const WINDOW = 20;

/** Learns from pings; times here are milliseconds of `localMs`, there microseconds. */
export class ServerClock {
  constructor() {
    this.samples = [];
    this.offsetUs = NaN;
    this.roundTripMs = NaN;
  }

  /** A ping left at `sentMs` and its answer, written at `serverUs`, came at `receivedMs`. */
  observe(sentMs, serverUs, receivedMs) {
    const roundTripMs = receivedMs - sentMs;
    if (!(roundTripMs >= 0)) return;
    this.samples.push({ roundTripMs, offsetUs: serverUs - ((sentMs + receivedMs) / 2) * 1000 });
    if (this.samples.length > WINDOW) this.samples.shift();
    const best = this.samples.reduce((a, b) => (b.roundTripMs < a.roundTripMs ? b : a));
    this.offsetUs = best.offsetUs;
    this.roundTripMs = best.roundTripMs;
  }

  /** Another server may run on another clock. */
  forget() {
    this.samples = [];
    this.offsetUs = NaN;
    this.roundTripMs = NaN;
  }

  /** The server's time at `localMs`, in µs; NaN before the first answer. */
  at(localMs) {
    return localMs * 1000 + this.offsetUs;
  }
}
