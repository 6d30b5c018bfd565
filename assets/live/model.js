/** The page's side of a model that runs in a worker. */

/** What the builder published: `manifest` and `bytes`, or a `link` to where that was done. */
const meta = document.querySelector('meta[name="live-model"]');
export const PUBLISHED = JSON.parse(meta?.content ?? "{}");

const FEW = 2; // gigabytes of memory below which a device is asked twice

// (module (func (result v128) (v128.const 0))), as the shortest program with a vector in it.
const VECTORS = [
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 22, 1, 20, 0, 253, 12, ...Array(16).fill(0), 11],
];

/** Why a model cannot run here, in a sentence; "" if it can. */
export function hindrance() {
  if (!isSecureContext) return "The model can only run where the page comes over https.";
  if (!globalThis.WebAssembly?.validate(Uint8Array.from(VECTORS))) {
    return "This browser is too old to run the model: it has no WebAssembly with vectors.";
  }
  return "";
}

/** Why a reader may not want to fetch a model here, in a sentence; "" if nothing speaks against it. */
export function doubt() {
  if (navigator.connection?.saveData) return "Your browser is set to save data.";
  if (navigator.deviceMemory < FEW) return "This device has little memory.";
  return "";
}

/** One model; `open` before anything else. What goes wrong is an Error whose message is a sentence. */
export class Model {
  #worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #orders = 0;

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail("The model stopped: this browser could not run it.");
    };
  }

  /**
   * Fetch the model, or take what the browser has kept of it.
   * @param {(progress: {at: number, of: number}) => void} progress in bytes
   * @returns {Promise<import("./worker.js").Opened>}
   */
  open(progress) {
    const manifest = new URL(`${meta.dataset.base}/${PUBLISHED.manifest}`, document.baseURI).href;
    return this.#order({ order: "open", manifest }, progress);
  }

  /** Token ids of a text. */
  encode(text) {
    return this.#order({ order: "encode", text });
  }

  /**
   * Read a text under its prompts, and write on.
   * @param {import("./writing.js").Writing} writing
   * @param {(reading: import("./writing.js").Reading) => void} tell
   */
  write(writing, tell) {
    return this.#order({ order: "write", writing }, tell);
  }

  /** Let what is being written end where it is. */
  stop() {
    this.#worker.postMessage({ order: "stop" });
  }

  /** Give the model up, and all that it has been asked. */
  close() {
    this.#worker.terminate();
    this.#fail("");
  }

  #order(order, event = () => {}) {
    const id = ++this.#orders;
    return new Promise((answer, wrong) => {
      this.#waiting.set(id, { answer, wrong, event });
      this.#worker.postMessage({ id, ...order });
    });
  }

  #hear({ id, event, wrong, answer }) {
    const asked = this.#waiting.get(id);
    if (event !== undefined) return asked?.event(event);
    this.#waiting.delete(id);
    if (wrong !== undefined) asked?.wrong(new Error(wrong));
    else asked?.answer(answer);
  }

  #fail(sentence) {
    for (const { wrong } of this.#waiting.values()) wrong(new Error(sentence));
    this.#waiting.clear();
  }
}
