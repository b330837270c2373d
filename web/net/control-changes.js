/**
 * Control changes in flight: gathered while a slider moves, sent at a steady pace, tracked until they are
 * acknowledged.
 */

const PACE_MS = 100;

/** Gathers and sends; times are milliseconds of the injected clock. */
export class ControlChanges {
  /** @param {{send: (message: object) => boolean, now?: () => number, later?: Function}} outside */
  constructor({ send, now = () => performance.now(), later = (action, ms) => setTimeout(action, ms) }) {
    this.send = send;
    this.now = now;
    this.later = later;
    this.gathered = {};
    this.sent = new Map();
    this.lastId = 0;
    this.lastSentMs = -Infinity;
    this.scheduled = false;
  }

  /** A control was turned; the last value is always sent, at most ten messages a second. */
  change(name, value) {
    this.gathered[name] = value;
    if (this.scheduled) return;
    this.scheduled = true;
    this.later(() => this.flush(), Math.max(0, this.lastSentMs + PACE_MS - this.now()));
  }

  /** Send the gathered changes; without a connection they wait for the next call. */
  flush() {
    this.scheduled = false;
    if (Object.keys(this.gathered).length === 0) return;
    const id = String(this.lastId + 1);
    if (!this.send({ type: "control", id, set: this.gathered })) return;
    this.lastId += 1;
    this.lastSentMs = this.now();
    this.sent.set(id, { set: this.gathered, sentMs: this.lastSentMs });
    this.gathered = {};
  }

  /** Take out the change `id`, which was answered: its `{set, sentMs}`, or null if it isn't one of ours. */
  settle(id) {
    const change = this.sent.get(String(id)) ?? null;
    this.sent.delete(String(id));
    return change;
  }

  /** Whether a change of `name` is still unacknowledged. */
  pending(name) {
    return name in this.gathered || [...this.sent.values()].some(({ set }) => name in set);
  }

  /** The connection is gone, and all answers with it: `flush` will send the unacknowledged changes again. */
  disconnected() {
    const lost = [...this.sent.values()].map(({ set }) => set);
    this.sent.clear();
    this.gathered = Object.assign({}, ...lost, this.gathered);
  }
}
