/** The forward pass of engine.c, with its memory: a model that is read token by token. */
import { header } from "./gguf.js";

export const CONTEXT = 384; // tokens of a sequence
export const SEQUENCES = 3; // prompts that can be held against each other
const BATCH = 64; // tokens read at once, as in engine.c
const PAGE = 65_536;
const KINDS = { add: 1, set: 2, head: 3, cell: 4 };
const EDIT = 44; // bytes of an edit in engine.c
const MOST = { blocks: 64, edits: 64 };
const READABLE = { 0: "F32", 3: "Q4_1", 8: "Q8_0" };

/** Tensors in the order of the slots of `bind`. */
const WHOLE = ["token_embd", "output", "output_norm"];
const OF_BLOCK = [
  ...["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output"],
  ...["ffn_norm", "ffn_gate", "ffn_up", "ffn_down"],
];

/** Why a model cannot be read here, in a sentence. */
export class Unreadable extends Error {}

/**
 * @typedef {object} Edit what is changed while tokens are read
 * @property {"add"|"set"|"cell"|"head"} kind add to a row of the stream, set it, give a feature of it
 *   another activation, or set what a head hands on
 * @property {number} sequence
 * @property {number} depth of the stream: 0 is the embedding, l behind l blocks; of a head: its block
 * @property {number} [head]
 * @property {number} first the first position that is changed
 * @property {number} last and the last one
 * @property {number} [amount] how often the vector is added, or the feature's new activation
 * @property {Float32Array} vector
 * @property {Float32Array} [encoder] of a feature, whose activation is relu(x · encoder + offset)
 * @property {number} [offset]
 * @property {number} [threshold] up to which the activation is zero
 */

/** One model in WebAssembly's memory. */
export class Engine {
  #wasm;
  #shape;
  #vectors;
  #last = 0; // row of the token that was read last

