/**
 * What the page adds for readers whose browser runs scripts. Everything here improves something that
 * is already readable; whatever fails leaves the page as it was.
 *
 * Text from results is put into the page as text, never as HTML.
 */
import { bar } from "./bar.js";
import { carry } from "./carry.js";
import { only } from "./choice.js";
import { copier } from "./copy.js";
import { doors } from "./doors.js";
import { links } from "./links.js";
import { enliven } from "./live.js";
import { menus } from "./menus.js";
import { moved } from "./moved.js";
import { numbers } from "./numbers.js";
import { wake as wakeOwn } from "./own.js";
import { popovers } from "./popovers.js";
import { study } from "./study.js";

/** Let everything in `root` that a script improves answer. */
export function wake(root) {
  for (const button of root.querySelectorAll(".post-copy")) copier(button);
  for (const form of root.querySelectorAll("form[data-picks]")) menus(form);
  for (const chart of root.querySelectorAll("[data-only]")) {
    only(chart, JSON.parse(chart.dataset.only));
  }
  links(root);
  for (const chart of root.querySelectorAll(".post-chart[data-vega]")) {
    enliven(chart).catch((error) => console.error(`${chart.dataset.vega}:`, error));
  }
  wakeOwn(root);
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
moved();
popovers();
carry();
doors();
numbers();
