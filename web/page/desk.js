/**
 * The desk: one labelled native input for each control that the server offers, plus when each change is heard.
 */

import { seconds, title } from "./names.js";

const LABELS = { bpm: "Tempo" };
const SHORT_UNITS = { "beats per minute": "bpm" };
const SETTLE_MS = 600;
const NEWS_MS = 6000;

/** Paint the part of a range input left of its thumb. */
export function paintRange(input) {
  const share = (input.value - input.min) / (input.max - input.min);
  input.style.setProperty("--fill", `${(share * 100).toFixed(2)}%`);
}

function element(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function digitsOf(step) {
  return Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
}

/** "A minor", "C major", … in one group a mode; anything else in one flat list. */
function choiceOptions(choices) {
  const modeOf = (choice) => choice.split(" ").at(-1);
  const modes = [...new Set(choices.map(modeOf))];
  const option = (choice) => element("option", { value: choice, textContent: pretty(choice) });
  if (modes.length !== 2 || !choices.every((choice) => choice.includes(" "))) return choices.map(option);
  return modes.map((mode) =>
    element("optgroup", { label: title(mode) }, ...choices.filter((choice) => modeOf(choice) === mode).map(option)),
  );
}

const pretty = (choice) => choice.replace(/^([A-G])#/, "$1♯").replace(/^([A-G])b/, "$1♭");

/** One control: its input, what it shows, and the news about its last change. */
class Field {
  constructor(spec, turned) {
    this.spec = spec;
    this.step = spec.step ?? (spec.type === "integer" ? 1 : 0.01);
    this.label = LABELS[spec.name] ?? title(spec.name);
    this.unit = SHORT_UNITS[spec.unit] ?? spec.unit ?? "";
    this.held = false;
    this.touchedMs = -Infinity;
    this.input = spec.choices?.length ? this.#select() : this.#range();
    this.output = element("output", { htmlFor: this.input.id });
    this.news = element("p", { className: "heard" });
    this.news.setAttribute("aria-hidden", "true");
    this.root = this.#assemble();
    this.#listen(turned);
    this.set(spec.default);
  }

  #select() {
    return element("select", { id: `control-${this.spec.name}` }, ...choiceOptions(this.spec.choices));
  }

  #range() {
    const { name, minimum, maximum } = this.spec;
    return element("input", { type: "range", id: `control-${name}`, min: minimum, max: maximum, step: this.step });
  }

  #assemble() {
    const label = element("label", { htmlFor: this.input.id, textContent: this.label });
    const description = element("p", {
      className: "hidden",
      id: `about-${this.spec.name}`,
      textContent: this.spec.description ?? "",
    });
    this.input.setAttribute("aria-describedby", description.id);
    const head = element("div", { className: "field-head" }, label, this.output);
    const root = element("div", { className: "field", title: this.spec.description ?? "" });
    root.classList.toggle("choice", Boolean(this.spec.choices?.length));
    root.append(head, this.input, this.news, description);
    return root;
  }

  #listen(turned) {
    const hold = (held) => () => (this.held = held);
    this.input.addEventListener("pointerdown", hold(true));
    for (const type of ["pointerup", "pointercancel", "blur"]) this.input.addEventListener(type, hold(false));
    this.input.addEventListener("input", () => {
      this.touchedMs = performance.now();
      this.#show();
      turned(this.spec.name, this.value);
    });
  }

  get value() {
    return this.spec.choices?.length ? this.input.value : Number(this.input.value);
  }

  /** Whether a hand is on it. */
  busy(nowMs) {
    return this.held || nowMs - this.touchedMs < SETTLE_MS;
  }

  set(value) {
    if (value === undefined || this.input.value === String(value)) return;
    this.input.value = value;
    this.#show();
  }

  #show() {
    if (this.spec.choices?.length) return;
    const text = Number(this.input.value).toFixed(digitsOf(this.step));
    this.output.value = `${text} ${this.unit}`.trim();
    this.input.setAttribute("aria-valuetext", `${text} ${this.spec.unit ?? ""}`.trim());
    paintRange(this.input);
  }
}

/** All controls. `turned(name, value)` is called by a hand only; `announce(text)` speaks to screen readers. */
export class Desk {
  constructor(form, { turned, announce, isPending }) {
    this.form = form;
    this.turned = turned;
    this.announce = announce;
    this.isPending = isPending;
    this.fields = new Map();
    this.values = {};
    this.awaited = new Map();
  }

  /** Build the inputs from the server's specifications. */
  build(specs) {
    const fields = specs.map((spec) => new Field(spec, (name, value) => this.#turnedByHand(name, value)));
    this.fields = new Map(fields.map((field) => [field.spec.name, field]));
    this.form.prepend(...fields.map(({ root }) => root));
    this.#settle(performance.now());
  }

  #turnedByHand(name, value) {
    this.awaited.set(name, { phase: "sending", sinceMs: performance.now() });
    this.turned(name, value);
  }

  /** The server says how the controls stand. */
  show(values) {
    this.values = { ...values };
    this.#settle(performance.now());
  }

  /** Move every input to its value but those under a hand or with a change on its way. */
  #settle(nowMs) {
    for (const [name, field] of this.fields) {
      if (!field.busy(nowMs) && !this.isPending(name)) field.set(this.values[name]);
    }
  }

  /** A change was accepted: it begins at stream frame `frame`; `sentMs` is when it left. */
  accepted({ set, sentMs, frame }) {
    Object.assign(this.values, set);
    for (const name of Object.keys(set)) this.awaited.set(name, { phase: "coming", frame, sentMs });
  }

  /** A change was declined: the input goes back to what is. */
  declined(set) {
    for (const name of Object.keys(set)) {
      this.awaited.delete(name);
      this.fields.get(name)?.news.replaceChildren();
    }
  }

  /** Keep the news current; `heardAtMs(frame)` tells when a frame is heard. */
  refresh(nowMs, heardAtMs) {
    this.#settle(nowMs);
    for (const [name, waiting] of this.awaited) {
      const text = this.#news(name, waiting, nowMs, heardAtMs);
      const news = this.fields.get(name)?.news;
      if (news && news.textContent !== text) news.textContent = text;
    }
  }

  #news(name, waiting, nowMs, heardAtMs) {
    if (waiting.phase === "sending") return nowMs - waiting.sinceMs > SETTLE_MS ? "sending …" : "";
    if (waiting.phase === "heard") return this.#aged(name, waiting, nowMs);
    const heardMs = heardAtMs(waiting.frame);
    if (!Number.isFinite(heardMs)) return this.#unheard(name, nowMs);
    if (heardMs > nowMs) return `heard in ${seconds(heardMs - nowMs)}`;
    return this.#heard(name, waiting, heardMs);
  }

  /** Nothing plays here, or nothing composes: the change is made, but when it is heard nobody can say. */
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
    if (nowMs - heardMs < NEWS_MS) return text;
    this.awaited.delete(name);
    return "";
  }
}
