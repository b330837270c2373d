/** The page's proxy for a stream that runs in a worker: the same methods, and the stream's last reports. */

/** The figures of a stream that hasn't reported any yet. */
const UNKNOWN = {
  lastSeq: null,
  epochUs: NaN,
  missing: 0,
  duplicates: 0,
  badFrames: 0,
  reconnects: 0,
  offsetUs: NaN,
  roundTripMs: NaN,
};

/** The stream of `channel` from the gateway at `base`. `state` is the connection's, as in `connection.js`. */
export class RemoteStream {
  state = { name: "closed" };
  figures = UNKNOWN;
  /** Why the stream doesn't work, whichever method is called; null while it does. */
  failed = null;
  alive = false;

  /** @param {{changed: () => void, receive: (message: object) => void}} listener */
  constructor(base, channel, listener) {
    this.listener = listener;
    const script = new URL("./stream-worker.js", import.meta.url);
    script.search = new URLSearchParams({ base, channel });
    this.worker = new Worker(script, { type: "module", name: "auralis-stream" });
    this.worker.onmessage = ({ data }) => this.#told(data);
    this.worker.onerror = () => this.#erred();
  }

  /** An error before the first report is not a bug: the script didn't load, or an old browser can't parse it. */
  #erred() {
    if (this.alive) return;
    this.failed = "a part of this page did not load. Load it again, in a current browser.";
    this.listener.changed();
  }

  #told({ type, ...news }) {
    this.alive = true;
    if (type === "figures") this.figures = news.figures;
    else if (type === "message") this.listener.receive(news.message);
    else {
      this.state = news.state;
      this.listener.changed();
    }
  }

  #call(method, args = [], transfer = []) {
    this.worker.postMessage({ method, args }, transfer);
  }

  open() {
    // The stream will report this in a moment; from now on it isn't closed.
    if (this.state.name === "closed") this.state = { name: "connecting" };
    this.#call("open");
  }

  close() {
    this.#call("close");
  }

  /** Send a message; false when there is no connection. */
  send(message) {
    if (this.state.name !== "open") return false;
    this.#call("send", [message]);
    return true;
  }

  /** Send the chunks to `sink`, the MessagePort of a worklet that plays `rate` Hz, from the next `resume` on. */
  attach(sink, rate) {
    this.#call("attach", [sink, rate], [sink]);
  }

  resume() {
    this.#call("resume");
  }

  pause() {
    this.#call("pause");
  }

  /** Ask for the figures; `figures` is updated a moment later. */
  report() {
    this.#call("report");
  }
}
