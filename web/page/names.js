/** Names of chords, sections and numbers as people read them. */

const SHARP = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const FLAT = ["C", "D♭", "D", "E♭", "E", "F", "G♭", "G", "A♭", "A", "B♭", "B"];
const FLAT_KEYS = new Set([
  "F major", "Bb major", "Eb major", "Ab major", "Db major",
  "D minor", "G minor", "C minor", "F minor", "Bb minor", "Eb minor",
]);
const QUALITIES = {
  maj: "", major: "", M: "", min: "m", minor: "m", m: "m", dim: "°", aug: "+",
  m7: "m7", min7: "m7", minor7: "m7", maj7: "maj7", major7: "maj7", 7: "7", dom7: "7",
  m9: "m9", min9: "m9", maj9: "maj9", add9: "add9", madd9: "m add9", min_add9: "m add9", m_add9: "m add9",
  m11: "m11", 6: "6", maj6: "6", m6: "m6", min6: "m6", 69: "6/9", sus2: "sus2", sus4: "sus4",
};

/** A pitch class (0–11) by name, with the accidentals of `key`. */
export function pitchName(pitchClass, key = "") {
  return (FLAT_KEYS.has(key) ? FLAT : SHARP)[((pitchClass % 12) + 12) % 12];
}

/** A chord's name in its parts: `{root: "A", quality: "m7"}`. An unknown quality is shown as it came. */
export function chordName({ root, quality }, key = "") {
  const name = typeof root === "number" ? pitchName(root, key) : String(root);
  return { root: name, quality: QUALITIES[quality] ?? String(quality ?? "").replaceAll("_", " ") };
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
