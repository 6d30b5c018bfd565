/**
 * A model in a worker of its own, so that the page never waits for it. Nothing is fetched before the
 * page says `open`.
 *
 * The page sends an {@link Order}; what comes back bears its `id`: any number of `event`s, and then
 * one `answer` or one `wrong`, a sentence for the reader. Orders are taken one after the other; `stop`
 * lets the one that is at work answer with what it has.
 *
 * @typedef {{id: number, order: "open", manifest: string}
 *   | {id: number, order: "encode", text: string}
 *   | {id: number, order: "write", writing: import("./writing.js").Writing}
 *   | {order: "stop"}} Order
 *
 * @typedef {{id: number, event: {at: number, of: number}}
 *   | {id: number, event: import("./writing.js").Reading}
 *   | {id: number, answer: Opened | number[] | {ids: number[], ended: boolean, full: boolean}}
 *   | {id: number, wrong: string}} Reply
 *
 * @typedef {object} Opened
 * @property {number} fetched parts that were not kept already
 * @property {string} note what a reader should know; "" if nothing
 * @property {number} memory bytes
 */
import { Engine, Unreadable } from "./engine.js";
import { gather, manifestOf } from "./parts.js";
import { Sequences } from "./sequences.js";
import { Tokenizer } from "./tokenizer.js";
import { Writer } from "./writing.js";

const SELDOM = 100; // milliseconds between two reports of progress

let tokenizer;
let writer;
let stopped = false;
let last = Promise.resolve();

const orders = {
  async open({ manifest }, tell) {
    const [wanted, code] = await Promise.all([manifestOf(manifest), compiled()]);
    const engine = new Engine(code, wanted.bytes);
    let told = 0;
    const kept = await gather(wanted, manifest, engine.bytes, (at) => {
      const now = performance.now();
      if (now - told < SELDOM && at < wanted.bytes) return;
      told = now;
      tell({ at, of: wanted.bytes });
    });
    tokenizer = new Tokenizer(engine.start());
    writer = new Writer(engine, new Sequences(engine), tokenizer);
    return { ...kept, memory: engine.memory };
  },
  encode: ({ text }) => tokenizer.encode(text),
  write({ writing }, tell) {
    stopped = false;
    return writer.write(writing, tell, goOn);
  },
};

async function compiled() {
  const answer = await fetch(new URL("./engine.wasm", import.meta.url)).catch(() => null);
  if (!answer?.ok) throw new Unreadable("The program that runs the model could not be fetched.");
  return WebAssembly.compile(await answer.arrayBuffer());
}

/** Let messages in; whether nobody has said stop. */
async function goOn() {
  const { port1, port2 } = new MessageChannel();
  await new Promise((done) => {
    port1.onmessage = done;
    port2.postMessage(null);
  });
  port1.close();
  return !stopped;
}

/** Why it did not work, as a sentence. */
function sentence(error) {
  if (error instanceof Unreadable) return error.message;
  console.error(error);
  return "The model cannot be run in this browser.";
}

onmessage = ({ data }) => {
  if (data.order === "stop") {
    stopped = true;
    return;
  }
  const { id, order } = data;
  last = last.then(async () => {
    try {
      postMessage({ id, answer: await orders[order](data, (event) => postMessage({ id, event })) });
    } catch (error) {
      postMessage({ id, wrong: sentence(error) });
    }
  });
};
