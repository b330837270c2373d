/** Facts about the search for the place where a seek is least audible. */

import { FrameRing } from "/sound/frame-ring.js";
import { Similarity } from "/sound/similarity.js";
import { equal, seeded, within } from "./expect.js";

const FRAMES = 1764;

/** A ring of smooth noise (a one-pole low pass at `pole`), in which the stretch at `copy` repeats the one at `from`. */
function ringOfNoise({ seed, pole = 0.95, from = 20_000, copy = null }) {
  const random = seeded(seed);
  const samples = new Int16Array(2 * 30_000);
  for (const side of [0, 1]) {
    let value = 0;
    for (let i = side; i < samples.length; i += 2) {
      value = pole * value + (1 - pole) * (random() - 0.5) * 60_000;
      samples[i] = Math.round(value);
    }
  }
  if (copy !== null) samples.copyWithin(2 * copy, 2 * from, 2 * (from + FRAMES));
  const ring = new FrameRing(15);
  ring.append(samples, 0, 0);
  return ring;
}

/** The one place that continues in the same way is found to the frame, wherever it lies. */
export function theSameIsFound() {
  for (const copy of [8000, 9001, 10_015, 11_998]) {
    const similarity = new Similarity(ringOfNoise({ seed: copy, copy }), FRAMES);
    similarity.find(20_000, 8000, 12_000);
    equal(similarity.place, copy, "place");
    within(similarity.correlation, 0.9999, 1.0001, "correlation");
  }
}

/** For a tone, the place found is a whole number of periods away. */
export function aToneStaysInPhase() {
  const period = 44_100 / 220;
  const ring = new FrameRing(15);
  const samples = Int16Array.from({ length: 60_000 }, (_, i) =>
    Math.round(16_000 * Math.sin((2 * Math.PI * Math.floor(i / 2)) / period)));
  ring.append(samples, 0, 0);
  const similarity = new Similarity(ring, FRAMES);
  similarity.find(20_000, 9000, 9500);
  const periods = (20_000 - similarity.place) / period;
  within(Math.abs(periods - Math.round(periods)), 0, 0.5 / period + 1e-9, "part of a period");
}

/** Unrelated sound is told apart from similar sound, and the place is one that was allowed. */
export function theUnrelatedIsKnown() {
  for (const seed of [1, 2, 3]) {
    const similarity = new Similarity(ringOfNoise({ seed, pole: 0 }), FRAMES);
    similarity.find(20_000, 9000, 9400);
    within(similarity.correlation, 0, 0.4, "correlation");
    within(similarity.place, 9000, 9400, "place");
  }
}

/** In a silent ring a place is found too. */
export function silenceIsNoTrouble() {
  const ring = new FrameRing(15);
  ring.append(new Int16Array(60_000), 0, 0);
  const similarity = new Similarity(ring, FRAMES);
  similarity.find(20_000, 9000, 9400);
  equal([similarity.place, similarity.correlation], [9000, 0], "place and correlation");
}
