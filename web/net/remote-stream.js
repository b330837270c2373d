/** The page's end of a stream that lives in a worker: the same methods, and what the stream told last. */

/** What is known of a stream before it told anything. */
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
  /** Why there is no stream, whatever is called; null while there is one. */
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

  /** An error before anything was told is no error of the program: it didn't load, or an old browser can't read it. */
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
    // What the stream will tell in a moment: from now on it isn't closed.
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

  /** Let the chunks go to `sink`, a MessagePort of a sound of `rate` Hz, from the next `flow` on. */
  attach(sink, rate) {
    this.#call("attach", [sink, rate], [sink]);
  }

  flow() {
    this.#call("flow");
  }

  hold() {
    this.#call("hold");
  }

  /** Ask how it stands; `figures` is new a moment later. */
  report() {
    this.#call("report");
  }
}
