/** Feature cards from their files: what a card holds is fetched when somebody wants it. */
import { element } from "./element.js";
import { ROOT, figure, fileOf, text } from "./files.js";

const GALLERY = "feature";

/** The id of a card in the gallery: "28/1147" is "f-28-1147", as `feature_cards.anchor` has it. */
export function anchor(name) {
  return `f-${name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")}`;
}

/** What stands in a card's file, its links led from this page. */
export async function parts(url) {
  const told = new DOMParser().parseFromString(await text(url), "text/html");
  const [head, body] = [told.querySelector("p"), told.querySelector(".card-body")].map((node) =>
    document.importNode(node, true),
  );
  for (const one of body.querySelectorAll("a[href]")) {
    const to = new URL(one.getAttribute("href"), url);
    one.href = to.pathname === location.pathname ? to.hash : to.href;
  }
  return { head, body };
}

/** Fill a place with the card of a feature, or with what is known of one that has none. */
export async function card(place, name) {
  const gallery = await figure(GALLERY);
  const url = fileOf(gallery, `${anchor(name)}.htm`);
  const own = element("p", "card-own");
  const link = element("a", "", url ? "Its own place among all cards" : "All feature cards");
  link.href = `${ROOT.href}${gallery?.page ?? ""}${url ? `#${anchor(name)}` : ""}`;
  if (gallery) own.append(link);
  if (!url) {
    const words = `Feature ${name} has no card: cards were made for the strongest features of each autoencoder, and for no others.`;
    place.append(element("p", "", words), own);
    return;
  }
  const { head, body } = await parts(url);
  const whole = element("div", "card card-whole card-aside");
  head.className = "card-head";
  whole.append(head, body);
  place.append(own, whole);
}
