/** A collapsible group of controls: a strip for each, with a button that mutes it. */

import { element } from "./field.js";
import { title } from "./names.js";

/** A button that sets a level to its minimum and back to what it was; `aria-pressed` says which. */
export class Mute {
  constructor(field) {
    this.field = field;
    this.kept = field.spec.default;
    this.button = element("button", { type: "button", className: "mute", textContent: "Mute" });
    this.button.setAttribute("aria-label", `Mute ${field.label.toLowerCase()}`);
    this.button.addEventListener("click", () => this.#toggle());
    field.input.addEventListener("change", () => this.#keep());
    field.shown = () => this.#show();
    this.#show();
  }

  get muted() {
    return this.field.value <= this.field.spec.minimum;
  }

  #toggle() {
    const { field, muted } = this;
    this.#keep();
    field.turn(muted ? this.kept : field.spec.minimum);
  }

  /** Remember the level to return to: not those that the slider passes on its way to silence. */
  #keep() {
    if (!this.muted) this.kept = this.field.value;
  }

  #show() {
    if (!this.field.busy(performance.now())) this.#keep();
    this.button.setAttribute("aria-pressed", this.muted);
  }
}

/** The controls of one group, collapsed at first; its title says how many are muted. */
export class Group {
  constructor(name, fields) {
    this.mutes = fields.map((field) => new Mute(field));
    this.count = element("span", { className: "muted" });
    const summary = element("summary", {}, element("span", { textContent: title(name) }), this.count);
    const strips = element("div", { className: "strips" }, ...this.mutes.map((mute) => this.#strip(mute)));
    strips.setAttribute("role", "group");
    strips.setAttribute("aria-label", title(name));
    this.root = element("details", { className: "group", id: `group-${name}` }, summary, strips);
  }

  #strip({ field, button }) {
    field.root.classList.replace("field", "strip");
    field.root.append(button);
    return field.root;
  }

  refresh() {
    const count = this.mutes.filter(({ muted }) => muted).length;
    const text = count === 0 ? "" : `${count} muted`;
    if (this.count.textContent !== text) this.count.textContent = text;
  }
}
