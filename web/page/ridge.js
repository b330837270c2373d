/** The spectrum as a ridge at the foot of the sky: a soft line, slow enough to rest the eye on. */

const POINTS = 56;
const LOWEST_HZ = 45;
const OCTAVES = 7.2;
const QUIET_DB = -96;
const RANGE_DB = 66;
const HEIGHT_SHARE = 0.2;
const RISE_S = 0.1;
const FALL_S = 0.32;
const LONGEST_S = 0.5;

/** A colour (`#rrggbb`) with an opacity of 0–1. */
export function tint(colour, alpha) {
  return colour + Math.round(alpha * 255).toString(16).padStart(2, "0");
}

/** Keeps and draws the smoothed line. */
export class Ridge {
  constructor() {
    this.levels = new Float32Array(POINTS);
    this.drawnMs = 0;
    this.binHz = 1;
  }

  /** Take the colour and the size of the canvas. */
  restyle(context, colour, width, height) {
    this.width = width;
    this.height = height;
    this.line = context.createLinearGradient(0, height * (1 - HEIGHT_SHARE), 0, height);
    this.line.addColorStop(0, tint(colour, 0.6));
    this.line.addColorStop(1, tint(colour, 0));
    this.fill = context.createLinearGradient(0, height * (1 - HEIGHT_SHARE), 0, height);
    this.fill.addColorStop(0, tint(colour, 0.22));
    this.fill.addColorStop(1, tint(colour, 0));
  }

  /** Draw the line for `spectrum` (dB for each bin of `binHz`), or let it sink if that is null. */
  draw(context, spectrum) {
    this.#move(spectrum, performance.now());
    this.#trace(context);
    context.globalAlpha = 1;
    context.strokeStyle = this.line;
    context.lineWidth = 1.2;
    context.stroke();
    context.lineTo(this.width, this.height);
    context.lineTo(0, this.height);
    context.fillStyle = this.fill;
    context.fill();
  }

  #move(spectrum, nowMs) {
    const elapsedS = Math.min(LONGEST_S, (nowMs - this.drawnMs) / 1000);
    const [rise, fall] = [RISE_S, FALL_S].map((constantS) => 1 - Math.exp(-elapsedS / constantS));
    this.drawnMs = nowMs;
    for (let point = 0; point < POINTS; point += 1) {
      const goal = spectrum === null ? 0 : this.#level(spectrum, point);
      const change = goal - this.levels[point];
      this.levels[point] += change * (change > 0 ? rise : fall);
    }
  }

  #level(spectrum, point) {
    const low = this.#bin(point - 0.5);
    const high = Math.max(low + 1, this.#bin(point + 0.5));
    let loudest = QUIET_DB;
    for (let bin = low; bin < high && bin < spectrum.length; bin += 1) loudest = Math.max(loudest, spectrum[bin]);
    // Falls off towards both ends, so that the line leaves the page at its foot.
    const edge = Math.sin((Math.PI * (point + 0.5)) / POINTS) ** 0.5;
    return Math.min(1, Math.max(0, (loudest - QUIET_DB) / RANGE_DB)) * edge;
  }

  #bin(point) {
    return Math.floor((LOWEST_HZ * 2 ** ((OCTAVES * point) / POINTS)) / this.binHz);
  }

  #trace(context) {
    const step = this.width / (POINTS - 1);
    const y = (point) => this.height * (1 - HEIGHT_SHARE * this.levels[point]) - 1;
    context.beginPath();
    context.moveTo(0, y(0));
    for (let point = 1; point < POINTS - 1; point += 1) {
      const middle = (y(point) + y(point + 1)) / 2;
      context.quadraticCurveTo(point * step, y(point), (point + 0.5) * step, middle);
    }
    context.lineTo(this.width, y(POINTS - 1));
  }
}
