/** What is pinned: the page points at it in all figures until it is let go, and the address says so. */
import { keepPins, onStep, pins } from "./address.js";

const answers = new Set();
let now = pins();

/** What is pinned, field by field; without any, nothing. */
export function pinned() {
  return now;
}

/** Pin what a mark is about, or with nothing let go. */
export function pin(fields) {
  if (JSON.stringify(fields) === JSON.stringify(now)) return;
  keepPins(fields);
  now = pins();
  for (const answer of answers) answer();
}

/** Call `answer` when something else is pinned, or nothing any more. */
export function onPin(answer) {
  answers.add(answer);
}

onStep(() => {
  now = pins();
  for (const answer of answers) answer();
});
