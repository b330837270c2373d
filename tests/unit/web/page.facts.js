/** Facts about what the page shows: the score by frames, names, the state in words, and how often it draws. */

import { chordName, seconds, title } from "/page/names.js";
import { Pace } from "/page/pace.js";
import { Score } from "/page/score.js";
import { describe } from "/page/words.js";
import { equal, expect, within } from "./expect.js";

const note = (id, at) => ({ type: "note", id, at_frame: at, duration_frames: 100, pitch: 60, velocity: 1, layer: "pad" });
const chord = (at, root) => ({ type: "chord", at_frame: at, duration_frames: 100, root, quality: "m7", pitches: [] });
const section = (at, name) => ({ type: "section", at_frame: at, name });
const message = (from, events, revised = null) => ({
  type: "score", revise_from: revised, from_frame: from, until_frame: from + 1000, events,
});

export function theScoreKnowsChordAndSection() {
  const score = new Score(100);
  score.add(message(0, [section(0, "dawn"), chord(0, 9), chord(200, 5)]));
  equal([score.chordAt(199).root, score.chordAt(200).root, score.chordAt(-1)], [9, 5, null], "chords");
  equal(score.sectionAt(500), "dawn");
}

export function aRevisionTakesBackWhatHadNotBegun() {
  const score = new Score(100);
  score.add(message(0, [note(1, 0), note(2, 300), chord(0, 9), chord(300, 5)]));
  score.add(message(250, [note(3, 310), chord(310, 2)], 250));
  equal(score.notes.map(({ id }) => id), [1, 3], "notes");
  equal(score.chordAt(305).root, 9, "chord");
}

export function whatIsAnnouncedTwiceIsThereOnce() {
  const score = new Score(100);
  score.add(message(0, [note(1, 0), chord(0, 9)]));
  score.add(message(0, [note(1, 0), chord(0, 9), note(2, 10)]));
  equal([score.notes.length, score.chords.length], [2, 1]);
}

export function anewConnectionReplacesWhatWasAnnounced() {
  const score = new Score(100);
  score.add(message(0, [note(1, 0), note(2, 300)]));
  score.rejoin();
  score.add(message(200, [note(3, 310)]));
  score.add(message(1200, [note(4, 1300)]));
  equal(score.notes.map(({ id }) => id), [1, 3, 4]);
}

export function theOldIsForgottenButNotWhatIsInForce() {
  const score = new Score(100);
  score.add(message(0, [section(0, "dawn"), chord(0, 9), chord(100, 5), note(1, 0), note(2, 9000)]));
  score.forgetBefore(9050);
  equal([score.notes.length, score.chords.length, score.sectionAt(9050)], [1, 1, "dawn"]);
}

export function chordsAreSpelledByTheirKey() {
  equal(chordName({ root: 10, quality: "maj7" }, "F major"), { root: "B♭", quality: "maj7" });
  equal(chordName({ root: 10, quality: "m7" }, "E major"), { root: "A♯", quality: "m7" });
  equal(chordName({ root: 0, quality: "lydian" }), { root: "C", quality: "maj7♯11" });
  equal(chordName({ root: 2, quality: "6/9" }), { root: "D", quality: "6/9" });
}

export function numbersAndTitlesAreReadable() {
  equal([seconds(640), seconds(-3), seconds(1234, 2), title("slow_dawn")], ["0.6 s", "0.0 s", "1.23 s", "Slow dawn"]);
}

const FACTS = {
  supported: true, failed: null, wanted: true, context: "running", playing: true, heardBefore: true,
  channel: "main", link: { name: "open" },
};
const name = (facts) => describe({ ...FACTS, ...facts }).name;

export function everyStateHasItsWords() {
  equal(name({}), "playing");
  equal(name({ wanted: false, playing: false }), "paused");
  equal(name({ wanted: false, playing: false, heardBefore: false }), "ready");
  equal(name({ playing: false, heardBefore: false }), "buffering");
  equal(name({ playing: false }), "stalled");
  equal(name({ playing: false, context: "suspended" }), "suspended");
  equal(name({ playing: false, link: { name: "connecting" } }), "connecting");
  equal(name({ link: { name: "connecting" } }), "reconnecting");
  equal(name({ link: { name: "waiting", code: 1006 } }), "reconnecting");
  equal(name({ link: { name: "refused", code: 4404 } }), "no-channel");
  equal(name({ link: { name: "refused", code: 1008 } }), "refused");
  equal(name({ supported: false }), "unsupported");
  equal(name({ failed: "no device" }), "failed");
}

export function aLostConnectionSaysThatItPlaysOn() {
  const lost = describe({ ...FACTS, link: { name: "waiting", code: 1006 } });
  expect(lost.text.includes("Playing what is held") && lost.retry, lost.text);
  const busy = describe({ ...FACTS, playing: false, link: { name: "waiting", code: 1013 } });
  expect(busy.text.includes("full") && !busy.text.includes("held"), busy.text);
  const gone = describe({ ...FACTS, channel: "attic", link: { name: "refused", code: 4404 } });
  expect(gone.text.includes("attic") && !gone.retry, gone.text);
}

/** How many pictures are drawn in each of `seconds`, if one is offered every `offerMs` and takes `busyMs`. */
function drawn(pace, seconds, offerMs, busyMs = 0, leastMs = 0, fromMs = 0) {
  const counts = Array(seconds).fill(0);
  for (let nowMs = fromMs; nowMs < fromMs + seconds * 1000; ) {
    const draws = pace.due(nowMs, leastMs);
    if (draws) counts[Math.floor((nowMs - fromMs) / 1000)] += 1;
    nowMs += draws ? Math.max(offerMs, busyMs) : offerMs;
  }
  return counts;
}

export function thirtyPicturesASecondAreEnough() {
  for (const offerMs of [1000 / 60, 1000 / 120, 1000 / 144, 1000 / 50]) {
    for (const count of drawn(new Pace(), 3, offerMs)) within(count, 25, 36, `of ${1000 / offerMs} offered`);
  }
}

export function aBusyMachineDrawsLessAndRecovers() {
  const pace = new Pace();
  const busy = drawn(pace, 6, 1000 / 60, 120);
  expect(busy.at(-1) <= 5, `drawn while busy: ${busy}`);
  const idle = drawn(pace, 20, 1000 / 60, 0, 0, 6000);
  expect(idle.at(-1) >= 25, `drawn once idle: ${idle}`);
}

export function whatHardlyMovesIsDrawnTenTimesASecond() {
  for (const count of drawn(new Pace(), 3, 1000 / 60, 0, 100)) within(count, 9, 11);
}
