/**
 * One channel's stream, from its WebSocket to the sound: keeps the connection, the order of the chunks and the
 * server's clock. It runs in a worker, apart from the page that draws, and hands the chunks straight to the audio
 * thread: however busy the page is, they are not late.
 *
 * Its reports to the page go to `tell`: `{type: "link", state}` when the connection's state changes,
 * `{type: "message", message}` for a message from the server, `{type: "figures", figures}` when asked and
 * before each `link`.
 */

import { Connection } from "./connection.js";
import { localMs } from "./local-time.js";
import { ServerClock } from "./server-clock.js";
import { StreamOrder } from "./stream-order.js";
import { HEADER_BYTES, WireError, formatOf, parseFrame, parseMessage } from "./wire.js";

/** How many of the newest chunks are kept while nothing sounds, so that a start has them at once. */
const BACKLOG_CHUNKS = 8;
const QUICK_PINGS = 5;
const QUICK_PING_MS = 150;
const PING_MS = 2000;

/** The stream of `channel` from the gateway at `base` (a URL). Times are from `localMs`. */
export class Stream {
  format = null;
  order = null;
  clock = new ServerClock();
  sink = null;
  sinkRate = NaN;
  flowing = false;
  backlog = [];
  badFrames = 0;
  pings = 0;
  nextPingMs = 0;

  /** @param {(news: object) => void} tell; `overrides` replace parts of the connection in tests. */
  constructor(base, channel, tell, overrides = {}) {
    this.tell = tell;
    this.url = streamUrl(base, channel);
    const listener = {
      receive: (data) => this.#receive(data),
      changed: (state) => this.#linkChanged(state),
      since: () => this.#since(),
    };
    this.connection = new Connection((since) => this.#address(since), listener, overrides);
  }

  #address(since) {
    const url = new URL(this.url);
    if (since !== null) url.searchParams.set("since", since);
    return url;
  }

  /** Only a stream that is being heard is resumed where it broke; any other joins at the live edge. */
  #since() {
    return this.flowing && this.order !== null ? this.order.lastSeq : null;
  }

  // The connection

  /** Connect, or try again now when a retry is waiting. */
  open() {
    this.connection.open();
  }

  /** Disconnect and stay disconnected; the chunks kept for a start are dropped. */
  close() {
    this.connection.close();
    this.backlog = [];
  }

  /** Send a message, if there is a connection. */
  send(message) {
    this.connection.send(message);
  }

  /** Do what is due at `nowMs`: give up a silent connection, ping. */
  tick(nowMs) {
    this.connection.watch(nowMs);
    if (this.connection.state.name !== "open" || nowMs < this.nextPingMs) return;
    this.pings += 1;
    this.nextPingMs = nowMs + (this.pings < QUICK_PINGS ? QUICK_PING_MS : PING_MS);
    this.connection.send({ type: "ping", t: nowMs });
  }

  #linkChanged(state) {
    this.nextPingMs = 0;
    this.pings = 0;
    const linked = state.name === "open" || state.name === "connecting";
    if (!linked && !this.flowing) this.order?.restart();
    // The figures that changed with it go first: code that acts on the state reads them.
    this.report();
    this.tell({ type: "link", state });
  }

  // Incoming data

  #receive(data) {
    try {
      if (typeof data === "string") this.#message(parseMessage(data));
      else if (this.format !== null) this.#receiveChunk(data);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.badFrames += 1;
    }
  }

  #message(message) {
    if (message === null) return;
    if (message.type === "pong") {
      this.clock.observe(message.t, message.server_us, localMs());
      return;
    }
    if (message.type === "hello") this.#greeted(message);
    this.tell({ type: "message", message });
  }

  #greeted(hello) {
    const format = formatOf(hello);
    if (format.rate !== this.format?.rate || format.framesPerChunk !== this.format.framesPerChunk) {
      this.order = new StreamOrder(format.chunkUs);
      this.backlog = [];
    }
    this.format = format;
    this.clock.forget();
  }

  #receiveChunk(data) {
    const header = parseFrame(data, this.format);
    const { play, join } = this.order.accept(header);
    if (!play) return;
    const chunk = { data, frame: header.seq * this.format.framesPerChunk, dueUs: header.dueUs, join };
    if (this.heard) this.#forward(chunk);
    else this.#buffer(chunk);
  }

  // The sound

  /** Send the chunks to `sink`, the MessagePort of a worklet that plays `rate` Hz, from the next `resume` on. */
  attach(sink, rate) {
    this.flowing = false;
    this.sink = sink;
    this.sinkRate = rate;
  }

  /** Whether chunks go to the worklet; not to one for another rate, which the page is about to replace. */
  get heard() {
    return this.flowing && this.sinkRate === this.format?.rate;
  }

  /** The sound runs: send it the kept chunks now, and the others as they arrive. */
  resume() {
    if (this.sink === null || this.flowing) return;
    this.flowing = true;
    this.sink.postMessage({ type: "clear" });
    if (!this.heard) return;
    for (const chunk of this.backlog) this.#forward(chunk);
    this.backlog = [];
  }

  /** The sound pauses: keep new chunks for the next start, and don't count running dry as an underrun. */
  pause() {
    if (!this.flowing) return;
    this.flowing = false;
    this.sink.postMessage({ type: "end" });
  }

  #buffer(chunk) {
    this.backlog.push(chunk);
    if (this.backlog.length > BACKLOG_CHUNKS) this.backlog.shift();
  }

  #forward({ data, frame, dueUs, join }) {
    const phaseMs = (this.clock.at(localMs()) - dueUs) / 1000 - this.clock.roundTripMs / 2;
    this.sink.postMessage({ type: "chunk", data, offset: HEADER_BYTES, frame, phaseMs, join }, [data]);
  }

  // Figures

  /** Report the current figures to the page. */
  report() {
    const { order, clock, badFrames, connection } = this;
    const figures = {
      lastSeq: order?.lastSeq ?? null,
      epochUs: order?.epochUs ?? NaN,
      missing: order?.missing ?? 0,
      duplicates: order?.duplicates ?? 0,
      badFrames,
      reconnects: connection.reconnects,
      offsetUs: clock.offsetUs,
      roundTripMs: clock.roundTripMs,
    };
    this.tell({ type: "figures", figures });
  }
}

function streamUrl(base, channel) {
  const url = new URL(`ws/${encodeURIComponent(channel)}`, base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("codec", "pcm");
  return url;
}
