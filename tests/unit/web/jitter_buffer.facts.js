/** Facts about the jitter buffer: seeded traffic, canary values, slopes, and clocks that drift. */

import { JitterBuffer } from "/sound/jitter-buffer.js";
import { equal, expect, seeded, within } from "./expect.js";

const RATE = 44100;
const CHUNK = 4410;
const BLOCK = 128;
const SCALE = 32768;

/** Chunk `seq` with one constant value that identifies it; neighbours differ. */
const canary = (seq) => ((seq % 101) - 50) * 300;
const canaryChunk = (seq) => new Int16Array(2 * CHUNK).fill(canary(seq));

/** Chunk `seq` of an endless sine of `hz`. */
function sineChunk(seq, hz, rate = RATE) {
  const frames = rate / 10;
  const chunk = new Int16Array(2 * frames);
  for (let i = 0; i < frames; i += 1) {
    const value = Math.round(16000 * Math.sin((2 * Math.PI * hz * (seq * frames + i)) / rate));
    chunk[2 * i] = value;
    chunk[2 * i + 1] = value;
  }
  return chunk;
}

/** A buffer with its two output blocks. */
function bench(deviceRate = RATE, streamRate = RATE) {
  const buffer = new JitterBuffer({ streamRate, deviceRate });
  const left = new Float32Array(BLOCK);
  const right = new Float32Array(BLOCK);
  return { buffer, left, right, pull: () => buffer.pull(left, right) };
}

/**
 * Chunks that arrive `late(seq)` ms late, pulled for `seconds`; `each` sees every block.
 * As with TCP, a late chunk holds up those after it.
 */
function play({ buffer, pull, seconds, late, make, each, deviceRate = RATE, lost = () => false, burst = 4 }) {
  let next = 0;
  let openMs = 0;
  for (let block = 0; block * BLOCK < seconds * deviceRate; block += 1) {
    const nowMs = (block * BLOCK * 1000) / deviceRate;
    for (; ; next += 1) {
      const dueMs = (next - burst) * 100;
      openMs = Math.max(openMs, dueMs + late(next));
      if (openMs > nowMs) break;
      if (!lost(next)) buffer.push(make(next), next * CHUNK, nowMs - dueMs, false);
    }
    pull();
    each(nowMs);
  }
}

/** Lateness (ms) with sudden stalls of up to 3 s, and occasional losses. */
function rough(seed) {
  const random = seeded(seed);
  const lateness = Array.from({ length: 900 }, () => (random() < 0.02 ? 3000 * random() : 60 * random()));
  const losses = Array.from({ length: 900 }, () => random() < 0.01);
  return { late: (seq) => lateness[seq], lost: (seq) => losses[seq] };
}

/** In a block with full gain, the sequence numbers (modulo 101) that its steady frames belong to. */
function canariesIn({ buffer, left }) {
  if (buffer.gain < 1 || buffer.seek.running) return [];
  const found = [];
  for (let i = 1; i < BLOCK; i += 1) {
    if (Math.abs(left[i] - left[i - 1]) > 1e-6) continue;
    const value = (left[i] * SCALE) / 300 + 50;
    if (Math.abs(value - Math.round(value)) < 1e-3) found.push(Math.round(value));
  }
  return found;
}

/** Over rough networks every steady value is from a chunk that came, and only a counted replay ever turns back. */
export function onlyWhatCameIsHeardAndInOrder() {
  for (const seed of [1, 2, 3]) {
    const { late, lost } = rough(seed);
    const stage = bench();
    let last = -1;
    let turns = 0;
    let heard = 0;
    const make = (seq) => canaryChunk(seq);
    const each = () => {
      for (const value of canariesIn(stage)) {
        const behind = last < 0 ? 0 : (((value - last) % 101) + 101) % 101;
        if (behind > 50) turns += 1;
        expect(behind <= 50 || behind >= 85, `seed ${seed}: canary ${value} after ${last}`);
        last = value;
        heard += 1;
      }
    };
    play({ ...stage, seconds: 50, late, lost, make, each });
    expect(heard > 30 * RATE, `seed ${seed}: only ${heard} steady frames`);
    within(turns, 0, stage.buffer.seeks, `seed ${seed}: turns back`);
    expect(stage.buffer.underruns > 0, `seed ${seed} never ran dry`);
  }
}

