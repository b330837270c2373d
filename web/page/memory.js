/** What the page remembers in the browser, where that is allowed. */

/** One remembered text in `storage()`; a browser that forbids storage just forgets. */
export function remembered(storage, key) {
  const quietly = (action) => {
    try {
      return action();
    } catch {
      return null;
    }
  };
  return {
    recall: () => quietly(() => storage().getItem(key)),
    keep: (text) => quietly(() => storage().setItem(key, text)),
    drop: () => quietly(() => storage().removeItem(key)),
  };
}

/** The token from the link (`#token=…`, removed from the address at once), else the remembered one, else null. */
export function takeToken(memory) {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return memory.recall();
  memory.keep(token);
  history.replaceState(null, "", location.pathname + location.search);
  return token;
}
