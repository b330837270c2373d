/**
 * The order of the chunks: which is next, which is a duplicate, which are missing.
 *
 * A stream whose epoch changed (the server lost its data) begins a new count.
 */

const EPOCH_TOLERANCE_US = 1000;

/** Follows the sequence numbers of one stream of chunks, each `chunkUs` long. */
export class StreamOrder {
  constructor(chunkUs) {
    this.chunkUs = chunkUs;
    this.lastSeq = null;
    this.epochUs = NaN;
    this.missing = 0;
    this.duplicates = 0;
  }

  /**
   * Take in a frame's header.
   * @returns {{play: boolean, join: boolean}} whether to play it, and whether it doesn't continue the one before
   */
  accept({ seq, dueUs, discontinuity }) {
    const epochUs = dueUs - seq * this.chunkUs;
    const moved = Math.abs(epochUs - this.epochUs) > EPOCH_TOLERANCE_US;
    if (this.lastSeq === null || moved) return this.#begin(seq, epochUs);
    if (seq <= this.lastSeq) {
      this.duplicates += 1;
      return { play: false, join: false };
    }
    const gap = seq - this.lastSeq - 1;
    this.missing += gap;
    this.lastSeq = seq;
    return { play: true, join: gap > 0 || discontinuity };
  }

  #begin(seq, epochUs) {
    this.lastSeq = seq;
    this.epochUs = epochUs;
    return { play: true, join: true };
  }

  /** Treat the next chunk as a new beginning, so that nothing counts as missing in between. */
  restart() {
    this.lastSeq = null;
  }
}
