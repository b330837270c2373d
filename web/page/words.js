/** The player's state in words: the situation, and what happens next. A pure function of the facts. */

import { CLOSE_GOING_AWAY, CLOSE_NO_CHANNEL, CLOSE_TRY_LATER } from "../net/connection.js";

/**
 * Describe the player.
 * @param {{supported: boolean, failed: string|null, wanted: boolean, context: string, playing: boolean,
 *   heardBefore: boolean, channel: string, link: {name: string, code?: number, reason?: string}}} facts
 * @returns {{name: string, text: string, retry: boolean}} a stable name for styles and tests, the sentence, and
 *   whether it should be followed by the time of the next attempt
 */
export function describe(facts) {
  const { name, text, retry = false } = blocked(facts) ?? linked(facts) ?? sounding(facts);
  return { name, text, retry };
}

function blocked({ supported, failed, link, channel }) {
  if (!supported) {
    return { name: "unsupported", text: "This browser plays live sound only over https or on localhost." };
  }
  if (failed !== null) return { name: "failed", text: `The sound could not be started: ${failed}` };
  if (link.name === "refused") return refused(link, channel);
  return null;
}

function refused({ code, reason }, channel) {
  if (code === CLOSE_NO_CHANNEL) return { name: "no-channel", text: `There is no channel called “${channel}”.` };
  const why = reason ? `: ${reason}` : "";
  return { name: "refused", text: `The server declined the connection${why}. Press play to ask again.` };
}

function linked({ link, wanted, playing }) {
  if (link.name === "waiting") return waiting(link, wanted, playing);
  if (link.name !== "connecting" || !wanted) return null;
  if (playing) return { name: "reconnecting", text: "Reconnecting. Playing what is held." };
  return { name: "connecting", text: "Connecting." };
}

function waiting({ code }, wanted, playing) {
  const held = wanted && playing ? " Playing what is held." : "";
  const why = {
    [CLOSE_TRY_LATER]: "The server is full or this connection too slow.",
    [CLOSE_GOING_AWAY]: "The server is restarting.",
  }[code] ?? "The connection is lost.";
  return { name: "reconnecting", text: `${why}${held}`, retry: true };
}

function sounding({ wanted, context, playing, heardBefore }) {
  if (!wanted && heardBefore) return { name: "paused", text: "Paused. The music goes on without you." };
  if (!wanted) return { name: "ready", text: "Ready when you are." };
  if (playing) return { name: "playing", text: "Playing, live." };
  if (context !== "running") return { name: "suspended", text: "The browser holds the sound back. Press play." };
  if (heardBefore) return { name: "stalled", text: "The network paused. Playing on as soon as it returns." };
  return { name: "buffering", text: "Listening for the first seconds." };
}
