/**
 * What means the same in every figure of a page, and is chosen once for all of them. A project's
 * `assets/choices.js` is used instead.
 */

/** The words before a menu -> the name in the address. */
export const SHARED = { study: "study" };

/** What can be chosen, by its name in the address, in words. */
export const WORDS = { study: "study" };
