/**
 * The WebSocket to one channel: opens it, keeps it open, and reports on it in `state`.
 *
 * `state.name` is one of: closed, connecting, open, waiting (a retry is due at `retryAtMs`), refused (not
 * retried automatically: `code` says why). Times are from `localMs`.
 */

import { Backoff } from "./backoff.js";
import { localMs } from "./local-time.js";
import { SUBPROTOCOL } from "./wire.js";

export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_POLICY = 1008;
export const CLOSE_TRY_LATER = 1013;
export const CLOSE_NO_CHANNEL = 4404;
const CLOSE_NORMAL = 1000;
const SOCKET_OPEN = 1;
const SILENT_MS = 6000;
const HELD_MS = 3000;
const REFUSALS = new Set([CLOSE_POLICY, CLOSE_NO_CHANNEL]);

/** One channel's connection; received data goes to `receive(data)`, each new state to `changed(state)`. */
export class Connection {
  /**
   * @param {(since: number|null) => string} address the WebSocket's URL, resuming after `since`
   * @param {{receive: Function, changed: Function, since: () => number|null}} listener
   */
  constructor(address, listener, { backoff = new Backoff(), WebSocket = globalThis.WebSocket } = {}) {
    this.address = address;
    this.listener = listener;
    this.backoff = backoff;
    this.WebSocket = WebSocket;
    this.socket = null;
    this.timer = null;
    this.reconnects = 0;
    this.lastHeardMs = 0;
    this.state = { name: "closed" };
  }

  /** Connect, or try again now when a retry is waiting. */
  open() {
    if (this.socket !== null) return;
    clearTimeout(this.timer);
    const socket = new this.WebSocket(this.address(this.listener.since()), SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = ({ data }) => this.#received(socket, data);
    socket.onclose = ({ code, reason }) => this.#closed(socket, code, reason);
    this.socket = socket;
    this.lastHeardMs = localMs();
    this.#become({ name: "connecting" });
  }

  /** Disconnect and stay disconnected. */
  close() {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = null;
    socket?.close(CLOSE_NORMAL);
    this.backoff.reset();
    if (this.state.name !== "closed") this.#become({ name: "closed" });
  }

  /** Send a message; false when there is no connection. */
  send(message) {
    // A socket that the server has begun to close is still ours, but the browser complains if it is used.
    if (this.state.name !== "open" || this.socket.readyState !== SOCKET_OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Give up a connection on which nothing has been heard for too long (half-open ones never close). */
  watch(nowMs) {
    if (this.socket === null || nowMs - this.lastHeardMs < SILENT_MS) return;
    const { socket } = this;
    socket.onclose = null;
    socket.close();
    this.#closed(socket, 0, "");
  }

  #opened(socket) {
    if (socket !== this.socket) return;
    this.openedMs = localMs();
    this.#become({ name: "open" });
  }

  #received(socket, data) {
    if (socket !== this.socket) return;
    this.lastHeardMs = localMs();
    // Only a connection that held counts as success, so a server that drops everyone at once isn't hammered.
    if (this.lastHeardMs - this.openedMs > HELD_MS) this.backoff.reset();
    this.listener.receive(data);
  }

  #closed(socket, code, reason) {
    if (socket !== this.socket) return;
    this.socket = null;
    if (REFUSALS.has(code)) {
      this.#become({ name: "refused", code, reason });
      return;
    }
    const delayS = code === CLOSE_GOING_AWAY ? this.backoff.prompt() : this.backoff.next(code === CLOSE_TRY_LATER);
    this.timer = setTimeout(() => this.#retry(), delayS * 1000);
    this.#become({ name: "waiting", code, reason, retryAtMs: localMs() + delayS * 1000 });
  }

  #retry() {
    this.reconnects += 1;
    this.open();
  }

  #become(state) {
    this.state = state;
    this.listener.changed(state);
  }
}
