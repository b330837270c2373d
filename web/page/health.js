/** The health panel: one calm line, and the figures behind it. */

const FIGURES = [
  ["buffer_ms", "Buffer", "ms"],
  ["target_ms", "Buffer target", "ms"],
  ["latency_ms", "From server to ear", "ms"],
  ["round_trip_ms", "Round trip", "ms"],
  ["start_ms", "Click to sound", "ms"],
  ["drift_ppm", "Clock steering", "ppm"],
  ["underruns", "Underruns", ""],
  ["corrections", "Corrections", ""],
  ["missing_chunks", "Missing chunks", ""],
  ["reconnects", "Reconnects", ""],
];

const shown = (value, unit) => (value === null ? "–" : `${Math.round(value)} ${unit}`.trim());

/** Shows the player's figures in `line` and `list` (a `dl`). */
export class Health {
  constructor(line, list) {
    this.line = line;
    this.values = new Map();
    for (const [name, label] of FIGURES) {
      const value = document.createElement("dd");
      const term = Object.assign(document.createElement("dt"), { textContent: label });
      const pair = document.createElement("div");
      pair.append(term, value);
      list.append(pair);
      this.values.set(name, value);
    }
  }

  /** Show `stats`, as given by the player; `link` is the connection's state. */
  show(stats, link) {
    for (const [name, , unit] of FIGURES) setText(this.values.get(name), shown(stats[name], unit));
    setText(this.line, summary(stats, link));
  }
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The line's text. */
export function summary(stats, link) {
  if (stats.latency_ms !== null) {
    const interruptions = ["no interruptions", "1 interruption"][stats.underruns] ?? `${stats.underruns} interruptions`;
    return `${(stats.latency_ms / 1000).toFixed(2)} s behind live · ${interruptions}`;
  }
  return link === "open" ? "Connected" : "Not connected";
}
