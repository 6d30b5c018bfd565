/** A term's definition, as the glossary has it, beside the term that is pointed at. */
import { element } from "./element.js";
import { pageOf, placeOf } from "./passages.js";

const PAUSE = 150; // ms in which a pointer that only passes is gone again, or has reached the hint

const hint = element("div", "post-hint md-typeset");
hint.id = "post-hint";
hint.popover = "hint";
document.querySelector("main").append(hint);

let term; // that is asked for
let shown; // whose meaning the hint has
let leaving;

/** Show what a term means, if it is still asked for when that is known. */
export async function explain(asked) {
  clearTimeout(leaving);
  if (term === asked && hint.matches(":popover-open")) return;
  term = asked;
  asked.addEventListener("pointerleave", leave, { once: true });
  asked.addEventListener("blur", leave, { once: true });
  const pause = new Promise((done) => setTimeout(done, PAUSE));
  const [page] = await Promise.all([pageOf(asked), pause]);
  if (term !== asked) return;
  let meaning = placeOf(asked, page);
  while (meaning?.tagName === "DT") meaning = meaning.nextElementSibling;
  if (!meaning) return;
  for (const node of meaning.querySelectorAll("[id]")) node.removeAttribute("id");
  const way = element("a", "", "Glossary");
  way.href = asked.href;
  hint.replaceChildren(...meaning.childNodes, " ", way);
  shown = asked;
  hint.showPopover({ source: asked });
  asked.setAttribute("aria-describedby", hint.id);
}

function leave() {
  if (shown !== term) term = undefined; // what is left before it is told is no longer asked for
  clearTimeout(leaving);
  leaving = setTimeout(close, PAUSE);
}

function close() {
  term = shown = undefined;
  if (hint.matches(":popover-open")) hint.hidePopover();
}

hint.addEventListener("pointerenter", () => clearTimeout(leaving));
hint.addEventListener("pointerleave", leave);
hint.addEventListener("focusin", () => clearTimeout(leaving));
hint.addEventListener("focusout", leave);
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") close();
});
