/** The server's clock as seen from here: the offset of the quickest recent ping, whose error is the smallest. */

const WINDOW = 20;

/** Learns from pings; local times are milliseconds of `localMs`, server times microseconds. */
export class ServerClock {
  constructor() {
    this.samples = [];
    this.offsetUs = NaN;
    this.roundTripMs = NaN;
  }

  /** Take in a ping sent at `sentMs`, whose answer was written at `serverUs` and received at `receivedMs`. */
  observe(sentMs, serverUs, receivedMs) {
    const roundTripMs = receivedMs - sentMs;
    if (!(roundTripMs >= 0)) return;
    this.samples.push({ roundTripMs, offsetUs: serverUs - ((sentMs + receivedMs) / 2) * 1000 });
    if (this.samples.length > WINDOW) this.samples.shift();
    const best = this.samples.reduce((a, b) => (b.roundTripMs < a.roundTripMs ? b : a));
    this.offsetUs = best.offsetUs;
    this.roundTripMs = best.roundTripMs;
  }

  /** Discard all samples: another server may run on another clock. */
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
