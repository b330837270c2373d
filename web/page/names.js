/** Names of chords, sections and numbers as people read them. */

const SHARP = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const FLAT = ["C", "D♭", "D", "E♭", "E", "F", "G♭", "G", "A♭", "A", "B♭", "B"];
const FLAT_KEYS = new Set([
  "F major", "Bb major", "Eb major", "Ab major", "Db major",
  "D minor", "G minor", "C minor", "F minor", "Bb minor", "Eb minor",
]);
/** Qualities whose usual name differs from the score's. */
const QUALITIES = { major: "", minor: "m", madd9: "m add9", lydian: "maj7♯11", quartal: " in fourths" };

/** A pitch class (0–11) by name, with the accidentals of `key`. */
export function pitchName(pitchClass, key = "") {
  return (FLAT_KEYS.has(key) ? FLAT : SHARP)[((pitchClass % 12) + 12) % 12];
}

/** A chord's name in its parts: `{root: "A", quality: "m7"}`. Most qualities are shown as the score names them. */
export function chordName({ root, quality }, key = "") {
  const name = typeof root === "number" ? pitchName(root, key) : String(root);
  return { root: name, quality: QUALITIES[quality] ?? quality };
}

/** A section's or control's identifier as a title: `slow_dawn` → `Slow dawn`. */
export function title(identifier) {
  const words = String(identifier).replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Milliseconds as seconds: `640` → `0.6 s`. */
export function seconds(ms, digits = 1) {
  return `${(Math.max(0, ms) / 1000).toFixed(digits)} s`;
}
