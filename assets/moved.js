/**
 * A link to a figure, a section or an equation still leads there when its author has moved it to
 * another page: what a link names keeps its name.
 */
import { ROOT, json } from "./files.js";

async function follow() {
  const name = decodeURIComponent(location.hash.slice(1));
  if (!name || document.getElementById(name)) return;
  const pages = await json(new URL("places.json", ROOT));
  if (!Object.hasOwn(pages, name)) return;
  const place = new URL(pages[name], ROOT);
  place.search = location.search;
  place.hash = location.hash;
  if (place.pathname !== location.pathname) location.replace(place);
}

/** Go where the address leads, now and when it changes. */
export function moved() {
  const go = () => follow().catch(console.error);
  addEventListener("hashchange", go);
  go();
}
