/** What the model has read, so that a text that begins as another one is read from where they part. */
import { CONTEXT, SEQUENCES, Unreadable } from "./engine.js";

/** The sequences of an engine. */
export class Sequences {
  #engine;
  #held = Array.from({ length: SEQUENCES }, () => []);

  /** @param {import("./engine.js").Engine} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /** Read everything anew from here on: something is changed on the way. */
  forget() {
    this.#held = this.#held.map(() => []);
  }

  /**
   * Let a sequence be a text, and call `each` behind every token from a position on, in order.
   * @param {number} sequence
   * @param {number[]} ids
   * @param {number} from the first position behind which `each` looks
   * @param {(row: number, position: number) => void} each
   */
  bring(sequence, ids, from, each) {
    if (ids.length > CONTEXT) {
      throw new Unreadable(`The prompt and the text are longer than ${CONTEXT} tokens.`);
    }
    const shared = this.#held.map((held) => Math.min(common(held, ids), from));
    const best = shared[sequence] === Math.max(...shared) ? sequence : shared.indexOf(Math.max(...shared));
    const start = shared[best];
    if (best !== sequence) this.#engine.copy(best, sequence, start);
    this.#held[sequence] = ids.slice(0, start); // as long as reading may be broken off
    this.#engine.read(sequence, start, ids.slice(start), (rows, first) => {
      for (let row = 0; row < rows; row++) {
        const position = start + first + row;
        if (position >= from) each(row, position);
      }
    });
    this.#held[sequence] = [...ids];
  }
}

/** How many tokens two texts begin with in common. */
function common(a, b) {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count++;
  return count;
}
