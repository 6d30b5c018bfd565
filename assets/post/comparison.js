/** What is to be said of a list that was drawn again. */
import { count } from "./chances.js";

/**
 * Compare tokens, and the chances of both prompts at every item.
 * @param {number[]} drawn in the browser
 * @param {number[]} recorded as published
 * @param {{short: number, long: number}[]} chances in the browser
 * @param {{short: (number | null)[], long: (number | null)[]}} published
 */
export function compare(drawn, recorded, chances, published) {
  const same = recorded.findIndex((id, place) => id !== drawn[place]);
  const alike = same < 0 && drawn.length === recorded.length;
  const pairs = chances.flatMap((one, place) =>
    Object.entries(one)
      .filter(([name]) => published[name]?.[place] != null)
      .map(([name, chance]) => Math.abs(chance - published[name][place])),
  );
  const number = recorded.length;
  const tokens = alike
    ? `All ${number} tokens are those that are published.`
    : `The first ${same < 0 ? Math.min(drawn.length, number) : same} of ${number} tokens are those that are published.`;
  if (!alike || !pairs.length) return tokens;
  const most = Math.max(...pairs);
  const digits = most < 0.00001 ? "less than 0.00001" : `at most ${most.toFixed(5)}`;
  return `${tokens} The probabilities of ${count(chances.length)} differ by ${digits} from those in the figure.`;
}
