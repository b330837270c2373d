/** The page: connects the player to what the user sees and touches. */

import { localMs } from "./net/local-time.js";
import { Desk } from "./page/desk.js";
import { paintRange } from "./page/field.js";
import { Health } from "./page/health.js";
import { chordName, seconds, title } from "./page/names.js";
import { Pace } from "./page/pace.js";
import { Sky } from "./page/sky.js";
import { remembered, takeToken } from "./page/memory.js";
import { Player } from "./player.js";

const REFRESH_MS = 100;
/** The interval between drawings under reduced motion, where nothing drifts. */
const STILL_MS = 100;
const NOTICE_MS = 8000;
const AFTERGLOW_MS = 4000;
const DEFAULT_CHANNEL = "main";
/** States in which there is nothing to pause, and the button tries again instead. */
const STUCK = new Set(["suspended", "refused", "no-channel", "failed"]);

const byId = (id) => document.getElementById(id);
const base = new URL(".", document.baseURI);
const channel = new URLSearchParams(location.search).get("channel") || DEFAULT_CHANNEL;
const volumeMemory = remembered(() => localStorage, "auralis.volume");
const tokenMemory = remembered(() => sessionStorage, "auralis.token");

const player = new Player(channel, base);
const sky = new Sky(byId("sky"));
const health = new Health(byId("health-line"), byId("health-figures"));
const desk = new Desk(byId("controls"), {
  onUserChange: (name, value) => player.change(name, value),
  announce: (text) => say(text, "news"),
  isPending: (name) => player.changes.pending(name),
});

// Output

const expiries = new Map();

/** Show a text for a while: in `notice` to everyone, in `news` to screen readers only. */
function say(text, place = "notice") {
  byId(place).textContent = text;
  clearTimeout(expiries.get(place));
  expiries.set(place, setTimeout(() => (byId(place).textContent = ""), NOTICE_MS));
}

function showState({ name, text }) {
  if (player.stream.state.name !== "open") showAudience(null);
  byId("stage").dataset.state = name;
  if (byId("state").textContent !== text) byId("state").textContent = text;
  const pauses = player.wanted && !STUCK.has(name);
  byId("play").setAttribute("aria-label", pauses ? "Pause" : "Play");
  byId("play").classList.toggle("on", pauses);
}

function showAudience(listeners) {
  byId("audience").textContent = listeners > 0 ? `${listeners} listening` : "";
}

function setText(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

function showNow() {
  const frame = player.heardFrame;
  const { score } = player;
  const chord = Number.isFinite(frame) ? score.chordAt(frame) : null;
  const section = Number.isFinite(frame) ? score.sectionAt(frame) : null;
  setText("section", section === null ? "" : title(section));
  showChord(chord);
  byId("stage").classList.toggle("sounding", chord !== null);
  if (Number.isFinite(frame)) score.forgetBefore(frame);
}

let shownChord = "";

function showChord(chord) {
  if (chord === null) return;
  const { root, quality } = chordName(chord, desk.values.key);
  if (shownChord === root + quality) return;
  shownChord = root + quality;
  const suffix = Object.assign(document.createElement("span"), { className: "quality", textContent: quality });
  byId("chord").replaceChildren(root, suffix);
}

function showRetry() {
  const { retryAtMs } = player.stream.state;
  const waits = player.described.retry && retryAtMs !== undefined;
  setText("retry", waits ? `Trying again in ${seconds(retryAtMs - localMs(), 0)}.` : "");
}

// Input

function toggle() {
  if (!player.wanted) player.start();
  else if (STUCK.has(player.state)) player.retry();
  else player.stop();
}

function setVolume() {
  const input = byId("volume");
  player.sound.setVolume(input.value / 100);
  byId("volume-value").value = `${input.value} %`;
  input.setAttribute("aria-valuetext", `${input.value} percent`);
  paintRange(input);
  volumeMemory.keep(input.value);
}

function showAccess(access) {
  const form = byId("access");
  const closed = access === "locked" || access === "rejected";
  if (access === "rejected") {
    tokenMemory.drop();
    say("This token was not accepted.");
  }
  if (access === "unlocked") {
    tokenMemory.keep(player.token);
    if (!form.hidden) say("Unlocked: the controls are yours.");
  }
  form.hidden = !closed;
}

function offerToken(event) {
  event.preventDefault();
  player.authorise(byId("token").value);
  byId("token").value = "";
}

function declined({ change, text }) {
  desk.declined(change?.set ?? {});
  say(text);
}

// Automatic updates

async function loadControls() {
  const response = await fetch(new URL("api/v1/controls", base));
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const { controls } = await response.json();
  desk.build(controls);
}

/** Load the controls, with retries: a page that opens while the server starts gets them a little later. */
async function loadControlsPatiently(delayMs = 1000) {
  try {
    await loadControls();
  } catch {
    setTimeout(() => loadControlsPatiently(Math.min(15_000, 2 * delayMs)), delayMs);
  }
}

function refresh() {
  if (document.hidden) return;
  showNow();
  showRetry();
  desk.refresh(performance.now(), (frame) => player.heardAtMs(frame));
  health.show(player.stats(), player.stream.state.name);
}

const pace = new Pace();
let playedMs = -Infinity;
let spectrum = new Float32Array(0);

/** Draw the sky when the browser offers a frame, which it doesn't while the page is hidden. */
function drawSky(nowMs) {
  requestAnimationFrame(drawSky);
  if (player.sound.playing) playedMs = nowMs;
  if (nowMs - playedMs > AFTERGLOW_MS || !pace.due(nowMs, sky.still.matches ? STILL_MS : 0)) return;
  sky.draw(player.heardFrame, player.format?.rate, player.score?.notes ?? [], heardSpectrum());
}

function heardSpectrum() {
  const { analyser, context, playing } = player.sound;
  if (!playing) return null;
  if (spectrum.length !== analyser.frequencyBinCount) spectrum = new Float32Array(analyser.frequencyBinCount);
  sky.ridge.binHz = context.sampleRate / analyser.fftSize;
  analyser.getFloatFrequencyData(spectrum);
  return spectrum;
}

// Wiring

player.addEventListener("state", ({ detail }) => showState(detail));
player.addEventListener("controls", ({ detail }) => desk.show(detail));
player.addEventListener("audience", ({ detail }) => showAudience(detail));
player.addEventListener("ack", ({ detail }) => desk.accepted(detail));
player.addEventListener("declined", ({ detail }) => declined(detail));
player.addEventListener("access", ({ detail }) => showAccess(detail));
byId("play").addEventListener("click", toggle);
byId("volume").addEventListener("input", setVolume);
byId("controls").addEventListener("submit", (event) => event.preventDefault());
byId("access").addEventListener("submit", offerToken);
addEventListener("online", () => player.hurry());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  player.warm();
  player.hurry();
});
for (const hint of ["pointerenter", "focus"]) byId("play").addEventListener(hint, () => player.warm());

byId("channel").textContent = channel;
byId("midi").href = new URL(`api/v1/channels/${encodeURIComponent(channel)}/score.mid?minutes=5`, base);
byId("volume").value = volumeMemory.recall() ?? byId("volume").value;
player.token = takeToken(tokenMemory);
setVolume();
showState(player.described);
loadControlsPatiently();
if (!document.hidden) player.warm();
setInterval(refresh, REFRESH_MS);
requestAnimationFrame(drawSky);

/** A small stable API for tests and for the curious. */
globalThis.auralis = {
  get state() {
    return player.state;
  },
  get context() {
    return player.sound.context;
  },
  rms: () => player.sound.rms(),
  stats: () => player.stats(),
};
