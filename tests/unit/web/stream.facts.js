/** Facts about a stream: what reaches the sound, what is kept for a start, where a lost connection resumes. */

import { Backoff } from "/net/backoff.js";
import { localMs } from "/net/local-time.js";
import { Stream } from "/net/stream.js";
import { equal, expect, within } from "./expect.js";
import { HELLO, PuppetSocket, frame } from "./puppets.js";

const GREETING = { ...HELLO, sample_rate: 44100, frames_per_chunk: 4410 };

/** A stream with a puppet as its socket; `sink` collects what the sound gets, `news` what the page is told. */
function bench() {
  PuppetSocket.all = [];
  const news = [];
  const backoff = new Backoff(() => 0);
  const stream = new Stream("http://x/a/", "bell tower", (one) => news.push(one), { backoff, WebSocket: PuppetSocket });
  stream.open();
  const sink = { got: [], postMessage: (message) => sink.got.push(message) };
  const run = { stream, news, sink, get socket() { return PuppetSocket.all.at(-1); } };
  run.greet = () => {
    run.socket.onopen();
    run.socket.onmessage({ data: JSON.stringify(GREETING) });
  };
  run.chunk = (seq, values = {}) => run.socket.onmessage({ data: frame({ seq, dueUs: seq * 100_000, ...values }) });
  run.play = (rate = 44100) => {
    stream.attach(sink, rate);
    stream.resume();
  };
  run.frames = () => sink.got.filter(({ type }) => type === "chunk").map((chunk) => chunk.frame / 4410);
  return run;
}

const range = (from, until) => Array.from({ length: until - from }, (_, i) => from + i);

export function theAddressNamesChannelAndCodec() {
  const { socket, stream } = bench();
  equal(String(socket.url), "ws://x/a/ws/bell%20tower?codec=pcm");
  stream.close();
}

export function aStartHasTheNewestChunksAndThenTheOthers() {
  const run = bench();
  run.greet();
  for (const seq of range(0, 12)) run.chunk(seq);
  equal(run.sink.got, [], "before the sound is there");
  run.play();
  equal(run.sink.got[0], { type: "clear" });
  equal(run.frames(), range(4, 12), "kept");
  run.chunk(12);
  equal(run.frames().at(-1), 12, "next");
  run.stream.close();
}

export function whatIsMissedIsCountedAndTheSoundToldToJoin() {
  const run = bench();
  run.greet();
  run.play();
  for (const seq of [5, 6, 6, 9]) run.chunk(seq);
  equal(run.sink.got.slice(1).map(({ frame: first, join }) => [first / 4410, join]), [[5, true], [6, false], [9, true]]);
  run.socket.onmessage({ data: new ArrayBuffer(3) });
  run.stream.report();
  const { lastSeq, missing, duplicates, badFrames } = run.news.at(-1).figures;
  equal([lastSeq, missing, duplicates, badFrames], [9, 2, 1, 1], "figures");
  run.stream.close();
}

export function aPauseIsToldToTheSoundAndKeepsTheNewestForTheNextStart() {
  const run = bench();
  run.greet();
  run.play();
  run.chunk(1);
  run.stream.pause();
  equal(run.sink.got.at(-1), { type: "end" });
  for (const seq of range(2, 5)) run.chunk(seq);
  equal(run.frames(), [1], "while it pauses");
  run.stream.resume();
  equal(run.frames(), [1, 2, 3, 4], "at the next start");
  run.stream.close();
}

export function aSoundOfAnotherRateGetsNothing() {
  const run = bench();
  run.play(48000);
  run.greet();
  for (const seq of range(0, 3)) run.chunk(seq);
  equal(run.frames(), [], "at the wrong rate");
  run.play();
  equal(run.frames(), range(0, 3), "at the right one");
  run.stream.close();
}

export function anotherFormatForgetsWhatWasKept() {
  const run = bench();
  run.greet();
  run.chunk(7);
  run.socket.onmessage({ data: JSON.stringify(HELLO) });
  equal([run.stream.backlog, run.stream.order.lastSeq], [[], null]);
  run.stream.close();
}

export function onlyAStreamThatIsHeardIsResumed() {
  for (const [flows, since] of [[true, "9"], [false, null]]) {
    const run = bench();
    run.greet();
    run.stream.attach(run.sink, 44100);
    if (flows) run.stream.resume();
    run.chunk(9);
    run.socket.onclose({ code: 1006, reason: "" });
    run.stream.open();
    equal(run.socket.url.searchParams.get("since"), since, `flows: ${flows}`);
    run.stream.close();
  }
}

export function aPauseWithoutAConnectionLeavesNoGap() {
  const run = bench();
  run.greet();
  run.chunk(9);
  run.socket.onclose({ code: 1006, reason: "" });
  run.stream.open();
  run.greet();
  run.chunk(500);
  equal(run.stream.order.missing, 0);
  run.stream.close();
}

export function thePhaseIsTheLatenessByTheServersClock() {
  const run = bench();
  run.greet();
  run.play();
  run.chunk(1);
  expect(Number.isNaN(run.sink.got.at(-1).phaseMs), "unknown without a clock");
  const nowMs = localMs();
  run.stream.clock.observe(nowMs, nowMs * 1000, nowMs);
  run.chunk(2, { dueUs: Math.round((localMs() - 70) * 1000) });
  within(run.sink.got.at(-1).phaseMs, 65, 90, "phase in ms");
  run.stream.close();
}

export function pingsAreQuickAtFirst() {
  const run = bench();
  run.greet();
  for (let ms = 0; ms < 5000; ms += 100) run.stream.tick(ms + 1);
  const sent = run.socket.sent.map(({ type, t }) => (type === "ping" ? t : NaN));
  equal(sent, [1, 201, 401, 601, 801, 2801, 4801]);
  run.stream.close();
}

export function aPongStaysHereAndTheRestIsTold() {
  const run = bench();
  run.greet();
  run.socket.onmessage({ data: '{"type": "pong", "t": 1, "server_us": 5000}' });
  run.socket.onmessage({ data: '{"type": "state", "controls": {"bpm": 60}, "revision": 2}' });
  equal(run.news.map(({ type, state, message }) => state?.name ?? message?.type ?? type),
    ["figures", "connecting", "figures", "open", "hello", "state"]);
  expect(run.stream.clock.roundTripMs > 0, "the clock has learned");
  run.stream.close();
}

/** A server that is going away is asked again at once (the random share of the delay is 0 here). */
export async function aLinksFiguresComeWithItsState() {
  const run = bench();
  run.greet();
  run.socket.onclose({ code: 1001, reason: "" });
  await new Promise((resolve) => { setTimeout(resolve, 50); });
  run.greet();
  const link = run.news.findLastIndex(({ state }) => state?.name === "open");
  equal(run.news[link - 1].figures.reconnects, 1, "reconnects");
  run.stream.close();
}

export function aMachineThatSleptConnectsAgainOnce() {
  const run = bench();
  run.greet();
  run.stream.tick(localMs() + 50_000);
  equal(run.stream.connection.state.name, "waiting");
  run.stream.open();
  equal(PuppetSocket.all.length, 2, "connections");
  run.greet();
  run.stream.tick(localMs());
  equal(run.stream.connection.state.name, "open");
  run.stream.close();
}
