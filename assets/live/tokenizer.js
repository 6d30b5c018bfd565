/**
 * Byte-level byte-pair encoding, as GPT-2 introduced it (Radford et al. 2019): a text is cut into
 * words, each word's UTF-8 bytes are written as printable characters, and neighbours are merged, those
 * with the earliest merge first.
 */

// White space by its Unicode property: JavaScript's \s has U+FEFF and lacks U+0085.
const WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const CONTROL = 3; // type of a token that no text may spell, in tokenizer.ggml.token_type
const KEPT = 20_000; // words whose tokens are remembered

/** Byte -> the character that stands for it. */
const SIGNS = (() => {
  const plain = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte < 173) || byte > 173;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(plain(byte) ? byte : next++));
})();
const BYTES = new Map(SIGNS.map((sign, byte) => [sign, byte]));

/** The tokens of one vocabulary. */
export class Tokenizer {
  #tokens;
  #ids;
  #ranks;
  #control;
  #known = new Map();

  /** @param {Record<string, any>} settings those of a GGUF header */
  constructor(settings) {
    if (settings["tokenizer.ggml.model"] !== "gpt2") {
      throw new Error("This page can only read a tokenizer of GPT-2's kind.");
    }
    this.#tokens = settings["tokenizer.ggml.tokens"];
    this.#ids = new Map(this.#tokens.map((token, id) => [token, id]));
    this.#ranks = new Map(settings["tokenizer.ggml.merges"].map((pair, rank) => [pair, rank]));
    const types = settings["tokenizer.ggml.token_type"] ?? [];
    this.#control = new Set(this.#tokens.filter((_, id) => types[id] === CONTROL));
  }

  /** The id of a token by its own spelling: "<|im_end|>", or "Ċ" for a line break. */
  id(token) {
    return this.#ids.get(token);
  }

  /**
   * Token ids of a text in which a reader may have written anything: nothing in it is a control token.
   * @param {string} text
   * @returns {number[]}
   */
  encode(text) {
    return (text.match(WORDS) ?? []).flatMap((word) => this.#word(word));
  }

  /**
   * Token ids of a text whose control tokens are meant, with a reader's own text at a place in it.
   * @param {string} before
   * @param {string} [own] is text, whatever stands in it
   * @param {string} [after]
   * @returns {number[]}
   */
  encodePrompt(before, own = "", after = "") {
    const [first, last] = [this.#cut(before), this.#cut(after)];
    // What stands around a reader's text is one text with it: words go across the seams.
    const joined = [...first.slice(0, -1), first.at(-1) + own + last[0], ...last.slice(1)];
    return joined.flatMap((part, place) => (place % 2 ? [this.#ids.get(part)] : this.encode(part)));
  }

  /** The text of token ids; bytes that are no character are shown as U+FFFD. */
  decode(ids) {
    return new TextDecoder().decode(this.bytes(ids));
  }

  /** The UTF-8 bytes of token ids. */
  bytes(ids) {
    const encoder = new TextEncoder();
    return new Uint8Array(
      ids.flatMap((id) => {
        const token = this.#tokens[id];
        if (this.#control.has(token)) return [...encoder.encode(token)];
        return [...token].flatMap((sign) => BYTES.get(sign) ?? [...encoder.encode(sign)]);
      }),
    );
  }

  /** Texts and control tokens of a text, by turns; the first and the last are texts. */
  #cut(text) {
    const parts = [""];
    for (let at = 0; at < text.length; ) {
      const rest = text.slice(at);
      const token = [...this.#control].find((one) => rest.startsWith(one));
      if (token) parts.push(token, "");
      else parts[parts.length - 1] += rest[0];
      at += token?.length ?? 1;
    }
    return parts;
  }

  #word(word) {
    let ids = this.#known.get(word);
    if (!ids) {
      // A few bytes, such as 0x0C, are no token of every vocabulary: they are left out.
      const signs = Array.from(new TextEncoder().encode(word), (byte) => SIGNS[byte]).filter((sign) =>
        this.#ids.has(sign),
      );
      ids = this.#merged(signs).map((token) => this.#ids.get(token));
      if (this.#known.size < KEPT) this.#known.set(word, ids);
    }
    return ids;
  }

  /**
   * Merge neighbours until no pair of them has a merge. Words are short, but a reader can paste one of
   * thousands of letters: the pairs wait in a heap, and the parts are linked, so that it takes n log n.
   */
  #merged(parts) {
    const text = [...parts];
    const before = text.map((_, i) => i - 1);
    const behind = text.map((_, i) => i + 1);
    const heap = [];
    const less = (a, b) => a.rank < b.rank || (a.rank === b.rank && a.at < b.at);
    const offer = (at) => {
      const next = behind[at];
      if (at < 0 || next >= text.length) return;
      const rank = this.#ranks.get(`${text[at]} ${text[next]}`);
      if (rank !== undefined) push(heap, { rank, at, pair: text[at] + text[next], next }, less);
    };
    for (let at = 0; at + 1 < text.length; at++) offer(at);
    while (heap.length) {
      const { at, next, pair } = pop(heap, less);
      // One of the two may have been merged with another meanwhile.
      if (text[at] === "" || behind[at] !== next || text[at] + text[next] !== pair) continue;
      text[at] = pair;
      text[next] = "";
      behind[at] = behind[next];
      if (behind[at] < text.length) before[behind[at]] = at;
      offer(before[at]);
      offer(at);
    }
    return text.filter(Boolean);
  }
}

function push(heap, item, less) {
  let at = heap.push(item) - 1;
  for (let up = (at - 1) >> 1; at > 0 && less(item, heap[up]); up = (at - 1) >> 1) {
    heap[at] = heap[up];
    at = up;
  }
  heap[at] = item;
}

function pop(heap, less) {
  const first = heap[0];
  const last = heap.pop();
  if (!heap.length) return first;
  let at = 0;
  for (;;) {
    let down = 2 * at + 1;
    if (down >= heap.length) break;
    if (down + 1 < heap.length && less(heap[down + 1], heap[down])) down++;
    if (!less(heap[down], last)) break;
    heap[at] = heap[down];
    at = down;
  }
  heap[at] = last;
  return first;
}
