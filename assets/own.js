/** What a post's own figures need in addition: nothing. A project's `assets/own.js` is used instead. */
export function wake() {}
