/** The local clock that a page and its workers share: milliseconds since 1970, never stepping back. */
export const localMs = () => performance.timeOrigin + performance.now();
