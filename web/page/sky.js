/**
 * The sky: every note is a strand that drifts past and lights up at the moment it is heard.
 *
 * With reduced motion nothing drifts: each pitch has its place, and glows while it sounds.
 */

import { Ridge, tint } from "./ridge.js";

const LOWEST_PITCH = 30;
const PITCH_SPAN = 66;
const NOW_SHARE = 0.64;
/** On a narrow page the text takes the middle. */
const NARROW_PX = 600;
const NARROW_NOW_SHARE = 0.86;
const AHEAD_ALPHA = 0.1;
const RIPPLE_S = 2.4;
const GLOW_PX = 64;
const MAX_DENSITY = 2;
// Weather has no pitch to draw it at: the ridge shows it.
const LAYERS = ["drone", "pad", "choir", "bells", "melody", "answer", "percussion"];

const fract = (x) => x - Math.floor(x);
const ease = (x) => 1 - (1 - Math.min(1, Math.max(0, x))) ** 3;

function glowSprite(colour) {
  const sprite = new OffscreenCanvas(2 * GLOW_PX, 2 * GLOW_PX);
  const context = sprite.getContext("2d");
  const gradient = context.createRadialGradient(GLOW_PX, GLOW_PX, 0, GLOW_PX, GLOW_PX, GLOW_PX);
  for (let stop = 0; stop <= 8; stop += 1) {
    gradient.addColorStop(stop / 8, tint(colour, (1 - stop / 8) ** 2.6));
  }
  context.fillStyle = gradient;
  context.fillRect(0, 0, 2 * GLOW_PX, 2 * GLOW_PX);
  return sprite;
}

/** Draws on `canvas`, in the colours of the style sheet (`--note-<layer>`, `--ridge`). */
export class Sky {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.ridge = new Ridge();
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#restyle());
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
  }

  #resize() {
    const density = Math.min(MAX_DENSITY, devicePixelRatio);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * density);
    this.canvas.height = Math.round(this.height * density);
    this.context.setTransform(density, 0, 0, density, 0, 0);
    this.context.lineCap = "round";
    this.nowShare = this.width < NARROW_PX ? NARROW_NOW_SHARE : NOW_SHARE;
    this.nowX = this.width * this.nowShare;
    this.speed = Math.min(58, Math.max(30, this.width / 26));
    this.#restyle();
  }

  #restyle() {
    const style = getComputedStyle(this.canvas);
    this.inks = new Map(LAYERS.map((layer) => [layer, this.#ink(style.getPropertyValue(`--note-${layer}`).trim())]));
    this.ridge.restyle(this.context, style.getPropertyValue("--ridge").trim(), this.width, this.height);
  }

  /** A layer's colour as a strand that fades into the past and waits, faint, in the future. */
  #ink(colour) {
    const strand = this.context.createLinearGradient(0, 0, this.width, 0);
    const at = (share, alpha) => strand.addColorStop(share, tint(colour, alpha));
    at(0, 0);
    at(this.nowShare * 0.45, 0.32);
    at(this.nowShare, 0.95);
    at(Math.min(1, this.nowShare + 1 / this.width), AHEAD_ALPHA);
    at(1, 0);
    return { colour, strand, glow: glowSprite(colour) };
  }

  #inkOf(note) {
    return this.inks.get(note.layer) ?? this.inks.get("pad");
  }

  #y(pitch) {
    return this.height * (0.9 - 0.8 * Math.min(1, Math.max(0, (pitch - LOWEST_PITCH) / PITCH_SPAN)));
  }

  /** Draw `notes` as they are at stream frame `frame` (NaN: nothing is heard); `spectrum` in dB, or null. */
  draw(frame, rate, notes, spectrum) {
    this.context.clearRect(0, 0, this.width, this.height);
    const still = this.still.matches;
    if (!still) this.ridge.draw(this.context, spectrum);
    if (!Number.isFinite(frame)) return;
    for (const note of notes) {
      if (note.layer === "texture") continue;
      const age = (frame - note.at_frame) / rate;
      const length = note.duration_frames / rate;
      if (still) this.#light(note, age, length);
      else this.#strand(note, age, length);
    }
    this.context.globalAlpha = 1;
  }

  #strand(note, age, length) {
    const from = this.nowX - age * this.speed;
    const to = from + length * this.speed;
    if (from > this.width || to < -GLOW_PX) return;
    const ink = this.#inkOf(note);
    const y = this.#y(note.pitch);
    this.context.globalAlpha = 0.5 + 0.5 * note.velocity;
    this.context.lineWidth = 1.6 + 2.6 * note.velocity;
    this.context.strokeStyle = ink.strand;
    this.context.beginPath();
    this.context.moveTo(from, y);
    this.context.lineTo(Math.max(to, from + 0.5), y);
    this.context.stroke();
    if (age >= 0) this.#kindle(note, ink, Math.min(this.nowX, to), y, age, length);
  }

  /** The light at a sounding note's head, and the ring that its onset sends out. */
  #kindle(note, ink, x, y, age, length) {
    const after = Math.max(0, age - length);
    const light = ease(age / 0.25) * (0.35 + 0.65 * Math.exp(-age / 1.8)) * Math.exp(-after / 0.7);
    if (light > 0.01) this.#glow(ink, x, y, light * (0.55 + 0.45 * note.velocity), 18 + 30 * note.velocity);
    if (age > RIPPLE_S) return;
    this.context.globalAlpha = 0.4 * note.velocity * (1 - age / RIPPLE_S) ** 2;
    this.context.strokeStyle = ink.colour;
    this.context.lineWidth = 1;
    this.context.beginPath();
    this.context.arc(this.nowX - age * this.speed, y, 4 + 38 * ease(age / RIPPLE_S), 0, 2 * Math.PI);
    this.context.stroke();
  }

  #glow(ink, x, y, alpha, radius) {
    this.context.globalAlpha = Math.min(1, alpha);
    this.context.drawImage(ink.glow, x - radius, y - radius, 2 * radius, 2 * radius);
  }

  #light(note, age, length) {
    if (age < 0) return;
    const light = ease(age / 0.8) * Math.exp(-Math.max(0, age - length) / 1.2);
    if (light < 0.01) return;
    // Fifths side by side: notes that belong together glow together.
    const x = this.width * (0.08 + 0.84 * fract((note.pitch * 7) / 12));
    this.#glow(this.#inkOf(note), x, this.#y(note.pitch), light * (0.3 + 0.6 * note.velocity), 26 + 44 * note.velocity);
  }
}
