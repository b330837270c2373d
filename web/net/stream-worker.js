/** The worker around a stream: the page calls its methods by name, and its reports are posted to the page. */

import { localMs } from "./local-time.js";
import { Stream } from "./stream.js";

const TICK_MS = 100;

const { searchParams } = new URL(location.href);
const stream = new Stream(searchParams.get("base"), searchParams.get("channel"), (news) => postMessage(news));
let ticking = false;

/** Tick for as long as the stream is connected or is going to be. */
function tick() {
  stream.tick(localMs());
  ticking = stream.connection.state.name !== "closed";
  if (ticking) setTimeout(tick, TICK_MS);
}

onmessage = ({ data: { method, args } }) => {
  stream[method](...args);
  if (!ticking) tick();
};
