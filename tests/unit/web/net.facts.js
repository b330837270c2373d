/** Facts about the network: frames, messages, order, clocks, delays, and how the connection behaves. */

import { Backoff } from "/net/backoff.js";
import { Connection } from "/net/connection.js";
import { ControlChanges } from "/net/control-changes.js";
import { localMs } from "/net/local-time.js";
import { ServerClock } from "/net/server-clock.js";
import { StreamOrder } from "/net/stream-order.js";
import { WireError, formatOf, parseFrame, parseMessage } from "/net/wire.js";
import { equal, expect, seeded, thrown, within } from "./expect.js";
import { HELLO, PuppetSocket, frame } from "./puppets.js";

const FORMAT = { rate: 44100, channels: 2, framesPerChunk: 4410, chunkUs: 100_000 };

export function aHeaderIsReadLittleEndian() {
  const header = parseFrame(frame({ flags: 1, revision: 7, seq: 2 ** 40 + 3, dueUs: 1_790_000_000_123_456 }), FORMAT);
  equal(header, { seq: 2 ** 40 + 3, dueUs: 1_790_000_000_123_456, revision: 7, discontinuity: true });
}

export function otherFlagBitsAreNoDiscontinuity() {
  equal(parseFrame(frame({ flags: 2 }), FORMAT).discontinuity, false);
}

export function badFramesSayWhatWasFound() {
  const message = (data) => thrown(() => parseFrame(data, FORMAT), WireError);
  expect(message(new ArrayBuffer(23)).includes("23 bytes"), "too short");
  expect(message(frame({ version: 2 })).includes("version 2"), "version");
  expect(message(frame({ codec: 1 })).includes("codec 1"), "codec");
  expect(message(frame({ bytes: 17638 })).includes("17638 bytes"), "payload");
}

export function messagesAreChecked() {
  equal(parseMessage(JSON.stringify(HELLO)), HELLO);
  equal(formatOf(HELLO), { rate: 48000, channels: 2, framesPerChunk: 4800, chunkUs: 100_000 });
  equal(parseMessage('{"type": "weather"}'), null, "a type from the future");
  for (const bad of ["", "[", "3", "null", '{"type": "pong", "t": "1"}', '{"type": "state", "controls": null}',
    JSON.stringify({ ...HELLO, channels: 1 }), JSON.stringify({ ...HELLO, sample_rate: 10 })]) {
    thrown(() => parseMessage(bad), WireError);
  }
}

const header = (seq, discontinuity = false, epochUs = 0) => ({ seq, dueUs: epochUs + seq * 100_000, discontinuity });

export function theOrderDropsDuplicatesAndCountsGaps() {
  const order = new StreamOrder(100_000);
  equal(order.accept(header(5)), { play: true, join: true }, "first");
  equal(order.accept(header(6)), { play: true, join: false }, "next");
  equal(order.accept(header(6)), { play: false, join: false }, "again");
  equal(order.accept(header(4)), { play: false, join: false }, "late");
  equal(order.accept(header(9)), { play: true, join: true }, "after a gap");
  equal(order.accept(header(10, true)), { play: true, join: true }, "flagged");
  equal([order.missing, order.duplicates, order.lastSeq], [2, 2, 10], "counts");
}

export function aNewEpochIsANewCount() {
  const order = new StreamOrder(100_000);
  order.accept(header(1000));
  equal(order.accept(header(3, false, 90_000_000)), { play: true, join: true }, "in a new epoch");
  equal([order.missing, order.epochUs, order.lastSeq], [0, 90_000_000, 3], "counts");
}

export function theClockTrustsTheQuickestPing() {
  const clock = new ServerClock();
  expect(Number.isNaN(clock.at(0)), "unknown at first");
  clock.observe(100, 5_000_000 + 110_000, 120);
  clock.observe(200, 5_000_000 + 290_000, 300);
  equal([clock.offsetUs, clock.roundTripMs, clock.at(400)], [5_000_000, 20, 5_400_000]);
}

export function theClockForgetsOldPings() {
  const clock = new ServerClock();
  clock.observe(0, 0, 1);
  for (let i = 0; i < 20; i += 1) clock.observe(1000, 7_000_000 + 1_001_000, 1002);
  equal(clock.offsetUs, 7_000_000);
}

export function delaysGrowWithinTheirBounds() {
  const random = seeded(3);
  for (let run = 0; run < 50; run += 1) {
    const backoff = new Backoff(random);
    for (let attempt = 1; attempt < 12; attempt += 1) {
      within(backoff.next(), 0.5, Math.min(15, 0.5 * 2 ** attempt), `attempt ${attempt}`);
    }
  }
}

export function delaysHaveFullJitter() {
  const random = seeded(4);
  const tenth = Array.from({ length: 300 }, () => {
    const backoff = new Backoff(random);
    for (let attempt = 0; attempt < 9; attempt += 1) backoff.next();
    return backoff.next();
  });
  expect(Math.min(...tenth) < 1.5 && Math.max(...tenth) > 14, `${Math.min(...tenth)} to ${Math.max(...tenth)}`);
}

