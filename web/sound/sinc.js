/**
 * Windowed-sinc interpolation between the frames of a ring: the kernel of the fractional resampler.
 *
 * The kernel is tabulated at PHASES positions between two frames and interpolated linearly between them,
 * which keeps its error below that of 16-bit samples. Rows are normalised, so that a constant stays constant.
 */

const PHASES = 512;
const HALF_TAPS = 16;
const KAISER_BETA = 8;

/** The modified Bessel function of the first kind and order 0, by its power series. */
function besselI0(x) {
  let sum = 1;
  for (let term = 1, k = 1; term > 1e-12 * sum; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** The kernel `distance` frames from its centre, `half` frames wide, for a cutoff of 0–1 of Nyquist. */
function kernel(distance, half, cutoff) {
  const edge = Math.abs(distance) / half;
  if (edge >= 1) return 0;
  const window = besselI0(KAISER_BETA * Math.sqrt(1 - edge * edge)) / besselI0(KAISER_BETA);
  const angle = Math.PI * distance * cutoff;
  return window * cutoff * (angle === 0 ? 1 : Math.sin(angle) / angle);
}

/** Reads a stereo frame between the frames of a ring; the result is in `left` and `right`. */
export class Sinc {
  /** @param {number} step frames of the source for one output frame (above 1 the kernel also removes aliases) */
  constructor(step) {
    const shrink = Math.max(1, step);
    /** Frames that are needed on each side of the position. */
    this.half = Math.ceil(HALF_TAPS * shrink);
    this.taps = 2 * this.half;
    this.table = new Float32Array((PHASES + 1) * this.taps);
    for (let phase = 0; phase <= PHASES; phase += 1) this.#fillRow(phase, 1 / shrink);
    this.left = 0;
    this.right = 0;
  }

  #fillRow(phase, cutoff) {
    const row = this.table.subarray(phase * this.taps, (phase + 1) * this.taps);
    let sum = 0;
    for (let tap = 0; tap < this.taps; tap += 1) {
      row[tap] = kernel(tap - this.half + 1 - phase / PHASES, this.half, cutoff);
      sum += row[tap];
    }
    for (let tap = 0; tap < this.taps; tap += 1) row[tap] /= sum;
  }

  /** Interpolate `ring` at frame `index + fraction` (0 ≤ fraction < 1). */
  read(ring, index, fraction) {
    const { left, right, mask } = ring;
    const { table, taps } = this;
    const row = Math.floor(fraction * PHASES);
    const blend = fraction * PHASES - row;
    const at = row * taps;
    let sumLeft = 0;
    let sumRight = 0;
    let frame = (index - this.half + 1) & mask;
    for (let tap = 0; tap < taps; tap += 1) {
      const here = table[at + tap];
      const weight = here + blend * (table[at + taps + tap] - here);
      sumLeft += weight * left[frame];
      sumRight += weight * right[frame];
      frame = (frame + 1) & mask;
    }
    this.left = sumLeft;
    this.right = sumRight;
  }
}
