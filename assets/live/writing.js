/** One text under several prompts: the first writes it, and both say how it might go on. */
import { CONTEXT } from "./engine.js";
import { draw, uniforms } from "./sampling.js";

const LIKELY = 10; // next tokens that are told

/**
 * @typedef {object} Writing
 * @property {{before: string, own?: string, after?: string}[]} prompts `own` is text whatever stands in it
 * @property {number[]} given tokens of the text that stand already
 * @property {number} known how many of them have been reported
 * @property {number} most tokens that the text may have
 * @property {[number, number]} contrast the token whose chance is told, and the one it is held against
 * @property {number[]} breaks tokens before which all prompts are read
 * @property {number[]} blanks tokens that may stand between what is read and a break
 * @property {number[]} ends tokens that end the text; they are breaks, too
 * @property {{temperature: number, topP: number, key: string}} [draw] how the text goes on, `key` in
 *   hexadecimal; without it only what is given is read
 * @property {Record<number, number>} [bias] what is added to logits
 *
 * @typedef {object} Reading what stands before a break
 * @property {number} start tokens of the text before it
 * @property {number} end tokens of the text up to and with it
 * @property {number} next tokens of the text up to and with the break
 * @property {string} text since the break before
 * @property {number[]} chances of the contrast's first token, under each prompt, at temperature 1
 * @property {number[]} contrasts logit(first) − logit(second)
 * @property {number[][]} lens the same by depth
 * @property {{text: string, chance: number}[][]} likely the likeliest next tokens
 */

/** Writes with one model. */
export class Writer {
  #engine;
  #sequences;
  #tokenizer;

  constructor(engine, sequences, tokenizer) {
    this.#engine = engine;
    this.#sequences = sequences;
    this.#tokenizer = tokenizer;
  }

  /**
   * Read what is given, then write on.
   * @param {Writing} writing
   * @param {(reading: Reading) => void} tell
   * @param {() => Promise<boolean>} goOn asked behind each token
   * @returns {Promise<{ids: number[], ended: boolean, full: boolean}>}
   */
  async write(writing, tell, goOn) {
    const { given, known, contrast, ends, bias = {} } = writing;
    const prompts = writing.prompts.map(({ before, own, after }) =>
      this.#tokenizer.encodePrompt(before, own, after),
    );
    this.#engine.contrast(...contrast);
    const longest = Math.max(...prompts.map((prompt) => prompt.length));
    const most = Math.min(writing.most, CONTEXT - longest);
    const seen = prompts.map(() => new Map()); // by prompt: tokens of the text -> what followed them
    let logits;

    const read = (which, ids, from) => {
      const start = prompts[which].length;
      const text = [...prompts[which], ...ids];
      this.#sequences.bring(which, text, start + from - 1, (row, position) => {
        const end = position + 1 - start;
        if (end < ids.length && !isRead(writing, ids, end)) return;
        logits = this.#logits(row, bias);
        const total = this.#engine.logTotal();
        seen[which].set(end, {
          chance: Math.exp(logits[contrast[0]] - total),
          lens: Array.from(this.#engine.lens(row)),
          likely: this.#likely(logits, total),
        });
      });
    };
    const report = (ids, next) => {
      const end = written(ids, next - 1, writing.blanks);
      for (const [which, behind] of seen.entries()) {
        if (!behind.has(end)) read(which, ids.slice(0, end), end);
      }
      const found = seen.map((behind) => behind.get(end));
      const start = lineStart(writing, ids, end);
      tell({
        ...{ start, end, next, text: this.#tokenizer.decode(ids.slice(start, end)) },
        chances: found.map(({ chance }) => chance),
        contrasts: found.map(({ lens }) => lens.at(-1)),
        lens: found.map(({ lens }) => lens),
        likely: found.map(({ likely }) => likely),
      });
    };

    const ids = [...given];
    const isOver = () => ends.includes(ids.at(-1));
    for (let which = 0; which < prompts.length; which++) read(which, ids, known);
    for (let next = known + 1; next <= ids.length; next++) {
      if (isBreak(writing, ids[next - 1])) report(ids, next);
      if (!(await goOn())) break;
    }
    if (!writing.draw || isOver()) return { ids, ended: isOver(), full: false };

    const { temperature, topP, key } = writing.draw;
    const numbers = uniforms(BigInt(`0x${key}`), writing.most);
    read(0, ids, ids.length);
    while (ids.length < most && !isOver() && (await goOn())) {
      const total = this.#engine.logTotal(temperature);
      ids.push(draw(logits, total, { temperature, topP }, numbers[ids.length]));
      if (isBreak(writing, ids.at(-1))) report(ids, ids.length);
      if (!isOver()) read(0, ids, ids.length);
    }
    return { ids, ended: isOver(), full: ids.length >= most };
  }

  #likely(logits, total) {
    const chosen = [];
    let least = -Infinity;
    for (let id = 0; id < logits.length; id++) {
      if (chosen.length === LIKELY && logits[id] <= least) continue;
      const place = chosen.findIndex((other) => logits[other] < logits[id]);
      chosen.splice(place < 0 ? chosen.length : place, 0, id);
      chosen.splice(LIKELY);
      least = logits[chosen.at(-1)];
    }
    const chance = (id) => Math.exp(logits[id] - total);
    return chosen.map((id) => ({ text: this.#tokenizer.decode([id]), chance: chance(id) }));
  }

  /** The logits behind a row of what was read last, with what is added to them. */
  #logits(row, bias) {
    const logits = this.#engine.logits(row);
    for (const [id, by] of Object.entries(bias)) logits[id] += by;
    return logits;
  }
}

const isBreak = ({ breaks, ends }, id) => breaks.includes(id) || ends.includes(id);

/** How many tokens stand before `count`, blanks at their end left out. */
function written(ids, count, blanks) {
  while (count && blanks.includes(ids[count - 1])) count--;
  return count;
}

/** Whether a break follows the first `end` tokens, or blanks and a break. */
function isRead(writing, ids, end) {
  while (writing.blanks.includes(ids[end])) end++;
  return isBreak(writing, ids[end]);
}

/** Where the line begins that the first `end` tokens end with. */
function lineStart({ breaks }, ids, end) {
  return ids.slice(0, end).findLastIndex((id) => breaks.includes(id)) + 1;
}
