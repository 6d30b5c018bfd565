/**
 * What a post's own figures need in addition, and where their marks lead: nothing, and nowhere. A
 * project's `assets/own.js` is used instead; `doors.js` says what its `door` returns.
 */
export function wake() {}

export function door() {
  return null;
}
