/**
 * The WebSocket's messages, parsed and validated: binary frames of audio, and text messages in JSON.
 */

export const SUBPROTOCOL = "auralis.v1";
export const HEADER_BYTES = 24;
const VERSION = 1;
const CODEC_PCM = 0;
const FLAG_DISCONTINUITY = 1;
const BYTES_PER_SAMPLE = 2;

/** A frame or message that violates the protocol; the error's message quotes what was found. */
export class WireError extends Error {
  constructor(message) {
    super(message);
    this.name = "WireError";
  }
}

function expect(holds, message) {
  if (!holds) throw new WireError(message);
}

/**
 * Read the header of a binary frame of audio.
 * @param {ArrayBuffer} data
 * @param {{channels: number, framesPerChunk: number}} format as announced by `hello`
 * @returns {{seq: number, dueUs: number, revision: number, discontinuity: boolean}} the due time is in
 *   microseconds on the server's clock; the samples begin at HEADER_BYTES
 * @throws {WireError}
 */
export function parseFrame(data, format) {
  expect(data.byteLength >= HEADER_BYTES, `frame of ${data.byteLength} bytes, expected ${HEADER_BYTES} or more`);
  const view = new DataView(data);
  const version = view.getUint8(0);
  const codec = view.getUint8(1);
  expect(version === VERSION, `frame of version ${version}, expected ${VERSION}`);
  expect(codec === CODEC_PCM, `frame of codec ${codec}, expected ${CODEC_PCM} (PCM)`);
  const payload = data.byteLength - HEADER_BYTES;
  const expected = format.framesPerChunk * format.channels * BYTES_PER_SAMPLE;
  expect(payload === expected, `${payload} bytes of samples, expected ${expected}`);
  return {
    seq: Number(view.getBigUint64(8, true)),
    dueUs: Number(view.getBigInt64(16, true)),
    revision: view.getUint32(4, true),
    discontinuity: (view.getUint16(2, true) & FLAG_DISCONTINUITY) !== 0,
  };
}

const REQUIRED = {
  hello: {
    channel: "string",
    epoch_us: "number",
    sample_rate: "number",
    channels: "number",
    frames_per_chunk: "number",
    controls: "object",
    revision: "number",
    live_seq: "number",
  },
  state: { controls: "object", revision: "number" },
  score: { events: "object", from_frame: "number", until_frame: "number" },
  control_ack: { revision: "number" },
  pong: { t: "number", server_us: "number" },
  auth: { ok: "boolean" },
  error: { title: "string" },
};

/**
 * Read a text message.
 * @returns {object|null} the message, or null for a type that this player doesn't know (servers may add some)
 * @throws {WireError}
 */
export function parseMessage(text) {
  const message = parseObject(text);
  const required = REQUIRED[message.type];
  if (required === undefined) return null;
  for (const [field, type] of Object.entries(required)) {
    const value = message[field];
    expect(value !== null && typeof value === type, `${message.type}.${field} is ${JSON.stringify(value)}`);
  }
  if (message.type === "hello") checkFormat(message);
  return message;
}

function parseObject(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    throw new WireError(`no JSON: ${text.slice(0, 60)}`);
  }
  expect(message !== null && typeof message === "object", `a message is an object, found ${text.slice(0, 60)}`);
  return message;
}

function checkFormat({ sample_rate: rate, channels, frames_per_chunk: frames }) {
  expect(rate >= 8000 && rate <= 192000, `sample rate ${rate}, expected 8000 to 192000`);
  expect(channels === 2, `${channels} audio channels, expected 2`);
  expect(Number.isInteger(frames) && frames > 0 && frames <= rate, `${frames} frames per chunk`);
}

/** The stream's format, from `hello`. Rates in Hz. */
export function formatOf(hello) {
  return {
    rate: hello.sample_rate,
    channels: hello.channels,
    framesPerChunk: hello.frames_per_chunk,
    chunkUs: (hello.frames_per_chunk * 1e6) / hello.sample_rate,
  };
}
