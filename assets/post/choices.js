/** What means the same in every figure of this post, and is chosen once for all of them. */

/** The words before a menu -> the name in the address. */
export const SHARED = {
  topic: "topic",
  template: "template",
  "length word": "template",
  temperature: "temperature",
  study: "study",
};

/** What can be chosen, by its name in the address, in words. */
export const WORDS = {
  topic: "topic",
  template: "length word",
  temperature: "temperature",
  study: "study",
};
