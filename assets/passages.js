/** Pages that links lead to, read where a reader asks, so that no page repeats another. */
import { text } from "./files.js";

/** The page of a link as a document that is not shown, its own links whole. */
export async function pageOf({ href }) {
  const address = href.split("#")[0];
  const page = new DOMParser().parseFromString(await text(address), "text/html");
  for (const link of page.querySelectorAll("a[href]")) {
    link.href = new URL(link.getAttribute("href"), address).href;
  }
  return page;
}

/** The element of a page that a link leads to, or null. */
export function placeOf({ hash }, page) {
  return page.getElementById(decodeURIComponent(hash.slice(1)));
}
