/** A control on the page: a labelled native input, its value, and the status of its last change. */

import { title } from "./names.js";

const LABELS = { bpm: "Tempo" };
const SHORT_UNITS = { "beats per minute": "bpm" };
/** A value from elsewhere does not move an input that the user touched within this time. */
export const SETTLE_MS = 600;

/** Paint the part of a range input left of its thumb. */
export function paintRange(input) {
  const share = (input.value - input.min) / (input.max - input.min);
  input.style.setProperty("--fill", `${(share * 100).toFixed(2)}%`);
}

/** An element with properties and children. */
export function element(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function digitsOf(step) {
  return Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
}

/** "A minor", "C major", … in one group per mode; anything else in one flat list. */
function choiceOptions(choices) {
  const modeOf = (choice) => choice.split(" ").at(-1);
  const modes = [...new Set(choices.map(modeOf))];
  const option = (choice) => element("option", { value: choice, textContent: pretty(choice) });
  if (modes.length !== 2 || !choices.every((choice) => choice.includes(" "))) return choices.map(option);
  return modes.map((mode) =>
    element("optgroup", { label: title(mode) }, ...choices.filter((choice) => modeOf(choice) === mode).map(option)),
  );
}

const pretty = (choice) => title(choice).replace(/^([A-G])#/, "$1♯").replace(/^([A-G])b/, "$1♭");

/** One control. `onUserChange(name, value)` hears of no other change; `shown()` is called after each display update. */
export class Field {
  constructor(spec, onUserChange) {
    this.spec = spec;
    this.onUserChange = onUserChange;
    this.shown = () => {};
    this.step = spec.step ?? (spec.type === "integer" ? 1 : 0.01);
    this.label = LABELS[spec.name] ?? title(spec.label ?? spec.name);
    this.unit = SHORT_UNITS[spec.unit] ?? spec.unit ?? "";
    this.held = false;
    this.touchedMs = -Infinity;
    this.input = spec.choices?.length ? this.#select() : this.#range();
    this.output = element("output", { htmlFor: this.input.id });
    this.status = element("p", { className: "heard" });
    this.status.setAttribute("aria-hidden", "true");
    this.root = this.#assemble();
    this.#listen();
    this.input.value = spec.default;
    this.#show();
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
    root.append(head, this.input, this.status, description);
    return root;
  }

  #listen() {
    const hold = (held) => () => (this.held = held);
    this.input.addEventListener("pointerdown", hold(true));
    for (const type of ["pointerup", "pointercancel", "blur"]) this.input.addEventListener(type, hold(false));
    this.input.addEventListener("input", () => this.#touched());
  }

  #touched() {
    this.touchedMs = performance.now();
    this.#show();
    this.onUserChange(this.spec.name, this.value);
  }

  /** Set the value as if the user had. */
  turn(value) {
    this.input.value = value;
    this.#touched();
  }

  get value() {
    return this.spec.choices?.length ? this.input.value : Number(this.input.value);
  }

  /** Whether the user is moving it or has just done so. */
  busy(nowMs) {
    return this.held || nowMs - this.touchedMs < SETTLE_MS;
  }

  set(value) {
    if (value === undefined || this.input.value === String(value)) return;
    this.input.value = value;
    this.#show();
  }

  #show() {
    if (!this.spec.choices?.length) this.#showNumber();
    this.shown();
  }

  #showNumber() {
    const text = Number(this.input.value).toFixed(digitsOf(this.step));
    this.output.value = `${text} ${this.unit}`.trim();
    this.input.setAttribute("aria-valuetext", `${text} ${this.spec.unit ?? ""}`.trim());
    paintRange(this.input);
  }
}
