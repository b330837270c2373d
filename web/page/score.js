/**
 * The score as far as it has been announced: which notes, chord and section belong to a frame of the stream.
 */

const KEPT_S = 40;

/** Collects `score` messages. Frames count from the channel's epoch. */
export class Score {
  /** @param {number} rate frames a second */
  constructor(rate) {
    this.rate = rate;
    this.clear();
  }

  /** Forget everything: the stream has begun again. */
  clear() {
    this.notes = [];
    this.chords = [];
    this.sections = [];
    this.rejoined = false;
  }

  /** The connection is new: the next message replaces everything announced from its first frame on. */
  rejoin() {
    this.rejoined = true;
  }

  /** Take in a message: everything announced from its `revise_from` on is withdrawn. */
  add({ revise_from: revised, from_frame: first, events }) {
    const from = this.rejoined ? first : revised;
    if (Number.isFinite(from)) this.#revise(from);
    this.rejoined = false;
    this.#extend("notes", "note", events);
    this.#extend("chords", "chord", events);
    this.#extend("sections", "section", events);
  }

  #revise(from) {
    const stays = ({ at_frame: at }) => at < from;
    this.notes = this.notes.filter(stays);
    this.chords = this.chords.filter(stays);
    this.sections = this.sections.filter(stays);
  }

  #extend(list, type, events) {
    const added = events.filter((event) => event.type === type && Number.isFinite(event.at_frame));
    const known = new Set(this[list].map(identity));
    this[list] = [...this[list], ...added.filter((event) => !known.has(identity(event)))].sort(byFrame);
  }

  /** The chord that sounds at `frame`, or null. */
  chordAt(frame) {
    return this.chords.findLast(({ at_frame: at }) => at <= frame) ?? null;
  }

  /** The section's name at `frame`, or null. */
  sectionAt(frame) {
    return this.sections.findLast(({ at_frame: at }) => at <= frame)?.name ?? null;
  }

  /** Drop what ended long before `frame`, except the chord and the section in force. */
  forgetBefore(frame) {
    const edge = frame - KEPT_S * this.rate;
    this.notes = this.notes.filter(({ at_frame: at, duration_frames: frames }) => at + frames > edge);
    this.chords = inForceFrom(this.chords, edge);
    this.sections = inForceFrom(this.sections, edge);
  }
}

const byFrame = (a, b) => a.at_frame - b.at_frame;

// A server repeats what it announced when a listener reconnects; chords and sections have no id.
const identity = ({ id, at_frame: at }) => `${id ?? ""}@${at}`;

function inForceFrom(events, edge) {
  const first = events.findLastIndex(({ at_frame: at }) => at <= edge);
  return first > 0 ? events.slice(first) : events;
}
