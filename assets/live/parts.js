/**
 * A model's file in parts that are named by their content: fetched, checked and kept by the browser.
 */
import { Unreadable } from "./engine.js";

const KEPT = "model-parts";
const NO_ROOM = "The browser has no room to keep the model: the next visit fetches it again.";

/**
 * @typedef {object} Manifest what the builder wrote beside the parts
 * @property {number} bytes of the whole file
 * @property {{file: string, bytes: number, sha256: string}[]} parts in their order
 */

/** @returns {Promise<Manifest>} */
export async function manifestOf(url) {
  return (await answered(url)).json();
}

/**
 * Put a file together; parts that were kept are not fetched again.
 * @param {Manifest} manifest
 * @param {string} url of the manifest: the parts lie beside it
 * @param {Uint8Array} place where the file is to be
 * @param {(at: number) => void} progress called with the bytes that are there
 * @returns {Promise<{fetched: number, note: string}>} parts fetched, and what a reader should know
 */
export async function gather({ parts }, url, place, progress) {
  const cache = await caches.open(KEPT).catch(() => null);
  const beside = (file) => new URL(file, url).href;
  let note = cache ? "" : NO_ROOM;
  let [at, fetched] = [0, 0];
  for (const { file, bytes, sha256 } of parts) {
    const own = place.subarray(at, at + bytes);
    const kept = await cache?.match(beside(file));
    const isThere = kept && (await fill(own, kept, (size) => progress(at + size)));
    if (!isThere) {
      const answer = await answered(beside(file));
      const isWhole = await fill(own, answer, (size) => progress(at + size));
      if (!isWhole || (await digest(own)) !== sha256) {
        throw new Unreadable("A part of the model arrived damaged; please try again.");
      }
      fetched++;
      await cache?.put(beside(file), new Response(own.slice())).catch(() => (note = NO_ROOM));
    }
    at += bytes;
  }
  await forget(cache, new URL(".", url).href, new Set(parts.map(({ file }) => beside(file))));
  return { fetched, note };
}

/** Drop what was kept of an older model of this site. */
async function forget(cache, folder, wanted) {
  for (const { url } of (await cache?.keys()) ?? []) {
    if (url.startsWith(folder) && !wanted.has(url)) await cache.delete(url);
  }
}

/** Read an answer into its place; whether it has the right length. */
async function fill(place, answer, progress) {
  const reader = answer.body.getReader();
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return at === place.length;
    if (at + value.length > place.length) return false;
    place.set(value, at);
    at += value.length;
    progress(at);
  }
}

async function digest(bytes) {
  const sum = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function answered(url) {
  const answer = await fetch(url).catch(() => null);
  if (!answer) throw new Unreadable("The model could not be fetched: is there a connection?");
  if (!answer.ok) throw new Unreadable(`The model could not be fetched: ${answer.status}.`);
  return answer;
}