/** However rough the network, the signal never jumps by more than a sine and the steepest fade can. */
export function nothingClicks() {
  // A chunk does not hold a whole number of periods, so that a lost one leaves a jump.
  const hz = 203;
  const amplitude = 16000 / SCALE;
  const sine = (amplitude * 2 * Math.PI * hz) / RATE;
  const fade = (amplitude * 1.6) / (0.02 * RATE);
  for (const seed of [5, 6, 7]) {
    const { late, lost } = rough(seed);
    const stage = bench();
    let last = 0;
    let worst = 0;
    const each = () => {
      for (const sample of stage.left) {
        worst = Math.max(worst, Math.abs(sample - last));
        last = sample;
      }
    };
    play({ ...stage, seconds: 40, late, lost, make: (seq) => sineChunk(seq, hz), each });
    within(worst, sine / 2, 1.5 * sine + fade, `seed ${seed}: steepest step`);
  }
}

/** A stall of two seconds is one underrun: silence, then the sound again, and a target that grew. */
export function aStallIsOneUnderrun() {
  const stage = bench();
  const levels = [];
  const late = (seq) => (seq === 50 ? 2000 : 0);
  const each = () => levels.push(Math.hypot(...stage.left));
  play({ ...stage, seconds: 12, late, make: (seq) => sineChunk(seq, 220), each });
  equal(stage.buffer.underruns, 1, "underruns");
  equal(stage.buffer.joins, 1, "joins (the first chunk only)");
  expect(stage.buffer.target.ms > 400, `target ${stage.buffer.target.ms} ms`);
  const at = (seconds) => levels[Math.floor((seconds * RATE) / BLOCK)];
  expect(at(3) > 1 && at(11) > 1, "plays before and after");
  equal(at(6.5), 0, "level in the stall");
}

/** Chunks up to a second late cause no underrun: the last second is replayed, and left once they have come. */
export function lateChunksAreCovered() {
  for (const lateMs of [300, 400, 550, 700, 1000]) {
    const stage = bench();
    const late = (seq) => (seq === 50 ? lateMs : 0);
    const quietest = { before: Infinity, after: Infinity };
    const each = (nowMs) => {
      const when = nowMs < 4000 ? "before" : "after";
      if (nowMs > 100) quietest[when] = Math.min(quietest[when], Math.hypot(...stage.left));
    };
    play({ ...stage, seconds: 14, late, make: (seq) => sineChunk(seq, 203), each });
    equal(stage.buffer.underruns, 0, `${lateMs} ms late: underruns`);
    equal(stage.buffer.seeks, 2, "a replay, and the way back");
    within(quietest.after / quietest.before, 0.98, 1, "quietest block, of the quietest before");
    equal(stage.buffer.target.ms, 450, "target");
    within(stage.buffer.steering.smoothMs, 410, 490, "mean fill at the end");
  }
}

/** One replay is one attempt: if nothing comes, the second is not replayed again. */
export function aHoldIsNotRepeated() {
  const stage = bench();
  const levels = [];
  play({ ...stage, seconds: 8, late: (seq) => (seq < 30 ? 0 : 60_000), make: (seq) => sineChunk(seq, 203),
    each: () => levels.push(Math.hypot(...stage.left)) });
  equal([stage.buffer.seeks, stage.buffer.underruns, stage.buffer.target.ms], [1, 1, 450], "seeks, underruns, target");
  equal(Math.max(...levels.slice(-1000)), 0, "level at last");
}

/** After the first chunks the sound begins at once, and the fill settles at its target with no correction. */
export function aBurstStartsAtTheTarget() {
  for (const phase of [0, 20, 55, 90]) {
    const stage = bench();
    let startedMs = NaN;
    const each = (nowMs) => {
      if (stage.buffer.playing && Number.isNaN(startedMs)) startedMs = nowMs;
    };
    play({ ...stage, seconds: 6, late: () => 0, make: (seq) => sineChunk(seq, 220), each, burst: 4 + phase / 100 });
    within(startedMs, 0, 5, "start in ms");
    within(stage.buffer.steering.smoothMs, 345, 355, `mean fill at phase ${phase}`);
    equal(stage.buffer.seeks, 0, "seeks");
  }
}

