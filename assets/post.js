/**
 * What the page adds for readers whose browser runs scripts. Everything here improves something that
 * is already readable; whatever fails leaves the page as it was.
 *
 * Text from results is put into the page as text, never as HTML.
 */
import { bar } from "./bar.js";
import { only } from "./choice.js";
import { copier } from "./copy.js";
import { ending } from "./ending.js";
import { links } from "./links.js";
import { enliven } from "./live.js";
import { menus } from "./menus.js";
import { near } from "./near.js";
import { study } from "./study.js";

/** What is large waits, code and data, until it is near. */
const WHEN_NEAR = {
  ".post-strip": async () => (await import("./strip.js")).strip,
  ".post-lists": async () => (await import("./explorer.js")).explorer,
};

/** Let everything in `root` that a script improves answer. */
export function wake(root) {
  for (const button of root.querySelectorAll(".post-copy")) copier(button);
  for (const form of root.querySelectorAll("form[data-picks]")) menus(form);
  for (const opening of root.querySelectorAll(".ending")) ending(opening);
  for (const chart of root.querySelectorAll("[data-only]")) {
    only(chart, JSON.parse(chart.dataset.only));
  }
  links(root);
  for (const chart of root.querySelectorAll(".post-chart[data-vega]")) {
    enliven(chart).catch((error) => console.error(`${chart.dataset.vega}:`, error));
  }
  for (const cards of root.querySelectorAll(".post-cards")) {
    import("./gallery.js").then(({ gallery }) => gallery(cards)).catch(console.error);
  }
  for (const [kind, found] of Object.entries(WHEN_NEAR)) {
    for (const node of root.querySelectorAll(kind)) {
      near(node).then(found).then((start) => start(node)).catch(console.error);
    }
  }
}

/** Let a figure switch to other studies, or say that it is of one alone. */
export function studied(figure) {
  const form = figure.querySelector(".post-study");
  if (form) study(form, wake);
  else only(figure.querySelector(".post-body"), { study: figure.dataset.study });
}

for (const figure of document.querySelectorAll(".post-figure")) studied(figure);
wake(document);
bar();
