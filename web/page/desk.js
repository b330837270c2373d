/**
 * The desk: one field for each control that the server offers, in groups where it has any, and the status of each
 * change.
 */

import { Field, SETTLE_MS } from "./field.js";
import { Group } from "./group.js";
import { seconds } from "./names.js";

const STATUS_MS = 6000;

/** All controls. `onUserChange(name, value)` hears of no other change; `announce(text)` speaks to screen readers. */
export class Desk {
  constructor(form, { onUserChange, announce, isPending }) {
    this.form = form;
    this.onUserChange = onUserChange;
    this.announce = announce;
    this.isPending = isPending;
    this.fields = new Map();
    this.groups = [];
    this.values = {};
    this.awaited = new Map();
  }

  /** Build the inputs from the server's specifications. */
  build(specs) {
    const fields = specs.map((spec) => new Field(spec, (name, value) => this.#turnedByHand(name, value)));
    this.fields = new Map(fields.map((field) => [field.spec.name, field]));
    this.form.prepend(...fields.filter(({ spec }) => !spec.group).map(({ root }) => root));
    this.#buildGroups(fields);
    this.#settle(performance.now());
  }

  #buildGroups(fields) {
    const names = new Set(fields.map(({ spec }) => spec.group).filter(Boolean));
    this.groups = [...names].map((name) => new Group(name, fields.filter(({ spec }) => spec.group === name)));
    this.form.append(...this.groups.map(({ root }) => root));
  }

  #turnedByHand(name, value) {
    this.awaited.set(name, { phase: "sending", sinceMs: performance.now() });
    this.onUserChange(name, value);
  }

  /** Show the values that the server reports. */
  show(values) {
    this.values = { ...values };
    this.#settle(performance.now());
  }

  /** Move every input to its value, except those being moved by the user or with a change in flight. */
  #settle(nowMs) {
    for (const [name, field] of this.fields) {
      if (!field.busy(nowMs) && !this.isPending(name)) field.set(this.values[name]);
    }
    for (const group of this.groups) group.refresh();
  }

  /** A change was accepted: it begins at stream frame `frame`; `sentMs` is when it was sent. */
  accepted({ set, sentMs, frame }) {
    Object.assign(this.values, set);
    for (const name of Object.keys(set)) this.awaited.set(name, { phase: "coming", frame, sentMs });
  }

  /** A change was declined: the input returns to the current value. */
  declined(set) {
    for (const name of Object.keys(set)) {
      this.awaited.delete(name);
      this.fields.get(name)?.status.replaceChildren();
    }
  }

  /** Keep each status current; `heardAtMs(frame)` tells when a frame is heard. */
  refresh(nowMs, heardAtMs) {
    this.#settle(nowMs);
    for (const [name, waiting] of this.awaited) {
      const text = this.#statusText(name, waiting, nowMs, heardAtMs);
      const status = this.fields.get(name)?.status;
      if (status && status.textContent !== text) status.textContent = text;
    }
  }

  #statusText(name, waiting, nowMs, heardAtMs) {
    if (waiting.phase === "sending") return nowMs - waiting.sinceMs > SETTLE_MS ? "sending …" : "";
    if (waiting.phase === "heard") return this.#aged(name, waiting, nowMs);
    const heardMs = heardAtMs(waiting.frame);
    if (!Number.isFinite(heardMs)) return this.#unheard(name, nowMs);
    if (heardMs > nowMs) return `heard in ${seconds(heardMs - nowMs)}`;
    return this.#heard(name, waiting, heardMs);
  }

  /** Nothing plays here, or no composer runs: the change is made, but when it will be heard is unknown. */
  #unheard(name, nowMs) {
    this.awaited.set(name, { phase: "heard", text: "set", heardMs: nowMs });
    return "set";
  }

  #heard(name, { sentMs }, heardMs) {
    const text = `heard after ${seconds(heardMs - sentMs, 2)}`;
    this.awaited.set(name, { phase: "heard", text, heardMs });
    const { label, output, input } = this.fields.get(name);
    this.announce(`${label} ${output.value || input.value} ${text}.`);
    return text;
  }

  #aged(name, { text, heardMs }, nowMs) {
    if (nowMs - heardMs < STATUS_MS) return text;
    this.awaited.delete(name);
    return "";
  }
}
