/** Facts about the steering and the adaptive target, over simulated days. */

import { MAX_PPM, Steering, Target } from "/sound/steering.js";
import { equal, expect, seeded, within } from "./expect.js";

const STEP_S = 0.05;

/** Let a buffer drift by `ppm` (positive: the sound card is slow) for `hours`; `each(hour, fillMs)` watches. */
function drift({ ppm, hours, each, jitterMs = 0, seed = 1 }) {
  const steering = new Steering();
  const random = seeded(seed);
  steering.restart(350);
  let fillMs = 350;
  let moves = 0;
  for (let step = 0; step * STEP_S < hours * 3600; step += 1) {
    fillMs += (ppm - steering.ppm) * 1e-6 * STEP_S * 1000;
    const sawtooth = step % 2 === 0 ? 25 : -25;
    steering.update(fillMs + sawtooth + jitterMs * (random() - 0.5), 350, STEP_S);
    if (steering.seekMs !== 0) moves += 1;
    expect(Math.abs(steering.ppm) <= MAX_PPM, `${steering.ppm} ppm`);
    each((step * STEP_S) / 3600, fillMs);
  }
  return { steering, moves };
}

/** Two days with clocks 200 ppm apart: the fill stays within 15 ms of its target, within 1 ms after an hour. */
export function daysOfDriftAreHeld() {
  for (const ppm of [-200, 200]) {
    const each = (hour, fillMs) => within(fillMs, hour < 1 ? 335 : 349, hour < 1 ? 365 : 351, `fill at hour ${hour}`);
    const { steering, moves } = drift({ ppm, hours: 48, each });
    equal(moves, 0, "corrections");
    within(steering.driftPpm, ppm - 3, ppm + 3, "learned drift");
  }
}

/** Arrival times that scatter by ±60 ms cause no correction. */
export function jitterIsNoReasonToMove() {
  const { moves } = drift({ ppm: 40, hours: 4, jitterMs: 120, each: () => {} });
  equal(moves, 0, "corrections");
}

/** A fill that is 100 ms off is reported after two seconds, with its sign and size. */
export function farIsNoticed() {
  for (const offMs of [-100, 100]) {
    const steering = new Steering();
    steering.restart(350);
    let reported = 0;
    for (let step = 0; step < 45 && reported === 0; step += 1) {
      steering.update(350 + offMs, 350, STEP_S);
      reported = steering.seekMs;
    }
    within(reported, offMs - 1, offMs + 1, "seekMs");
  }
}

/** A hiccup of less than a second, which mends itself, causes no correction. */
export function aHiccupIsNoReasonToMove() {
  const steering = new Steering();
  steering.restart(350);
  for (let step = 0; step < 200; step += 1) {
    steering.update(step >= 100 && step < 116 ? 650 : 350, 350, STEP_S);
    equal(steering.seekMs, 0, `seekMs at step ${step}`);
  }
}

/** While the fill is still rising, the steering waits: one correction, by the whole final error. */
export function aRiseIsWaitedFor() {
  const steering = new Steering();
  steering.restart(350);
  const reported = [];
  for (let step = 0; step < 100 && reported.length === 0; step += 1) {
    steering.update(step < 10 ? 850 : 1350, 350, STEP_S);
    if (steering.seekMs !== 0) reported.push([step, steering.seekMs]);
  }
  equal(reported.length, 1, "corrections");
  within(reported[0][0], 58, 60, "step of the correction");
  within(reported[0][1], 999, 1001, "seekMs");
}

/** The target grows by 100 ms at each underrun, never above 1.5 s. */
export function theTargetGrows() {
  const target = new Target();
  equal(target.ms, 350, "first target");
  target.grow();
  equal(target.ms, 450, "after one underrun");
  for (let i = 0; i < 50; i += 1) target.grow();
  equal(target.ms, 1500, "after many");
}

/** With room to spare the target shrinks again, more slowly than the steering can follow, down to 300 ms. */
export function theTargetShrinksSlowly() {
  const target = new Target();
  target.grow();
  let last = target.ms;
  for (let second = 0; second < 3 * 3600; second += 1) {
    target.update(target.ms - 60, 1);
    within(last - target.ms, 0, MAX_PPM * 1e-3, "ms in a second");
    last = target.ms;
  }
  equal(target.ms, 300, "after three hours");
}

/** While the fill still drops low now and then, the target stays. */
export function theTargetStaysWhereItIsNeeded() {
  const target = new Target();
  target.grow();
  for (let second = 0; second < 3600; second += 1) target.update(second % 50 === 0 ? 80 : 400, 1);
  equal(target.ms, 450, "target");
}
