/** Study switch: the same figure as another study measured it, in the place of this one. */
import { follow } from "./choice.js";
import { text } from "./files.js";
import { near } from "./near.js";
import { responses } from "./response.js";

const BASE = "\u0002base\u0003"; // the way to the root, which only the page knows

/** Let a form pick the study of its figure; `wake` is for what comes into the page. */
export function study(form, wake) {
  const figure = form.closest(".post-figure");
  const menu = form.elements.study;
  let shown = menu.value;
  let latest = 0;

  async function show() {
    const mine = ++latest;
    await near(figure);
    const { value, selectedOptions } = menu;
    if (mine !== latest || value === shown) return;
    const told = (await text(selectedOptions[0].dataset.file)).replaceAll(BASE, form.dataset.base);
    if (mine !== latest) return;
    const other = new DOMParser().parseFromString(told, "text/html").querySelector("figure");
    shown = value;
    figure.dataset.state = other.dataset.state;
    figure.dataset.study = value;
    figure.dataset.marks = other.dataset.marks ?? "[]";
    for (const child of [...figure.children]) if (child !== form) child.remove();
    figure.append(...other.children);
    wake(figure);
    responses();
  }

  follow(form, () => show().catch(console.error));
  form.hidden = false;
  show().catch(console.error);
}
