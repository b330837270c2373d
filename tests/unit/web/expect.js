/** Assertions for facts: the first that doesn't hold ends the fact, quoting what was found. */

export function expect(holds, message) {
  if (!holds) throw new Error(message);
}

export function equal(found, expected, what = "value") {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value));
  expect(a === b, `${what}: found ${a}, expected ${b}`);
}

export function within(found, low, high, what = "value") {
  expect(found >= low && found <= high, `${what}: found ${found}, expected ${low} to ${high}`);
}

/** The message of the error of class `kind` that `action` throws. */
export function thrown(action, kind) {
  try {
    action();
  } catch (error) {
    expect(error instanceof kind, `threw ${error}`);
    return error.message;
  }
  throw new Error("nothing was thrown");
}

/** A seeded source of uniform numbers in 0–1 (mulberry32). */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