export function aBusyServerIsLeftAloneForFiveSeconds() {
  const backoff = new Backoff(() => 0);
  equal(backoff.next(true), 5);
}

export function aLeavingServerIsAskedAgainAtOnceButOnlyOnce() {
  const backoff = new Backoff(() => 0.5);
  within(backoff.prompt(), 0, 0.2, "first");
  within(backoff.prompt(), 0.5, 15, "second");
}

function puppetConnection() {
  PuppetSocket.all = [];
  const listener = { states: [], since: () => 41, receive: () => {}, changed: (state) => listener.states.push(state) };
  const backoff = new Backoff(() => 0);
  const connection = new Connection((since) => `ws://x/?since=${since}`, listener, { backoff, WebSocket: PuppetSocket });
  connection.open();
  return { connection, listener, socket: PuppetSocket.all[0] };
}

export function aConnectionSpeaksTheSubprotocolAndResumes() {
  const { connection, socket, listener } = puppetConnection();
  equal([socket.protocol, socket.url, socket.binaryType], ["auralis.v1", "ws://x/?since=41", "arraybuffer"]);
  equal(connection.send({ type: "ping" }), false, "sent before open");
  socket.onopen();
  equal(connection.send({ type: "ping" }), true, "sent when open");
  socket.readyState = 2;
  equal(connection.send({ type: "ping" }), false, "sent while closing");
  equal(listener.states.map(({ name }) => name), ["connecting", "open"]);
  connection.close();
}

export function aMissingChannelIsNotAskedForAgain() {
  for (const code of [4404, 1008]) {
    const { connection, socket } = puppetConnection();
    socket.onclose({ code, reason: "no" });
    equal(connection.state, { name: "refused", code, reason: "no" });
    equal(connection.timer, null, "timer");
  }
}

export function aLostConnectionWaitsAndThenReturns() {
  const { connection, socket } = puppetConnection();
  socket.onclose({ code: 1006, reason: "" });
  equal(connection.state.name, "waiting");
  within(connection.state.retryAtMs - localMs(), 400, 500, "retry in ms");
  connection.open();
  equal([PuppetSocket.all.length, connection.state.name], [2, "connecting"], "hurried");
  connection.close();
}

export function aSilentConnectionIsGivenUp() {
  const { connection, socket } = puppetConnection();
  socket.onopen();
  connection.watch(localMs() + 5000);
  equal(connection.state.name, "open", "after five seconds");
  connection.watch(localMs() + 7000);
  equal([connection.state.name, socket.closed], ["waiting", true], "after seven");
  connection.close();
}

/** Changes on an injected clock: `run(ms)` lets time pass. */
function changesBench({ online = true } = {}) {
  const bench = { nowMs: 0, sent: [], online, timers: [] };
  bench.changes = new ControlChanges({
    now: () => bench.nowMs,
    later: (action, ms) => bench.timers.push({ action, atMs: bench.nowMs + ms }),
    send: (message) => bench.online && bench.sent.push({ ...structuredClone(message), atMs: bench.nowMs }) > 0,
  });
  bench.run = (ms) => {
    for (const end = bench.nowMs + ms; bench.nowMs < end; bench.nowMs += 1) {
      const due = bench.timers.filter(({ atMs }) => atMs <= bench.nowMs);
      bench.timers = bench.timers.filter(({ atMs }) => atMs > bench.nowMs);
      for (const { action } of due) action();
    }
  };
  return bench;
}

export function aDragSendsTenMessagesASecondAndTheLastValue() {
  const bench = changesBench();
  for (let i = 1; i <= 100; i += 1) {
    bench.changes.change("intensity", i / 100);
    bench.run(10);
  }
  bench.run(200);
  within(bench.sent.length, 9, 12, "messages");
  equal(bench.sent.at(-1).set, { intensity: 1 }, "last");
  const gaps = bench.sent.slice(1).map(({ atMs }, i) => atMs - bench.sent[i].atMs);
  expect(Math.min(...gaps) >= 100, `gaps ${gaps}`);
}

export function theFirstChangeLeavesAtOnceAndIsSettledById() {
  const bench = changesBench();
  bench.changes.change("key", "C major");
  bench.run(2);
  equal(bench.sent[0].set, { key: "C major" });
  expect(bench.changes.pending("key") && !bench.changes.pending("bpm"), "pending");
  equal(bench.changes.settle(bench.sent[0].id).set, { key: "C major" }, "settled");
  equal([bench.changes.settle("99"), bench.changes.pending("key")], [null, false]);
}

export function changesOutliveALostConnection() {
  const bench = changesBench();
  bench.changes.change("bpm", 70);
  bench.run(2);
  bench.online = false;
  bench.changes.disconnected();
  bench.changes.change("key", "A minor");
  bench.run(200);
  equal(bench.sent.length, 1, "sent while offline");
  bench.online = true;
  bench.changes.flush();
  equal(bench.sent.at(-1).set, { bpm: 70, key: "A minor" }, "sent again");
}