/** At every device rate the resampled sine is the sine: its error stays under −75 dB. */
export function theResamplerIsExact() {
  for (const [streamRate, deviceRate, hz] of [[44100, 48000, 1000], [44100, 48000, 9000], [48000, 44100, 5000],
    [44100, 96000, 3000], [48000, 16000, 1000], [44100, 44100, 12000]]) {
    const { buffer, left, pull } = bench(deviceRate, streamRate);
    for (let seq = 0; seq < 12; seq += 1) buffer.push(sineChunk(seq, hz, streamRate), (seq * streamRate) / 10, NaN, false);
    let error = 0;
    let count = 0;
    for (let block = 0; block * BLOCK < 0.25 * deviceRate; block += 1) {
      let frame = buffer.position;
      pull();
      if (buffer.gain < 1 || block * BLOCK < 0.1 * deviceRate) continue;
      const step = buffer.step * (1 + buffer.steering.ppm * 1e-6);
      for (const sample of left) {
        error += (sample * SCALE - 16000 * Math.sin((2 * Math.PI * hz * frame) / streamRate)) ** 2;
        count += 1;
        frame += step;
      }
    }
    expect(count > 0, "nothing was compared");
    within(10 * Math.log10(error / count / (16000 ** 2 / 2)), -200, -75, `${streamRate} to ${deviceRate}, ${hz} Hz, dB`);
  }
}

/** A chunk that doesn't continue the last one is joined with a crossfade, and later positions are its own. */
export function aGapIsJoined() {
  const { buffer, pull } = bench();
  for (let seq = 0; seq < 5; seq += 1) buffer.push(sineChunk(seq, 220), seq * CHUNK, NaN, false);
  for (let block = 0; block < 20; block += 1) pull();
  buffer.push(sineChunk(9, 220), 9 * CHUNK, NaN, false);
  equal(buffer.joins, 2, "joins");
  const last = buffer.ring.locate(buffer.ring.written - 1);
  equal(last, 10 * CHUNK - 1, "stream frame written last");
}

/** Chunks beyond what the ring can hold are dropped, and nothing that is waiting is overwritten. */
export function theRingNeverOverruns() {
  const stage = bench();
  for (let seq = 0; seq < 200; seq += 1) stage.buffer.push(canaryChunk(seq), seq * CHUNK, NaN, false);
  within(stage.buffer.fillFrames, 0, stage.buffer.ring.capacity, "fill");
  const seen = new Set();
  for (let block = 0; block < 60; block += 1) {
    stage.pull();
    for (const value of canariesIn(stage)) seen.add(value);
  }
  expect(seen.size > 0 && Math.max(...seen) < 60, `heard ${[...seen]}`);
}

/** A buffer that was told of the end runs dry without a fault, and plays again after `clear`. */
export function anEndIsNoUnderrun() {
  const stage = bench();
  const give = (from) => {
    for (let seq = from; seq < from + 5; seq += 1) stage.buffer.push(canaryChunk(seq), seq * CHUNK, NaN, false);
  };
  give(0);
  stage.pull();
  stage.buffer.end();
  for (let block = 0; block < 400; block += 1) stage.pull();
  equal([stage.buffer.underruns, stage.buffer.playing, stage.buffer.target.ms], [0, false, 350], "after the end");
  stage.buffer.clear();
  give(50);
  stage.pull();
  equal(stage.buffer.playing, true, "playing");
  for (let block = 0; block < 400; block += 1) stage.pull();
  equal(stage.buffer.underruns, 1, "underruns once it was to play on");
}

/** What was held before `clear` is never heard after it. */
export function clearForgets() {
  const stage = bench();
  for (let seq = 0; seq < 5; seq += 1) stage.buffer.push(canaryChunk(seq), seq * CHUNK, NaN, false);
  stage.pull();
  stage.buffer.clear();
  stage.pull();
  equal(Math.max(...stage.left.map(Math.abs)), 0, "level after clear");
  for (let seq = 60; seq < 65; seq += 1) stage.buffer.push(canaryChunk(seq), seq * CHUNK, NaN, false);
  for (let block = 0; block < 60; block += 1) {
    stage.pull();
    for (const value of canariesIn(stage)) expect(value >= 60, `heard ${value}`);
  }
}

/** A sound card that is 2000 ppm off, far beyond the steering, costs a crossfade now and then, no underrun. */
export function aHopelessClockIsHeld() {
  for (const ppm of [-2000, 2000]) {
    const stage = bench();
    const late = (seq) => seq * 100 * ppm * 1e-6;
    play({ ...stage, seconds: 80, late, make: canaryChunk, each: () => {} });
    equal(stage.buffer.underruns, 0, "underruns");
    within(stage.buffer.seeks, 1, 4, "crossfades");
  }
}