  /**
   * Make room for a file; `bytes` is where to put it. Then call `start`.
   * @param {WebAssembly.Module} module
   * @param {number} size of the GGUF file
   */
  constructor(module, size) {
    this.#wasm = new WebAssembly.Instance(module).exports;
    this.base = Math.ceil(this.#wasm.__heap_base.value / 64) * 64;
    this.size = size;
    this.#grow(this.base + size);
  }

  /** The file's place. */
  get bytes() {
    return new Uint8Array(this.#wasm.memory.buffer, this.base, this.size);
  }

  /** Bytes of memory in use. */
  get memory() {
    return this.#wasm.memory.buffer.byteLength;
  }

  get blocks() {
    return this.#shape.blocks;
  }

  get shape() {
    return { ...this.#shape };
  }

  /** Read the header and lay out what the model works with; returns the header's settings. */
  start() {
    const { settings, tensors } = header(this.bytes);
    const shape = (this.#shape = shapeOf(settings, tensors));
    const at = this.#wasm.shape_at();
    const { width, hidden, blocks, heads, groups, headWidth, vocabulary } = shape;
    const whole = [width, hidden, blocks, heads, groups, headWidth, vocabulary, CONTEXT, SEQUENCES];
    new Int32Array(this.#wasm.memory.buffer, at, whole.length).set(whole);
    new Float32Array(this.#wasm.memory.buffer, at + 4 * whole.length, 1)[0] = shape.epsilon;
    const end = this.#wasm.lay_out(Math.ceil((this.base + this.size) / 64) * 64);
    this.#vectors = end;
    this.#grow(end + 8 * MOST.edits * width);
    this.#rotary(shape);
    const bind = (slot, block, name) => {
      const { offset, type } = tensors[`${name}.weight`];
      this.#wasm.bind(slot, block, this.base + offset, type);
    };
    for (const [slot, name] of WHOLE.entries()) {
      bind(slot, 0, name === "output" && !("output.weight" in tensors) ? "token_embd" : name);
    }
    for (let block = 0; block < blocks; block++) {
      for (const [place, name] of OF_BLOCK.entries()) {
        bind(WHOLE.length + place, block, `blk.${block}.${name}`);
      }
    }
    return settings;
  }

  /** Let the lens show logit(plus) − logit(minus). */
  contrast(plus, minus) {
    this.#wasm.contrast(plus, minus);
  }

  /**
   * Change what is read from now on.
   * @param {Edit[]} edits
   */
  intervene(edits) {
    if (edits.length > MOST.edits) throw new RangeError(`more than ${MOST.edits} edits`);
    const { buffer } = this.#wasm.memory;
    const view = new DataView(buffer, this.#wasm.edits_at(), MOST.edits * EDIT);
    let vectors = this.#vectors;
    for (const [index, edit] of edits.entries()) {
      const { kind, sequence, depth, head = 0, first, last, vector, encoder } = edit;
      const { amount = 1, offset = 0, threshold = 0 } = edit;
      const whole = [KINDS[kind], sequence, depth, head, first, last];
      const at = index * EDIT;
      whole.forEach((value, place) => view.setInt32(at + 4 * place, value, true));
      [amount, offset, threshold].forEach((value, place) => {
        view.setFloat32(at + 24 + 4 * place, value, true);
      });
      for (const [place, floats] of [vector, encoder ?? []].entries()) {
        view.setInt32(at + 36 + 4 * place, vectors, true);
        this.#floats(vectors, floats.length).set(floats);
        vectors += 16 * Math.ceil(floats.length / 4);
      }
    }
    this.#wasm.intervene(edits.length);
  }

  /** Keep the stream at a depth, and what the heads of the block before it hand on. */
  watch(depth) {
    this.#wasm.watch(depth);
  }

  /**
   * Read tokens into a sequence from a position on; what stood behind it is dropped.
   * @param {number} sequence
   * @param {number} start
   * @param {number[]} ids
   * @param {(rows: number, first: number) => void} [each] called behind each batch of at most 64
   */
  read(sequence, start, ids, each) {
    for (let first = 0; first < ids.length; first += BATCH) {
      const some = ids.slice(first, first + BATCH);
      new Int32Array(this.#wasm.memory.buffer, this.#wasm.ids_at(), some.length).set(some);
      this.#wasm.read(sequence, start + first, some.length);
      this.#last = some.length - 1;
      each?.(some.length, first);
    }
  }

  /** Make the first positions of one sequence those of another, too. */
  copy(from, to, count) {
    this.#wasm.copy(from, to, count);
  }

  /** The logits behind a row of the batch that was read last; they stand until the next are asked. */
  logits(row = this.#last) {
    return this.#floats(this.#wasm.logits_after(row), this.#shape.vocabulary);
  }

  /** log Σ exp(logit / temperature) of the logits that were asked for last. */
  logTotal(temperature = 1) {
    return this.#wasm.log_total(temperature);
  }

  /** The contrast at every depth, behind a row of the batch that was read last. */
  lens(row = this.#last) {
    const depths = this.blocks + 1;
    return this.#floats(this.#wasm.lens_at() + 4 * row * depths, depths).slice();
  }

  /** Attention of the token that was read last, of one head, over `count` positions. */
  attention(block, head, count) {
    const place = (block * this.#shape.heads + head) * CONTEXT;
    return this.#floats(this.#wasm.scores_at() + 4 * place, count).slice();
  }

  /** The stream, at the depth that is watched, of a row of the batch that was read last. */
  stream(row = this.#last) {
    const { width } = this.#shape;
    return this.#floats(this.#wasm.stream_at() + 4 * row * width, width).slice();
  }

  /** What a head of the block before that depth handed on. */
  head(head, row = this.#last) {
    const { heads, headWidth } = this.#shape;
    const place = (row * heads + head) * headWidth;
    return this.#floats(this.#wasm.heads_at() + 4 * place, headWidth).slice();
  }

  #floats(at, count) {
    return new Float32Array(this.#wasm.memory.buffer, at, count);
  }

  #grow(end) {
    const missing = Math.ceil((end - this.memory) / PAGE);
    try {
      if (missing > 0) this.#wasm.memory.grow(missing);
    } catch {
      const wanted = Math.round(end / 1e6);
      throw new Unreadable(`This device has no ${wanted} MB of memory to spare for the model.`);
    }
  }

  /** Cosine and sine of every position's angles, rounded where PyTorch rounds them. */
  #rotary({ headWidth, base }) {
    const table = this.#floats(this.#wasm.rotary_at(), CONTEXT * headWidth);
    for (let i = 0; i < headWidth; i += 2) {
      const speed = Math.fround(1 / Math.fround(base ** (i / headWidth)));
      for (let position = 0; position < CONTEXT; position++) {
        const angle = Math.fround(position * speed);
        table[position * headWidth + i] = Math.cos(angle);
        table[position * headWidth + i + 1] = Math.sin(angle);
      }
    }
  }
}

/** The shapes that a header gives, or why they cannot be read here. */
function shapeOf(settings, tensors) {
  const family = settings["general.architecture"];
  if (family !== "llama") throw new Unreadable(`This page cannot run a model of the family ${family}.`);
  const of = (name, otherwise) => settings[`${family}.${name}`] ?? otherwise;
  const heads = of("attention.head_count");
  const width = of("embedding_length");
  const shape = {
    width,
    hidden: of("feed_forward_length"),
    blocks: of("block_count"),
    heads,
    groups: of("attention.head_count_kv", heads),
    headWidth: of("attention.key_length", width / heads),
    vocabulary: tensors["token_embd.weight"].shape[1],
    epsilon: of("attention.layer_norm_rms_epsilon"),
    base: of("rope.freq_base", 10_000),
  };
  const names = OF_BLOCK.map((name) => new RegExp(`^blk\\.\\d+\\.${name}\\.weight$`));
  const known = (name) =>
    WHOLE.includes(name.replace(".weight", "")) || names.some((one) => one.test(name));
  for (const [name, { type, shape: sizes }] of Object.entries(tensors)) {
    if (!known(name)) throw new Unreadable(`This page cannot use the model's tensor ${name}.`);
    if (!(type in READABLE) || (sizes.length === 1 && type !== 0)) {
      throw new Unreadable(`This page cannot read the format of the model's tensor ${name}.`);
    }
  }
  if (shape.blocks > MOST.blocks || of("rope.dimension_count", shape.headWidth) !== shape.headWidth) {
    throw new Unreadable("This page cannot run a model of these shapes.");
  }
  return shape;
}
